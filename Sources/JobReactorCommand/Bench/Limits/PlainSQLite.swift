internal import Foundation
private import GRDB
internal import JobReactorCore

/// The least that a file of SQLite has to do for jobs: batches in transactions that wait for the disk, with nothing around.
///
/// Not `Sendable`: it belongs to the task that made it.
final class PlainSQLite {
    private let queue: DatabaseQueue
    private var next: Int64 = 0
    private let args: Data

    init(in folder: URL, _ args: JobArguments) throws {
        var configuration = Configuration()
        configuration.journalMode = .wal
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        queue = try DatabaseQueue(path: folder.appending(path: "plain.db").path, configuration: configuration)
        self.args = Data(args.bytes)
        try queue.write { database in
            for table in ["job", "report"] {
                try database.execute(
                    sql: "CREATE TABLE \(table) (id BLOB PRIMARY KEY, name TEXT, args BLOB, due INTEGER) WITHOUT ROWID")
            }
        }
    }

    /// Jobs for each second that are written in transactions of `batch` and, unless they are kept, replaced by their reports
    /// in a second transaction, which go in a third.
    func rate(jobs: Int, batch: Int, isKept: Bool) throws -> Double {
        let start = ContinuousClock.now
        var rest = jobs
        while rest > 0 {
            let first = next
            next += Int64(min(rest, batch))
            let ids = (first..<next).map { number in withUnsafeBytes(of: (number.bigEndian, number)) { Data($0) } }
            try write(ids, ["INSERT INTO job VALUES (?, 'bench', ?, 0)"])
            if !isKept {
                try write(ids, ["DELETE FROM job WHERE id = ?", "INSERT INTO report VALUES (?, 'bench', ?, 0)"])
                try write(ids, ["DELETE FROM report WHERE id = ?"])
            }
            rest -= ids.count
        }
        return Double(jobs) / ((ContinuousClock.now - start) / .seconds(1))
    }

    private func write(_ ids: [Data], _ texts: [String]) throws {
        try queue.write { database in
            let statements = try texts.map { try database.cachedStatement(sql: $0) }
            for id in ids {
                for statement in statements {
                    try statement.execute(arguments: statement.columnsTaken == 1 ? [id] : [id, args])
                }
            }
        }
    }
}

extension Statement {
    fileprivate var columnsTaken: Int { sql.count { $0 == "?" } }
}
