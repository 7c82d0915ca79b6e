import Foundation
import GRDB
import JobReactorCore
import JobReactorTesting
import Testing

@testable import JobReactorSQLite

/// The rows that are bound and read by hand, beside the table of fields.
@Suite("Columns of jobs") struct JobColumnTests {
    private static let owner = StorageOwner(name: "worker_1")

    private static func save(_ jobs: [Job], in file: String) async throws {
        let storage = SQLiteStorage(file: file, durability: .process)
        try await storage.open(owner)
        #expect(try await storage.save(jobs).count == jobs.count)
        await storage.close()
    }

    /// As the file has it.
    private static func value(_ value: FieldValue?, _ type: FieldType) -> DatabaseValue {
        switch value {
        case .text(let text)?: type.sql == "BLOB" ? Data(text.utf8).databaseValue : text.databaseValue
        case .whole(let number)?: number.databaseValue
        case .number(let number)?: number.databaseValue
        case .flag(let flag)?: flag.databaseValue
        case .time(let time)?: time.microseconds.databaseValue
        case .object(let bytes)?:
            type.sql == "BLOB"
                ? Data(bytes).databaseValue : String(decoding: bytes, as: UTF8.self).databaseValue
        case nil: .null
        }
    }

    @Test("they are those of the table, in the code and in a file") func names() async throws {
        let columns = JobFieldTable.stored.compactMap { field in field.column.map { (field, $0) } }
        #expect(Set(JobColumn.allCases.map(\.name)) == Set(columns.map(\.1.name)))
        #expect(JobColumn.allCases.count == columns.count)
        let folder = try Folder()
        try await Self.save([], in: folder.file())
        let database = try DatabaseQueue(path: folder.file())
        let rows = try database.read { try Row.fetchAll($0, sql: "PRAGMA table_info(job)") }
        var found: [String: String] = [:]
        for row in rows {
            let name: String = row["name"]
            let type: String = row["type"]
            let isNeeded: Bool = row["notnull"]
            found[name] = type + (isNeeded ? " NOT NULL" : "")
        }
        #expect(found.removeValue(forKey: "finished_at") == "INTEGER")
        for (field, column) in columns {
            let type = field.type.sql + (field.isAlwaysThere ? " NOT NULL" : "")
            #expect(found.removeValue(forKey: column.name) == type, "\(column.name)")
        }
        #expect(found.isEmpty, "columns that are no field: \(found.keys)")
        try database.close()
    }

    @Test("each has the value of its field") func values() async throws {
        var jobs: [Job] = []
        for field in JobFieldTable.stored {
            for value in field.type.samples {
                if let job = FieldSample.job(jobs.count, field, value) { jobs.append(job) }
            }
        }
        jobs.append(FieldSample.recorded)
        let folder = try Folder()
        try await Self.save(jobs, in: folder.file())
        let database = try DatabaseQueue(path: folder.file())
        let rows = try database.read { try Row.fetchAll($0, sql: "SELECT * FROM job ORDER BY id") }
        #expect(rows.count == jobs.count)
        for (row, job) in zip(rows, jobs.sorted { $0.id < $1.id }) {
            for field in JobFieldTable.stored where field.type != .id {
                let name = try #require(field.column?.name)
                let found: DatabaseValue = row[name]
                #expect(found == Self.value(field.value(job), field.type), "\(name)")
            }
        }
        try database.close()
    }

    @Test("a row that earlier releases have written is read as it was") func format() async throws {
        let folder = try Folder()
        try await Self.save([], in: folder.file())
        let database = try DatabaseQueue(path: folder.file())
        try await database.write { database in
            try database.execute(
                sql: """
                    INSERT INTO job (id, name, args, status, attempt, runs, due_at, distributor, defer, run_at,
                      failed_at, make_after, period, node, not_node, max_attempt, retry_multiplier, last_error,
                      traceback, trace, priority, unique_key, unique_for, on_conflict, accepted_at, schedule, tick,
                      again)
                    VALUES (x'019b0000000000010000000000000002', 'resize', CAST('{"path":"cat.png"}' AS BLOB),
                      'in progress', 2, 5, 1767225601000000, 'app', 1, 1767225602000001,
                      1767225603000002, 0.5, 60.0, 'a', 'b', 3, 0.25, CAST('no disk' AS BLOB), CAST('stack' AS BLOB),
                      '{"traceparent":"00-1-2-01"}', 9, 'k', 2.5, 'again', 1767225600123456, 's', 1767225540000000,
                      CAST('{"n":1}' AS BLOB))
                    """)
        }
        try database.close()
        let storage = SQLiteStorage(file: folder.file(), durability: .process)
        try await storage.open(Self.owner)
        #expect(try await storage.load(FieldSample.recorded.id) == FieldSample.recorded)
        await storage.close()
    }
}
