private import Dispatch
internal import GRDB
public import JobReactorCore
public import Logging

/// A durable storage in an SQLite file, for one machine, without a server.
///
/// Each node has its own file, in write-ahead mode. Changes that arrive while a transaction is being written go into
/// the next one, so that thousands of jobs share one write to the disk.
///
/// After `done`, a change survives the end of the process at any moment. With ``Durability/power`` it also survives a
/// power cut or a crash of the operating system; with ``Durability/process`` the last moments may then be missing, but
/// the file stays consistent. The file must be on a local disk, because locks and memory maps over a network are not
/// reliable.
///
/// The files `-wal` and `-shm` beside the file belong to it and must be copied with it. The owner holds the file
/// `.lock` as long as it lives. If the file is deleted, moved or replaced while the process runs, the storage refuses
/// jobs until the same file is back, because writes would be lost with the process.
public final class SQLiteStorage: AuditStorage, ControlStorage {
    /// The durability of an acknowledged call.
    public enum Durability: String, Sendable, CaseIterable {
        /// Survives a power cut: each transaction waits for the disk.
        case power
        /// Survives the end of the process, but not certainly a crash of the machine.
        case process
    }

    public let file: String
    private let options: Options
    private let state = Locked(State())

    struct Options: Sendable {
        var durability: Durability
        var maximumFinished: Int
        var maximumFinishedAge: Double
        /// Pages that the file may have, as where the disk has no room for more; 0 for as many as SQLite can.
        var maximumPages = 0
        /// Entries of the audit log that are kept.
        var mostAudited = AuditEntry.most
        /// By which finished jobs age.
        var clock = WallClock.system
        var logger = Logger(label: "jobreactor.sqlite")
    }

    private struct State {
        enum Phase {
            case closed
            /// Those who have closed it meanwhile wait until it is: then it is closed at once.
            case opening(closers: [@Sendable () -> Void])
            case open(SQLiteWriter, StorageOwner)
            case closing(closers: [@Sendable () -> Void])
            case lost(StorageError)
        }

        var phase = Phase.closed
        var waiting = Mailbox<[SQLiteCall]>()
    }

    /// A storage in `file`, which opening creates in an existing folder. At most `maximumFinished` finished jobs that
    /// their policy does not remove are kept, for `maximumFinishedAge` seconds.
    public convenience init(
        file: String, durability: Durability = .power, maximumFinished: Int = 10_000,
        maximumFinishedAge: Double = 30 * 86_400, logger: Logger = Logger(label: "jobreactor.sqlite")
    ) {
        self.init(
            file: file,
            Options(
                durability: durability, maximumFinished: max(0, maximumFinished),
                maximumFinishedAge: max(0, min(maximumFinishedAge, 1e10)), logger: logger))
    }

    /// As above, with a duration for which finished jobs are kept.
    public convenience init(
        file: String, durability: Durability = .power, maximumFinished: Int = 10_000, maximumFinishedAge: Duration,
        logger: Logger = Logger(label: "jobreactor.sqlite")
    ) {
        self.init(
            file: file, durability: durability, maximumFinished: maximumFinished,
            maximumFinishedAge: maximumFinishedAge.inSeconds, logger: logger)
    }

    init(file: String, _ options: Options) {
        self.file = file
        self.options = options
    }

    public var isDurable: Bool { true }

    /// Transactions written since the opening.
    package var transactionCount: Int {
        state.withLock { if case .open(let writer, _) = $0.phase { writer.transactionCount } else { 0 } }
    }

    // MARK: Life

    public func open(_ owner: StorageOwner, done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        let refusal: StorageError? = state.withLock { state in
            switch state.phase {
            case .closed:
                state.phase = .opening(closers: [])
                return nil
            case .opening: return .held(by: owner.name, address: nil, detail: "being opened in this process")
            case .closing: return .held(by: owner.name, address: nil, detail: "being closed in this process")
            case .open(_, let holder):
                return .held(by: holder.name, address: holder.address, detail: "in this process")
            case .lost(let error): return error
            }
        }
        if let refusal { return done(.failure(refusal)) }
        DispatchQueue.global().async { [self] in
            do throws(StorageError) {
                let writer = try SQLiteWriter(file: file, owner: owner, options)
                let isWanted = state.withLock { state in
                    if case .opening(let closers) = state.phase, !closers.isEmpty { return false }
                    state.phase = .open(writer, owner)
                    return true
                }
                if isWanted { return done(.success(())) }
                writer.close()
                closed()
                done(.failure(.notOpen))
            } catch {
                closed()
                done(.failure(error))
            }
        }
    }

