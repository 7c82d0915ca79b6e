internal import GRDB
package import JobReactorCore

extension SQLitePlace {
    /// What SQLite finds wrong with the file, in at most ten lines; none of a good one. It reads all of it, beside a process that
    /// has it open.
    package func damage() async throws(StorageError) -> [String] {
        try await read { try String.fetchAll($0, sql: "PRAGMA quick_check(10)").filter { $0 != "ok" } }
    }
}
