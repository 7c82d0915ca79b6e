private import FoundationEssentials
internal import GRDB
internal import JobReactorCore
internal import Logging

#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif

/// An open file: its lock, its one connection, and the transactions on it.
final class SQLiteWriter: Sendable {
    let queue: DatabaseQueue
    private let file: String
    private let lock: SQLiteLock
    private let epoch: Int64
    private let options: SQLiteStorage.Options
    private let counters: Locked<Counters>
    /// The files that are open, which their paths must lead to.
    private let identities: [String: FileIdentity]
    private let isMissing = Locked(false)

    private struct Counters {
        var transactions = 0
        /// Finished jobs that are kept, or more; counted when they are too many.
        var finished: Int
        /// No two jobs are finished at one moment, so that there is a first.
        var lastFinish: Int64 = 0
    }

    init(file: String, owner: StorageOwner, _ options: SQLiteStorage.Options) throws(StorageError) {
        self.file = file
        self.options = options
        let folder = URL(filePath: file).deletingLastPathComponent().path
        guard FileManager.default.fileExists(atPath: folder) else {
            throw StorageError("cannot open \(file): there is no folder \(folder): create it first", code: .unusable)
        }
        lock = try SQLiteLock(file: file + ".lock", owner: owner)
        do {
            var configuration = Configuration()
            configuration.journalMode = .wal
            configuration.busyMode = .timeout(5)
            configuration.label = "jobreactor.sqlite"
            configuration.prepareDatabase { database in
                try database.execute(
                    sql: "PRAGMA synchronous = \(options.durability == .power ? "FULL" : "NORMAL")")
                if options.maximumPages > 0 {
                    try database.execute(sql: "PRAGMA max_page_count = \(options.maximumPages)")
                }
            }
            // The files beside it get the permissions that this one has.
            Self.makePrivate(file)
            queue = try DatabaseQueue(path: file, configuration: configuration)
            let (epoch, finished) = try SQLiteSchema.prepare(queue, file: file, owner: owner)
            self.epoch = epoch
            counters = Locked(Counters(finished: finished))
            // What is in the log is not in the file yet. It is there from the first transaction on.
            identities = [file, file + "-wal"].reduce(into: [:]) { $0[$1] = FileIdentity($1) }
        } catch {
            lock.release()
            throw Self.describe(error, file: file)
        }
    }

    /// Args may have secrets: the files are for their owner alone. Where that cannot be, opening them says why. A file that is
    /// there is not opened for it: closing it again would end the locks that this process has on it.
    private static func makePrivate(_ file: String) {
        if access(file, F_OK) != 0 { SQLiteLock.make(file) }
        for part in ["", "-wal", "-shm"] { _ = chmod(file + part, 0o600) }
    }

    var transactionCount: Int { counters.withLock { $0.transactions } }

    func close() {
        // Fails only when it is closed already.
        try? queue.close()
        lock.release()
    }

    // MARK: Transactions

    /// Carries out the calls in one transaction, or, where one of them fails, each in its own. Returns an error when the
    /// file is another's now.
    func carryOut(_ calls: [SQLiteCall], in database: Database) -> StorageError? {
        var rest = calls[...]
        while !rest.isEmpty {
            // So many at once that the disk's time is shared, and so few that the first are not kept waiting.
            let part = rest.prefix(4096)
            rest = rest.dropFirst(part.count)
            if let lost = write(Array(part), in: database) {
                for call in rest { call.fail(lost) }
                return lost
            }
        }
        return nil
    }

    private func write(_ calls: [SQLiteCall], in database: Database) -> StorageError? {
        do {
            let answers = try transaction(calls, in: database)
            for answer in answers { answer() }
            return nil
        } catch let error as StorageError where error.code == .lost {
            for call in calls { call.fail(error) }
            return error
        } catch  where calls.count == 1 {
            calls[0].fail(Self.describe(error, file: file))
            return nil
        } catch {
            // The transaction is undone. Not all need suffer for one.
            for (index, call) in calls.enumerated() {
                if let lost = write([call], in: database) {
                    for later in calls[(index + 1)...] { later.fail(lost) }
                    return lost
                }
            }
            return nil
        }
    }

