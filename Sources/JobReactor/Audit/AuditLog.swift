internal import DequeModule
package import JobReactorCore
package import JobReactorWire
package import Logging
package import NIOCore

/// Who changed what on a port, other than by enqueueing: written to the log, and kept by the storage where that can, else in
/// memory. Bound to an event loop.
package final class AuditLog {
    private let storage: (any AuditStorage)?
    private let loop: any EventLoop
    private let clock: WallClock
    private let logger: Logger
    private var ids = JobID.Generator()
    /// What the storage does not have yet; without one, all of it.
    private var entries: Deque<AuditEntry> = []
    private var isStoring = false
    private var saysThatItFails = false

    /// What waits for a storage that refuses.
    private static let mostWaiting = 10_000

    package init(_ storage: (any JobStorage)?, clock: WallClock, logger: Logger, on loop: any EventLoop) {
        self.storage = storage as? any AuditStorage
        self.clock = clock
        self.logger = logger
        self.loop = loop
    }

    /// The user of that connection has changed something.
    package func note(_ command: String, _ change: String, by user: User?, over connection: Connection) {
        let now = clock.now
        let entry = AuditEntry(
            id: ids.next(at: now), at: now, user: (user ?? .standard).name, address: connection.peer, command: command,
            change: change)
        logger.notice(
            "audit",
            metadata: [
                "user": "\(entry.user)", "address": "\(entry.address)", "command": "\(command)", "change": "\(change)",
            ])
        entries.append(entry)
        let most = storage == nil ? AuditEntry.most : Self.mostWaiting
        while entries.count > most { entries.removeFirst() }
        store()
    }

    /// What became of an order for many jobs; one that has changed nothing is not noted.
    package func note(
        _ order: JobOrder, _ done: CarriedOut, of filter: JobFilter, isDry: Bool, by user: User?,
        over connection: Connection
    ) {
        guard done.count > 0, !isDry else { return }
        note(order.verb, "\(order.done(to: done.count)) (\(filter))", by: user, over: connection)
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
        case .failure(let error):
            // Before it is open it takes nothing, and after its end this is gone, too.
            if !saysThatItFails, error.code != .closed {
                logger.error("the audit log cannot be stored; it waits in memory", metadata: ["reason": "\(error)"])
            }
            if error.code != .closed { saysThatItFails = true }
            loop.assumeIsolated().scheduleTask(in: .seconds(1)) { [weak self] in
                self?.isStoring = false
                self?.store()
            }
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
