import Foundation
import JobReactorTesting
import Testing

@testable import OwnStorage

/// The storage that the page "Writing a storage" shows.
@Suite struct OwnStorageTests {
    @Test("keeps its word", arguments: StorageConformance.checks)
    func conforms(to check: StorageConformance.Check) async throws {
        let folder = try Folder()
        let count = Counter()
        try await check.runWithFaults { FileStorage(URL(filePath: "\(folder.path)/\(count.next()).json")) }
    }

    @Test("and is durable", arguments: StorageConformance.durableChecks)
    func isDurable(_ check: StorageConformance.Check) async throws {
        let folder = try Folder()
        try await check.run { FileStorage(URL(filePath: folder.path + "/jobs.json")) }
    }

    @Test("a node with it takes up its jobs when it was killed")
    func killed() async throws {
        let installation = try await Installation()
        let folder = try Folder()
        let words = [folder.path + "/jobs.json", "localhost:\(installation.port)"]
        let scripts = try Folder(["reactor_jobs/jobs.lua": "job('greet', function() end)"])
        let first = try RunningProgram("OwnStorage", words, directory: scripts.path)
        try await eventually("it is there") {
            try await installation.jobreactor(["nodes"]).output.contains("own")
        }
        let id = try await installation.jobreactor(["enqueue", "greet", "name=Ada", "--after", "3"])
        #expect(id.status == 0)
        func isStored() -> Bool {
            let text = try? String(contentsOfFile: folder.path + "/jobs.json", encoding: .utf8)
            return text?.contains("greet") == true
        }
        try await eventually("the node has it") { isStored() }
        first.signal(SIGKILL)
        try await first.exitStatus()
        let again = try RunningProgram("OwnStorage", words, directory: scripts.path)
        try await eventually("it ran") { !isStored() }
        again.signal(SIGTERM)
        try await again.exitStatus()
        let wrong = try await Programs.run("OwnStorage", [])
        #expect(wrong.status == 64)
    }

    private final class Counter: Sendable {
        private let lock = NSLock()
        // Only touched while the lock is held.
        private nonisolated(unsafe) var value = 0

        func next() -> Int {
            lock.withLock {
                value += 1
                return value
            }
        }
    }
}
