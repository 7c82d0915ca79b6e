internal import DequeModule
package import JobReactorCore
package import JobReactorWire
package import Logging
package import NIOCore

/// The audit log of a port: every change except enqueueing, written to the log and kept by the storage if it supports
/// that, otherwise in memory. Bound to an event loop.
package final class AuditLog {
    private let storage: (any AuditStorage)?
    private let loop: any EventLoop
    private let clock: WallClock
    private let logger: Logger
    private var ids = JobID.Generator()
    /// What the storage does not have yet; without one, all of it.
    private var entries: Deque<AuditEntry> = []
    private var share = AuditShare()
    /// Who is told that the entries up to one are stored, or that they cannot be for now.
    private var awaited: Deque<(last: JobID, done: () -> Void)> = []
    private var isStoring = false
    private var saysThatItFails = false

    /// What waits for a storage that refuses.
    static let mostWaiting = 10_000

    package init(_ storage: (any JobStorage)?, clock: WallClock, logger: Logger, on loop: any EventLoop) {
        self.storage = storage as? any AuditStorage
        self.clock = clock
        self.logger = logger
        self.loop = loop
    }

    /// Records a change by the user of a connection. `done` is called when the entry is stored, so that an answer sent
    /// then has its entry even after a crash. An entry that is only counted does not wait; see ``AuditShare``.
    package func note(
        _ command: String, _ change: String, by user: User?, over connection: Connection,
        done: @escaping () -> Void = {}
    ) {
        let (user, now) = (user ?? .standard, clock.now)
        let entry = AuditEntry(
            id: ids.next(at: now), at: now, user: user.name, address: connection.peer, command: command, change: change)
        logger.notice(
            "audit",
            metadata: [
                "user": "\(entry.user)", "address": "\(entry.address)", "command": "\(command)", "change": "\(change)",
            ])
        if !user.has(.operator), case .counted(let isFirst) = share.note(entry, at: loop.now) {
            if isFirst { writeLater(AuditShare.Key(entry)) }
            return done()
        }
        add(entry, done)
    }

    private func writeLater(_ key: AuditShare.Key) {
        loop.assumeIsolated().scheduleTask(in: AuditShare.interval) { [weak self] in
            if let self, let entry = self.share.takeCounted(key) { self.addNow(entry) }
        }
    }

    /// Adds one that has been counted.
    private func addNow(_ entry: AuditEntry) {
        var entry = entry
        entry.at = clock.now
        entry.id = ids.next(at: entry.at)
        add(entry) {}
    }

    private func add(_ entry: AuditEntry, _ done: @escaping () -> Void) {
        entries.append(entry)
        let most = storage == nil ? AuditEntry.most : Self.mostWaiting
        while entries.count > most { entries.removeFirst() }
        whenStored(done)
        store()
    }

    /// What becomes of an order for many jobs, which has two entries, each stored as with ``note(_:_:by:over:done:)``: one before
    /// its first change, so that it has one where this process ends before it is through, and one with how many jobs it has
    /// changed, before it is answered. One that finds nothing to change has none.
    ///
    /// `carryOut` calls what it gets before each change: the first is made when that is done.
    package func noting(
        _ order: JobOrder, of filter: JobFilter, isDry: Bool, by user: User?, over connection: Connection,
        _ carryOut: (_ begin: @escaping () -> EventLoopFuture<Void>) -> EventLoopFuture<CarriedOut>
    ) -> EventLoopFuture<CarriedOut> {
        var begun: EventLoopFuture<Void>?
        let carriedOut = carryOut { [self] in
            if let begun { return begun }
            let promise = loop.makePromise(of: Void.self)
            begun = promise.futureResult
            note(order.verb, "\(order.beginning) (\(filter))", by: user, over: connection) { promise.succeed() }
            return promise.futureResult
        }
        guard !isDry else { return carriedOut }
        let promise = loop.makePromise(of: CarriedOut.self)
        carriedOut.assumeIsolated().whenComplete { [self] result in
            guard begun != nil, case .success(let end) = result else { return promise.completeWith(result) }
            note(order.verb, "\(order.done(to: end.count)) (\(filter))", by: user, over: connection) {
                promise.succeed(end)
            }
        }
        return promise.futureResult
    }

    private func whenStored(_ done: @escaping () -> Void) {
        // While it refuses nobody waits for it.
        guard storage != nil, !saysThatItFails, let last = entries.last else { return done() }
        awaited.append((last.id, done))
    }

    /// The process ends: counted entries are written, and `done` is called when all entries are stored.
    package func finish(_ done: @escaping () -> Void) {
        for entry in share.takeAllCounted() { addNow(entry) }
        whenStored(done)
    }

    private func store() {
        guard let storage, !isStoring, !entries.isEmpty else { return }
        isStoring = true
        let batch = Array(entries.prefix(1000))
        let bound = NIOLoopBound(self, eventLoop: loop)
        storage.note(batch) { result in
            bound.eventLoop.runOrExecute { bound.value.stored(batch.last?.id, result) }
        }
    }

    private func stored(_ last: JobID?, _ result: Result<Void, StorageError>) {
        switch result {
        case .success:
            while let first = entries.first, let last, first.id <= last { entries.removeFirst() }
            (isStoring, saysThatItFails) = (false, false)
            store()
            tellAwaiting(through: last)
        case .failure(let error):
            // Before it is open it takes nothing, and after its end this is gone, too.
            if !saysThatItFails, error.code != .closed {
                logger.error("the audit log cannot be stored; entries wait in memory", metadata: ["reason": "\(error)"])
            }
            if error.code != .closed { saysThatItFails = true }
            loop.assumeIsolated().scheduleTask(in: .seconds(1)) { [weak self] in
                self?.isStoring = false
                self?.store()
            }
            tellAwaiting(through: entries.last?.id)
        }
    }

    private func tellAwaiting(through last: JobID?) {
        while let first = awaited.first, let last, first.last <= last {
            awaited.removeFirst()
            first.done()
        }
    }

    /// Answers `AUDIT`: a row for each entry, name and value in turn, the newest first.
    package func answer(_ count: Int, to session: CommandSession) {
        let waiting = Array(entries.suffix(count).reversed())
        guard let storage else { return session.reply { Self.write(waiting, to: &$0) } }
        let ticket = session.owe()
        let bound = NIOLoopBound(session, eventLoop: loop)
        storage.audit(limit: count) { result in
            bound.eventLoop.runOrExecute {
                bound.value.pay(ticket) { buffer in
                    switch result {
                    case .success(let stored):
                        // Some of those that waited may have been stored meanwhile.
                        let new = waiting.prefix { entry in stored.first.map { entry.id > $0.id } ?? true }
                        Self.write(Array((Array(new) + stored).prefix(count)), to: &buffer)
                    case .failure(let error): buffer.writeRESPError("ERR the storage fails: \(error)")
                    }
                }
            }
        }
    }

    private static func write(_ entries: [AuditEntry], to buffer: inout ByteBuffer) {
        buffer.writeRESPArray(count: entries.count)
        for entry in entries {
            buffer.writeRESPCommand([
                "time", "\(entry.at.seconds)", "user", entry.user, "address", entry.address, "command", entry.command,
                "change", entry.change,
            ])
        }
    }
}
