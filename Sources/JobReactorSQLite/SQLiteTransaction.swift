internal import FoundationEssentials
internal import GRDB
internal import JobReactorCore

/// What calls do within one transaction.
final class SQLiteTransaction {
    let database: Database
    /// Jobs that were finished.
    private(set) var finished = 0
    private(set) var lastFinish: Int64
    private let mostAudited: Int
    private let clock: WallClock

    init(
        _ database: Database, finishedAfter last: Int64, mostAudited: Int = AuditEntry.most, clock: WallClock = .system
    ) {
        self.database = database
        self.mostAudited = mostAudited
        self.clock = clock
        lastFinish = last
    }

    /// Those of plain jobs come first: the others are NULL for these, and take no binding, which costs more than writing.
    private static let plainColumns = [
        "name", "args", "status", "attempt", "runs", "due_at", "distributor", "defer", "run_at",
    ]
    private static let rareColumns = [
        "failed_at", "make_after", "period", "node", "not_node", "max_attempt", "retry_multiplier", "last_error",
        "traceback", "trace", "priority", "unique_key", "unique_for", "on_conflict", "accepted_at", "schedule", "tick",
        "again",
    ]
    private static let columns = (plainColumns + rareColumns).joined(separator: ", ")

    private static let insertPlain = insert(plainColumns)
    private static let insertAny = insert(plainColumns + rareColumns)

    /// A finished job makes room for another of its id. What the new one does not say is NULL in `excluded`.
    private static func insert(_ columns: [String]) -> String {
        let sets = (plainColumns + rareColumns).map { "\($0) = excluded.\($0)" }.joined(separator: ", ")
        let finished = JobStatus.allCases.filter(\.isFinished).map { "'\($0.rawValue)'" }.joined(separator: ", ")
        return """
            INSERT INTO job (\(columns.joined(separator: ", ")), id)
            VALUES (\(String(repeating: "?, ", count: columns.count))?)
            ON CONFLICT (id) DO UPDATE SET \(sets), finished_at = NULL WHERE job.status IN (\(finished))
            """
    }

    private struct Update {
        let unfinished: String
        let finished: String

        init(isPlain: Bool) {
            let sets =
                plainColumns.map { "\($0) = ?" } + rareColumns.map { isPlain ? "\($0) = NULL" : "\($0) = ?" }
            let start = "UPDATE job SET \(sets.joined(separator: ", ")), finished_at = "
            unfinished = start + "NULL WHERE id = ?"
            finished = start + "COALESCE(finished_at, ?) WHERE id = ?"
        }
    }

    private static let updatePlain = Update(isPlain: true)
    private static let updateAny = Update(isPlain: false)

    // MARK: Writing

    func save(_ jobs: [Job]) throws -> Set<JobID> {
        var new = Set<JobID>(minimumCapacity: jobs.count)
        guard !jobs.isEmpty else { return new }
        let plain = try database.cachedStatement(sql: Self.insertPlain)
        let any = try database.cachedStatement(sql: Self.insertAny)
        for job in jobs {
            try (job.isPlain ? plain : any).execute(arguments: values(of: job) + [bytes(job.id)])
            if database.changesCount > 0 { new.insert(job.id) }
        }
        return new
    }

    func apply(_ changes: [JobChange]) throws {
        for change in changes {
            switch change {
            case .update(let job, let report):
                if try update(job), let report { try keep(report) }
            case .remove(let id, let report):
                try database.cachedStatement(sql: "DELETE FROM job WHERE id = ?").execute(arguments: [bytes(id)])
                if database.changesCount > 0, let report { try keep(report) }
            case .taken(let key):
                try database.cachedStatement(sql: "DELETE FROM report WHERE id = ? AND run = ?")
                    .execute(arguments: [bytes(key.id), key.run])
            }
        }
    }

    private func update(_ job: Job) throws -> Bool {
        let update = job.isPlain ? Self.updatePlain : Self.updateAny
        let statement = try database.cachedStatement(sql: job.status.isFinished ? update.finished : update.unfinished)
        var arguments = values(of: job)
        if job.status.isFinished {
            lastFinish = max(lastFinish + 1, clock.now.microseconds)
            finished += 1
            arguments += [lastFinish]
        }
        try statement.execute(arguments: arguments + [bytes(job.id)])
        return database.changesCount > 0
    }

