import Foundation
import Testing

/// The shell commands of the README, run in order as they stand.
@Suite struct ReadmeShellTests {
    @Test func theCommandsOfTheReadmeWork() async throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
        let blocks = readme.components(separatedBy: "<!-- run -->\n```sh\n").dropFirst()
            .compactMap { $0.components(separatedBy: "```\n").first }
        #expect(blocks.count == 8)
        // Another port, so that tests do not meet; the commands that were built with the tests.
        let port = try Programs.freePort()
        let script =
            "set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\n"
            + blocks.joined(separator: "\n")
            .replacingOccurrences(of: "5000", with: "\(port)")
            .replacingOccurrences(of: "$PWD/.build/release:", with: "\(Programs.folder):")
            // A person types slower than a program starts.
            .replacingOccurrences(
                of: "--listen localhost:\(port) &\n",
                with:
                    "--listen localhost:\(port) &\nuntil redis-cli -p \(port) PING >/dev/null 2>&1; do sleep 0.1; done\n"
            )
            .replacingOccurrences(of: "python3 -", with: "/usr/bin/python3 -")
        let folder = try Folder()
        let shell = try await Programs.run(
            "bash", ["-c", script], environment: ["JOBREACTOR_DISTRIBUTOR": "localhost:\(port)"],
            directory: folder.path,
            seconds: 120)
        #expect(shell.status == 0, "\(shell.errors)")
        #expect(shell.output.contains("Hello, Ada!"))
        #expect(shell.output.contains("Hello, Grace!"))
        #expect(shell.output.components(separatedBy: "Hello, Ada!\n").count > 1)
        #expect(shell.output.hasSuffix("worker_1  node             web-*\n"))
    }

    /// It uses the default port, so it runs on a loopback interface of its own where the system allows that.
    @Test func theTenLinesOfSwiftWork() async throws {
        let folder = try Folder(Installation.scripts)
        let script = """
            set -euo pipefail
            if command -v ip >/dev/null; then ip link set lo up; fi
            jobreactor node --name worker_1 --distributor localhost:5000 --jobs '\(folder.path)' &
            trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT
            timeout 60 TenLines
            """
        let canIsolate = try await Programs.run("unshare", ["-rn", "ip", "link", "set", "lo", "up"]).status == 0
        let command = canIsolate ? ["unshare", "-rn", "bash"] : ["bash"]
        let shell = try await Programs.run(command[0], Array(command.dropFirst()) + ["-c", script])
        #expect(shell.status == 0, "\(shell.errors)")
        #expect(shell.output.contains("Hello, Ada!\n"))
        #expect(shell.output.contains(#""greeting":"Hello, Grace!""#))
    }

    @Test func anApplicationLinksNeitherLuaNorAStorageEngine() async throws {
        let libraries = try await Programs.run("ldd", [Programs.folder + "/TenLines"])
        #expect(libraries.status == 0)
        #expect(libraries.output.contains("libhiredis"))
        #expect(!libraries.output.contains("lua") && !libraries.output.contains("sqlite"))
    }
}