    private func transaction(
        _ calls: [SQLiteCall], in database: Database
    ) throws -> [@Sendable () -> Void] {
        let isWrite = calls.contains(where: \.isWrite)
        var answers: [@Sendable () -> Void] = []
        answers.reserveCapacity(calls.count)
        try database.inTransaction(isWrite ? .immediate : .deferred) {
            let found = try Int64.fetchOne(database.cachedStatement(sql: "SELECT epoch FROM owner"))
            guard found == epoch else {
                throw StorageError("another process has taken over \(file)", code: .lost)
            }
            let lastFinish = counters.withLock { $0.lastFinish }
            let transaction = SQLiteTransaction(
                database, finishedAfter: lastFinish, mostAudited: options.mostAudited, clock: options.clock)
            for call in calls { answers.append(try call.perform(transaction)) }
            if transaction.finished > 0 { try cap(transaction, in: database) }
            if isWrite { try checkFiles() }
            return .commit
        }
        if isWrite { counters.withLock { $0.transactions += 1 } }
        return answers
    }

    /// What is written to a file that nobody finds any more is lost with the process. Throws when it is so, and says it once;
    /// as soon as the files are there again it goes on.
    private func checkFiles() throws(StorageError) {
        let missing = identities.keys.sorted().first { FileIdentity($0) != identities[$0] }
        let wasMissing = isMissing.withLock { isMissing in
            defer { isMissing = missing != nil }
            return isMissing
        }
        guard let missing else {
            if wasMissing { options.logger.notice("the file is back", metadata: ["file": "\(file)"]) }
            return
        }
        let what = FileIdentity(missing) == nil ? "is gone" : "is now another file"
        let error = StorageError(
            "\(missing) \(what), because it was deleted, moved or replaced: put it back, or stop this process, whose"
                + " jobs in it are otherwise lost; nothing was stored")
        if !wasMissing { options.logger.critical("\(error)") }
        throw error
    }

    /// Removes the oldest finished jobs where there are too many, and those that are too old.
    private func cap(_ transaction: SQLiteTransaction, in database: Database) throws {
        let count = counters.withLock { counters in
            counters.finished += transaction.finished
            counters.lastFinish = transaction.lastFinish
            return counters.finished
        }
        let oldest = options.clock.now.microseconds - Int64(options.maximumFinishedAge * 1_000_000)
        try database.cachedStatement(sql: "DELETE FROM job WHERE finished_at < ?").execute(arguments: [oldest])
        guard count > options.maximumFinished else { return }
        let kept =
            try Int.fetchOne(
                database.cachedStatement(sql: "SELECT COUNT(*) FROM job WHERE finished_at IS NOT NULL")) ?? 0
        if kept > options.maximumFinished {
            try database.cachedStatement(
                sql: """
                    DELETE FROM job WHERE id IN
                      (SELECT id FROM job WHERE finished_at IS NOT NULL ORDER BY finished_at LIMIT ?)
                    """
            ).execute(arguments: [kept - options.maximumFinished])
        }
        counters.withLock { $0.finished = min(kept, options.maximumFinished) }
    }

    // MARK: Errors

    static func describe(_ error: any Error, file: String) -> StorageError {
        if let error = error as? StorageError { return error }
        guard let error = error as? DatabaseError else { return StorageError("\(file): \(error)") }
        let detail = error.message.map { " (\($0))" } ?? ""
        switch error.resultCode {
        case .SQLITE_FULL:
            return StorageError("the disk of \(file) is full: free some space; nothing was stored", code: .full)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            return StorageError(
                "\(file) is damaged, or not an SQLite file\(detail): move it away, and save its content with"
                    + " sqlite3's .recover", code: .unusable)
        case .SQLITE_READONLY, .SQLITE_PERM:
            return StorageError("\(file) is not writable: check its owner, its mode and its folder", code: .unusable)
        case .SQLITE_CANTOPEN:
            return StorageError(
                "cannot open \(file)\(detail): check that it is a file in a writable folder", code: .unusable
            )
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            return StorageError(
                "\(file) is locked by another program: end the program that has it open, such as a sqlite3 shell")
        case .SQLITE_IOERR:
            return StorageError("the disk of \(file) fails\(detail): nothing was stored")
        default: return StorageError("\(file): SQLite says \(error.resultCode.rawValue)\(detail)")
        }
    }
}
