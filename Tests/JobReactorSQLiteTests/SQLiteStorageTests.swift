import Foundation
import JobReactorCore
import JobReactorSQLite
import JobReactorTesting
import Logging
import Testing

/// A folder that goes with the test.
final class Folder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "jobreactor-sqlite-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String = "jobs.sqlite") -> String { path + "/" + name }
}

@Suite struct SQLiteStorageTests {
    @Test("it is what a storage must be", arguments: StorageConformance.checks)
    func conforms(to check: StorageConformance.Check) async throws {
        let folder = try Folder()
        try await check.run { SQLiteStorage(file: folder.file(), durability: .process) }
    }

    @Test("it is so also when a call fails", arguments: StorageConformance.checks)
    func conformsWithFaults(to check: StorageConformance.Check) async throws {
        let folder = try Folder()
        try await check.runWithFaults {
            SQLiteStorage(file: folder.file(UUID().uuidString), durability: .process)
        }
    }

    @Test("it refuses as a storage must", arguments: StorageConformance.refusalChecks)
    func refuses(_ check: StorageConformance.RefusalCheck) async throws {
        let folder = try Folder()
        let (file, aside) = (folder.file(), folder.file("aside"))
        try await check.run {
            SQLiteStorage(file: file, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        } refuse: { refuses in
            try FileManager.default.moveItem(atPath: refuses ? file : aside, toPath: refuses ? aside : file)
        }
    }

    @Test("it is durable", arguments: StorageConformance.durableChecks)
    func isDurable(_ check: StorageConformance.Check) async throws {
        let folder = try Folder()
        try await check.run { SQLiteStorage(file: folder.file()) }
    }
}