    public func close(done: @escaping @Sendable () -> Void) {
        let (writer, isClosed): (SQLiteWriter?, Bool) = state.withLock { state in
            switch state.phase {
            case .open(let writer, _):
                state.phase = .closing(closers: [done])
                return (writer, false)
            case .opening(let closers):
                state.phase = .opening(closers: closers + [done])
                return (nil, false)
            case .closing(let closers):
                state.phase = .closing(closers: closers + [done])
                return (nil, false)
            case .lost, .closed:
                state.phase = .closed
                return (nil, true)
            }
        }
        if isClosed { return done() }
        guard let writer else { return }
        // What waits goes first: the queue is in order.
        schedule(writer)
        writer.queue.asyncWriteWithoutTransaction { [self] _ in
            DispatchQueue.global().async { [self] in
                writer.close()
                closed()
            }
        }
    }

    /// The file is anybody's.
    private func closed() {
        let closers: [@Sendable () -> Void] = state.withLock { state in
            defer { state.phase = .closed }
            switch state.phase {
            case .opening(let closers), .closing(let closers): return closers
            case .closed, .open, .lost: return []
            }
        }
        for closer in closers { closer() }
    }

    // MARK: Calls

    public func save(_ jobs: [Job], done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void) {
        submit(SQLiteCall(isWrite: true, done) { try $0.save(jobs) })
    }

    public func apply(_ changes: [JobChange], done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        submit(SQLiteCall(isWrite: true, done) { try $0.apply(changes) })
    }

    public func load(_ id: JobID, done: @escaping @Sendable (Result<Job?, StorageError>) -> Void) {
        submit(SQLiteCall(isWrite: false, done) { try $0.load(id) })
    }

    public func jobs(after id: JobID?, limit: Int, done: @escaping @Sendable (Result<[Job], StorageError>) -> Void) {
        submit(SQLiteCall(isWrite: false, done) { try $0.jobs(after: id, limit: limit) })
    }

    public func jobs(before id: JobID?, limit: Int, done: @escaping @Sendable (Result<[Job], StorageError>) -> Void) {
        submit(SQLiteCall(isWrite: false, done) { try $0.jobs(before: id, limit: limit) })
    }

    public func reports(
        after key: JobReport.Key?, limit: Int, done: @escaping @Sendable (Result<[StoredReport], StorageError>) -> Void
    ) {
        submit(SQLiteCall(isWrite: false, done) { try $0.reports(after: key, limit: limit) })
    }

    public func note(_ entries: [AuditEntry], done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        submit(SQLiteCall(isWrite: true, done) { try $0.note(entries) })
    }

    public func audit(limit: Int, done: @escaping @Sendable (Result<[AuditEntry], StorageError>) -> Void) {
        submit(SQLiteCall(isWrite: false, done) { try $0.audit(limit: limit) })
    }

    public func change(
        _ changes: [ControlChange], saving jobs: [Job],
        done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void
    ) {
        submit(
            SQLiteCall(isWrite: true, done) { transaction in
                try transaction.change(changes)
                return try transaction.save(jobs)
            })
    }

    public func controls(done: @escaping @Sendable (Result<[StoredControl], StorageError>) -> Void) {
        submit(SQLiteCall(isWrite: false, done) { try $0.controls() })
    }

    private func submit(_ call: SQLiteCall) {
        let (error, writer): (StorageError?, SQLiteWriter?) = state.withLock { state in
            switch state.phase {
            case .open(let writer, _):
                return (nil, state.waiting.put { $0.append(call) } ? writer : nil)
            case .lost(let error): return (error, nil)
            case .closed, .opening, .closing: return (.notOpen, nil)
            }
        }
        if let error { return call.fail(error) }
        if let writer { schedule(writer) }
    }

    private func schedule(_ writer: SQLiteWriter) {
        writer.queue.asyncWriteWithoutTransaction { [self] database in
            let calls = state.withLock { $0.waiting.take() }
            if let error = writer.carryOut(calls, in: database) { lose(error) }
        }
    }

    private func lose(_ error: StorageError) {
        let owner: StorageOwner? = state.withLock { state in
            guard case .open(let writer, let owner) = state.phase else { return nil }
            state.phase = .lost(error)
            DispatchQueue.global().async { writer.close() }
            return owner
        }
        owner?.lost(error)
    }
}

/// One call of the storage: what it does within a transaction, and whom it answers when that is written.
struct SQLiteCall: Sendable {
    let isWrite: Bool
    /// Does the work and returns what is to be said when it is written.
    let perform: @Sendable (SQLiteTransaction) throws -> @Sendable () -> Void
    let fail: @Sendable (StorageError) -> Void

    init<Value: Sendable>(
        isWrite: Bool, _ done: @escaping @Sendable (Result<Value, StorageError>) -> Void,
        _ body: @escaping @Sendable (SQLiteTransaction) throws -> Value
    ) {
        self.isWrite = isWrite
        perform = { transaction in
            let value = try body(transaction)
            return { done(.success(value)) }
        }
        fail = { done(.failure($0)) }
    }
}
