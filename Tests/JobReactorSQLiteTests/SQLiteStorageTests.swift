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

    @Test("it keeps an audit log", arguments: StorageConformance.auditChecks)
    func audit(_ check: StorageConformance.Check) async throws {
        let folder = try Folder()
        try await check.run { SQLiteStorage(file: folder.file(), durability: .process) }
    }

    @Test("it keeps what decides when jobs run", arguments: StorageConformance.controlChecks)
    func controls(_ check: StorageConformance.Check) async throws {
        let folder = try Folder()
        try await check.run { SQLiteStorage(file: folder.file(), durability: .process) }
    }

    @Test("its files are for their owner alone, also those that were not")
    func isPrivate() async throws {
        let folder = try Folder()
        for made in [false, true] {
            let file = folder.file("\(made).sqlite")
            if made {
                #expect(
                    FileManager.default.createFile(atPath: file, contents: nil, attributes: [.posixPermissions: 0o644]))
            }
            let storage = SQLiteStorage(file: file)
            try await storage.open(StorageOwner(name: "n1"))
            try await storage.save([Job(id: JobID(high: 1, low: 1), name: "j", args: [:], createdAt: .now)])
            for part in ["", "-wal", "-shm", ".lock"] {
                let attributes = try FileManager.default.attributesOfItem(atPath: file + part)
                #expect(attributes[.posixPermissions] as? Int == 0o600, "\(part)")
            }
            await storage.close()
        }
    }

    @Test("it is durable", arguments: StorageConformance.durableChecks)
    func isDurable(_ check: StorageConformance.Check) async throws {
        let folder = try Folder()
        try await check.run { SQLiteStorage(file: folder.file()) }
    }
}
