import Dispatch
import Foundation
import JobReactorCore
import JobReactorTesting
import Testing

@testable import JobReactorLua

@Suite("The watcher of a folder") struct FolderWatcherTests {
    /// The system's limits, such as `max_user_instances`.
    private static func limit(_ name: String) -> Int {
        let text = (try? String(contentsOfFile: "/proc/sys/fs/inotify/" + name, encoding: .utf8)) ?? ""
        return Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? .max
    }

    @Test("gives back all it had when it is stopped", .enabled(if: limit("max_user_instances") <= 1000))
    func stops() async throws {
        try await TemporaryFolder.with { folder in
            for _ in 0..<Self.limit("max_user_instances") + 20 {
                // The thread of an earlier one may still be about to end.
                try await eventually("a watcher") {
                    guard let watcher = try? FolderWatcher(folder.path, { _ in }) else { return false }
                    watcher.stop()
                    watcher.stop()
                    return true
                }
            }
        }
    }

    @Test("tells of a change when the system lost count of them", .enabled(if: limit("max_queued_events") <= 100_000))
    func overflow() async throws {
        try await TemporaryFolder.with(["jobs/a.lua": "1"]) { folder in
            let (count, isBusy, goOn) = (Locked(0), DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
            let watcher = try FolderWatcher(folder.file("jobs")) { _ in
                if count.withLock({ count in
                    count += 1
                    return count == 1
                }) {
                    isBusy.signal()
                    goOn.wait()
                }
            }
            defer { watcher.stop() }
            await withCheckedContinuation { continuation in
                DispatchQueue.global().async {
                    isBusy.wait()
                    continuation.resume()
                }
            }
            // Beside the folder, where other names do not matter: two events each.
            for _ in 0..<Self.limit("max_queued_events") {
                symlink("nowhere", folder.file("beside"))
                unlink(folder.file("beside"))
            }
            try folder.write("jobs/a.lua", "2")
            goOn.signal()
            try await eventually("the change") { count.withLock { $0 } > 1 }
        }
    }
}
