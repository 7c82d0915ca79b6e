internal import Foundation
private import GRDBSQLite
internal import JobReactorCore

/// The least that a file of SQLite has to do for jobs: batches in transactions that wait for the disk, by its C interface.
///
/// Not `Sendable`: it belongs to the task that made it.
final class PlainSQLite {
    private var database: OpaquePointer?
    private var statements: [OpaquePointer] = []
    private var next: Int64 = 0
    private let args: [UInt8]

    /// The statements, by their numbers.
    private enum Step: Int, CaseIterable {
        case insertJob, deleteJob, insertReport, deleteReport, begin, commit

        var sql: String {
            switch self {
            case .insertJob: "INSERT INTO job VALUES (?, 'bench', ?, 0)"
            case .deleteJob: "DELETE FROM job WHERE id = ?"
            case .insertReport: "INSERT INTO report VALUES (?, 'bench', ?, 0)"
            case .deleteReport: "DELETE FROM report WHERE id = ?"
            case .begin: "BEGIN IMMEDIATE"
            case .commit: "COMMIT"
            }
        }

        /// How many values it takes: the id, and the args.
        var values: Int {
            switch self {
            case .insertJob, .insertReport: 2
            case .deleteJob, .deleteReport: 1
            case .begin, .commit: 0
            }
        }
    }

    init(in folder: URL, _ args: JobArguments) throws {
        self.args = args.bytes
        try check(sqlite3_open(folder.appending(path: "plain.db").path, &database))
        let columns = "(id BLOB PRIMARY KEY, name TEXT, args BLOB, due INTEGER) WITHOUT ROWID"
        for sql in [
            "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "CREATE TABLE job \(columns)",
            "CREATE TABLE report \(columns)",
        ] {
            try check(sqlite3_exec(database, sql, nil, nil, nil))
        }
        for step in Step.allCases {
            var statement: OpaquePointer?
            try check(sqlite3_prepare_v2(database, step.sql, -1, &statement, nil))
            if let statement { statements.append(statement) }
        }
    }

    deinit {
        for statement in statements { sqlite3_finalize(statement) }
        sqlite3_close(database)
    }

    private func check(_ code: Int32) throws {
        guard code != SQLITE_OK, code != SQLITE_DONE, code != SQLITE_ROW else { return }
        throw CommandFailure.failure("SQLite says \(String(cString: sqlite3_errmsg(database)))")
    }

    /// Jobs for each second that are written in transactions of `batch` and, unless they are kept, replaced by their reports
    /// in a second transaction, which go in a third.
    func rate(jobs: Int, batch: Int, isKept: Bool) throws -> Double {
        let start = ContinuousClock.now
        var rest = jobs
        while rest > 0 {
            let first = next
            next += Int64(min(rest, batch))
            try write(first..<next, [.insertJob])
            if !isKept {
                try write(first..<next, [.deleteJob, .insertReport])
                try write(first..<next, [.deleteReport])
            }
            rest -= min(rest, batch)
        }
        return Double(jobs) / ((ContinuousClock.now - start) / .seconds(1))
    }

    private func write(_ ids: Range<Int64>, _ steps: [Step]) throws {
        try run(.begin, 0)
        for id in ids { for step in steps { try run(step, id) } }
        try run(.commit, 0)
    }

    private func run(_ step: Step, _ id: Int64) throws {
        let statement = statements[step.rawValue]
        // Sixteen bytes, as those of jobs; nothing moves until the statement is reset.
        try withUnsafeBytes(of: (id.bigEndian, id)) { id in
            try args.withUnsafeBytes { args in
                if step.values > 0 { sqlite3_bind_blob(statement, 1, id.baseAddress, Int32(id.count), nil) }
                if step.values > 1 { sqlite3_bind_blob(statement, 2, args.baseAddress, Int32(args.count), nil) }
                try check(sqlite3_step(statement))
                try check(sqlite3_reset(statement))
            }
        }
    }
}
