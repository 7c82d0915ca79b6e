import GRDB
import JobReactorCore
import JobReactorSQLite
import JobReactorTesting
import Testing

/// Files of earlier releases.
@Suite struct SQLiteMigrationTests {
    @Test("a file from before traces and keys is read, and takes jobs with them") func later() async throws {
        let folder = try Folder()
        let owner = StorageOwner(name: "worker_1")
        var job = Job(
            id: JobID(high: 1, low: 1), name: "resize", args: [:], options: JobOptions(period: 60), distributor: "app",
            createdAt: Timestamp(microseconds: 5))
        let storage = SQLiteStorage(file: folder.file())
        try await storage.open(owner)
        try await storage.save([job])
        await storage.close()
        let database = try DatabaseQueue(path: folder.file())
        try await database.write { database in
            let later = JobFieldTable.stored.compactMap(\.column).filter { $0.since > 1 }.map(\.name)
            for column in later { try database.execute(sql: "ALTER TABLE job DROP COLUMN \(column)") }
            try database.execute(sql: "DROP TABLE control; DELETE FROM grdb_migrations WHERE identifier >= '3'")
        }
        try database.close()

        let again = SQLiteStorage(file: folder.file())
        try await again.open(owner)
        #expect(try await again.load(job.id) == job)
        job.trace = JobTrace(["traceparent": "00-1-2-01"])
        job.unique = JobUnique("k", for: 5)
        job.unique?.acceptedAt = Timestamp(microseconds: 4)
        job.again = ["more": true]
        try await again.apply([.update(job)])
        #expect(try await again.load(job.id) == job)
        await again.close()
    }
}