    private func keep(_ stored: StoredReport) throws {
        let report = stored.report
        try database.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO report (id, run, name, kind, status, args, distributor, made_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            bytes(report.id), report.run, report.name, report.feedback.kind.rawValue, report.status.rawValue,
            Data(report.feedback.args.bytes), stored.distributor, stored.madeAt.microseconds,
        ])
    }

    /// Older entries go, not with each new one: counting takes its time.
    func note(_ entries: [AuditEntry]) throws {
        let statement = try database.cachedStatement(
            sql: "INSERT OR REPLACE INTO audit (id, at, user, address, command, change) VALUES (?, ?, ?, ?, ?, ?)")
        for entry in entries {
            try statement.execute(arguments: [
                bytes(entry.id), entry.at.microseconds, Data(entry.user.utf8), Data(entry.address.utf8),
                Data(entry.command.utf8), Data(entry.change.utf8),
            ])
            // The last bits of an id are as good as a die.
            guard entry.id.low % 512 == 0 else { continue }
            let oldest = entry.at.advanced(bySeconds: -AuditEntry.seconds).microseconds
            try database.cachedStatement(sql: "DELETE FROM audit WHERE at < ?").execute(arguments: [oldest])
            try database.cachedStatement(
                sql: "DELETE FROM audit WHERE id <= (SELECT id FROM audit ORDER BY id DESC LIMIT 1 OFFSET ?)"
            ).execute(arguments: [mostAudited])
        }
    }

    private func values(of job: Job) -> StatementArguments {
        let plain: StatementArguments = [
            job.name, Data(job.args.bytes), job.status.rawValue, job.attempt, job.runs, job.dueAt.microseconds,
            job.distributor, job.isDeferred, job.runAt?.microseconds,
        ]
        if job.isPlain { return plain }
        return plain + [
            job.failedAt?.microseconds, job.makeAfter, job.period, job.node, job.notNode, job.maxAttempt,
            job.retryMultiplier,
            job.lastError.map { Data($0.utf8) }, job.lastTraceback.map { Data($0.utf8) }, job.trace?.json, job.priority,
            job.unique?.key, job.unique?.seconds, job.unique?.onConflict.rawValue,
            job.unique?.acceptedAt?.microseconds, job.tick?.schedule, job.tick?.at.microseconds,
            job.again.map { Data($0.bytes) },
        ]
    }

    private func bytes(_ id: JobID) -> Data {
        withUnsafeBytes(of: (id.high.bigEndian, id.low.bigEndian)) { Data($0) }
    }

    // MARK: Reading

    func load(_ id: JobID) throws -> Job? {
        let statement = try database.cachedStatement(sql: "SELECT id, \(Self.columns) FROM job WHERE id = ?")
        return try Row.fetchOne(statement, arguments: [bytes(id)]).map(Self.job)
    }

    func jobs(after id: JobID?, limit: Int) throws -> [Job] {
        let statement = try database.cachedStatement(
            sql: "SELECT id, \(Self.columns) FROM job WHERE id > ? ORDER BY id LIMIT ?")
        // No id is as small as no byte at all.
        return try page(statement, beyond: id.map(bytes) ?? Data(), limit)
    }

    func jobs(before id: JobID?, limit: Int) throws -> [Job] {
        let statement = try database.cachedStatement(
            sql: "SELECT id, \(Self.columns) FROM job WHERE id < ? ORDER BY id DESC LIMIT ?")
        // No id is as great as one that goes on behind its last byte.
        return try page(statement, beyond: id.map(bytes) ?? Data(repeating: 0xFF, count: 17), limit)
    }

    private func page(_ statement: Statement, beyond id: Data, _ limit: Int) throws -> [Job] {
        let rows = try Row.fetchCursor(statement, arguments: [id, max(0, limit)])
        var page = RecordPage<Job>(limit: limit)
        while let row = try rows.next(), page.add(try Self.job(row)) {}
        return page.records
    }

    func reports(after key: JobReport.Key?, limit: Int) throws -> [StoredReport] {
        let statement = try database.cachedStatement(
            sql: """
                SELECT id, run, name, kind, status, args, distributor, made_at FROM report
                WHERE (id, run) > (?, ?) ORDER BY id, run LIMIT ?
                """)
        let start = key.map { bytes($0.id) } ?? Data()
        let rows = try Row.fetchCursor(statement, arguments: [start, key?.run ?? 0, max(0, limit)])
        var page = RecordPage<StoredReport>(limit: limit)
        while let row = try rows.next(), page.add(try Self.report(row)) {}
        return page.records
    }

    func audit(limit: Int) throws -> [AuditEntry] {
        let statement = try database.cachedStatement(
            sql: "SELECT id, at, user, address, command, change FROM audit ORDER BY id DESC LIMIT ?")
        return try Row.fetchAll(statement, arguments: [max(0, limit)]).map { row in
            guard let id = Self.id(row[0]) else { throw Self.damaged("audit") }
            func text(_ column: Int) -> String { String(decoding: row[column] as Data, as: UTF8.self) }
            return AuditEntry(
                id: id, at: Timestamp(microseconds: row[1]), user: text(2), address: text(3), command: text(4),
                change: text(5))
        }
    }

    private static func job(_ row: Row) throws -> Job {
        guard let id = id(row[0]), let status = JobStatus(rawValue: row[3]) else { throw damaged("job") }
        var options = JobOptions(
            period: row[12], node: row[13], notNode: row[14], isDeferred: row[8], maxAttempt: row[15],
            retryMultiplier: row[16], priority: row[20], unique: unique(row))
        if let schedule = row[25] as String?, let time = row[26] as Int64? {
            options.tick = JobTick(schedule: schedule, at: Timestamp(microseconds: time))
        }
        let dueAt = Timestamp(microseconds: row[6])
        let args: Data = row[2]
        var job = Job(
            id: id, name: row[1], args: JobArguments(unchecked: Array(args)), options: options, distributor: row[7],
            createdAt: dueAt)
        job.dueAt = dueAt
        job.status = status
        job.attempt = row[4]
        job.runs = row[5]
        job.runAt = (row[9] as Int64?).map { Timestamp(microseconds: $0) }
        job.failedAt = (row[10] as Int64?).map { Timestamp(microseconds: $0) }
        job.makeAfter = row[11]
        job.lastError = (row[17] as Data?).map { String(decoding: $0, as: UTF8.self) }
        job.lastTraceback = (row[18] as Data?).map { String(decoding: $0, as: UTF8.self) }
        job.trace = (row[19] as String?).flatMap { JobTrace(json: $0.utf8) }
        job.again = (row[27] as Data?).map { JobArguments(unchecked: Array($0)) }
        return job
    }

    private static func unique(_ row: Row) -> JobUnique? {
        guard let key = row[21] as String? else { return nil }
        var unique = JobUnique(
            key, for: row[22] ?? 0, onConflict: (row[23] as String?).flatMap(UniqueConflict.init(rawValue:)) ?? .keep)
        unique.acceptedAt = (row[24] as Int64?).map { Timestamp(microseconds: $0) }
        return unique
    }

    private static func report(_ row: Row) throws -> StoredReport {
        guard let id = id(row[0]), let kind = Feedback.Kind(rawValue: row[3]), let status = JobStatus(rawValue: row[4])
        else { throw damaged("report") }
        let args: Data = row[5]
        let report = JobReport(
            id: id, name: row[2], feedback: Feedback(kind, args: JobArguments(unchecked: Array(args))), status: status,
            run: row[1])
        return StoredReport(report, distributor: row[6], madeAt: Timestamp(microseconds: row[7]))
    }

    private static func id(_ bytes: Data) -> JobID? {
        guard bytes.count == 16 else { return nil }
        return bytes.withUnsafeBytes { bytes in
            JobID(
                high: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
                low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
    }

    private static func damaged(_ table: String) -> StorageError {
        StorageError("a record in the table \(table) is not of this release: inspect it with sqlite3", code: .unusable)
    }
}
