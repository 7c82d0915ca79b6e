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

    private static let columns = JobColumn.allCases.map(\.name).joined(separator: ", ")

    private static let insertPlain = insert(JobColumn.plain)
    private static let insertAny = insert(JobColumn.plain + JobColumn.rare)

    /// A finished job makes room for another of its id. What the new one does not say is NULL in `excluded`.
    private static func insert(_ columns: [JobColumn]) -> String {
        let sets = (JobColumn.plain + JobColumn.rare).map { "\($0.name) = excluded.\($0.name)" }.joined(separator: ", ")
        let finished = JobStatus.allCases.filter(\.isFinished).map { "'\($0.rawValue)'" }.joined(separator: ", ")
        return """
            INSERT INTO job (\(columns.map(\.name).joined(separator: ", ")), id)
            VALUES (\(String(repeating: "?, ", count: columns.count))?)
            ON CONFLICT (id) DO UPDATE SET \(sets), finished_at = NULL WHERE job.status IN (\(finished))
            """
    }

    private struct Update {
        let unfinished: String
        let finished: String

        init(isPlain: Bool) {
            let sets =
                JobColumn.plain.map { "\($0.name) = ?" }
                + JobColumn.rare.map { isPlain ? "\($0.name) = NULL" : "\($0.name) = ?" }
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

    /// In the order of ``JobColumn``.
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
        let statement = try database.cachedStatement(sql: "SELECT \(Self.columns) FROM job WHERE id = ?")
        return try Row.fetchOne(statement, arguments: [bytes(id)]).map(Self.job)
    }

    func jobs(after id: JobID?, limit: Int) throws -> [Job] {
        let statement = try database.cachedStatement(
            sql: "SELECT \(Self.columns) FROM job WHERE id > ? ORDER BY id LIMIT ?")
        // No id is as small as no byte at all.
        return try page(statement, beyond: id.map(bytes) ?? Data(), limit)
    }

    func jobs(before id: JobID?, limit: Int) throws -> [Job] {
        let statement = try database.cachedStatement(
            sql: "SELECT \(Self.columns) FROM job WHERE id < ? ORDER BY id DESC LIMIT ?")
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
        func at(_ column: JobColumn) -> Int { column.rawValue }
        guard let id = id(row[at(.id)]), let status = JobStatus(rawValue: row[at(.status)]) else {
            throw damaged("job")
        }
        var options = JobOptions(
            period: row[at(.period)], node: row[at(.node)], notNode: row[at(.notNode)], isDeferred: row[at(.defer)],
            maxAttempt: row[at(.maxAttempt)], retryMultiplier: row[at(.retryMultiplier)],
            priority: row[at(.priority)])
        if let schedule = row[at(.schedule)] as String?, let time = row[at(.tick)] as Int64? {
            options.tick = JobTick(schedule: schedule, at: Timestamp(microseconds: time))
        }
        let dueAt = Timestamp(microseconds: row[at(.dueAt)])
        let args: Data = row[at(.args)]
        var job = Job(
            id: id, name: row[at(.name)], args: JobArguments(unchecked: Array(args)), options: options,
            distributor: row[at(.distributor)], createdAt: dueAt)
        job.dueAt = dueAt
        // Not among the options: a new job's key is held from now on.
        if let unique = unique(row) { job.unique = unique }
        job.status = status
        job.attempt = row[at(.attempt)]
        job.runs = row[at(.runs)]
        job.runAt = (row[at(.runAt)] as Int64?).map { Timestamp(microseconds: $0) }
        job.failedAt = (row[at(.failedAt)] as Int64?).map { Timestamp(microseconds: $0) }
        job.makeAfter = row[at(.makeAfter)]
        job.lastError = (row[at(.lastError)] as Data?).map { String(decoding: $0, as: UTF8.self) }
        job.lastTraceback = (row[at(.traceback)] as Data?).map { String(decoding: $0, as: UTF8.self) }
        job.trace = (row[at(.trace)] as String?).flatMap { JobTrace(json: $0.utf8) }
        job.again = (row[at(.again)] as Data?).map { JobArguments(unchecked: Array($0)) }
        return job
    }

    private static func unique(_ row: Row) -> JobUnique? {
        guard let key = row[JobColumn.uniqueKey.rawValue] as String? else { return nil }
        let conflict = row[JobColumn.onConflict.rawValue] as String?
        var unique = JobUnique(
            key, for: row[JobColumn.uniqueFor.rawValue] ?? 0,
            onConflict: conflict.flatMap(UniqueConflict.init(rawValue:)) ?? .keep)
        unique.acceptedAt = (row[JobColumn.acceptedAt.rawValue] as Int64?).map { Timestamp(microseconds: $0) }
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
