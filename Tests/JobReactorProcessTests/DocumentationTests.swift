import Foundation
import Testing

/// The shell commands of the README and of the pages, run in order as they stand, and what scripts make of pages.
@Suite struct DocumentationTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    private static func blocks(_ page: String) throws -> [String] {
        try text(page).components(separatedBy: "<!-- run -->\n```sh\n").dropFirst()
            .compactMap { $0.components(separatedBy: "```\n").first }
    }

    /// A page with commands.
    struct Commands: CustomTestStringConvertible, Sendable {
        let page: String
        /// How many blocks of them there are.
        let blocks: Int
        /// What they print among other things.
        let prints: [String]

        init(_ page: String, blocks: Int = 1, prints: [String]) {
            self.page = page
            self.blocks = blocks
            self.prints = prints
        }

        var testDescription: String { page }
    }

    private static let readme = "README.md"
    private static let gettingStarted = "Sources/JobReactor/JobReactor.docc/Start/GettingStarted.md"

    private static let commands = [
        Commands(readme, blocks: 4, prints: ["Hello, Ada!", "Hello, Grace!"]),
        Commands(gettingStarted, blocks: 4, prints: ["1 passed, 0 failed", "Hello, Ada!", "Hello, Grace!"]),
        Commands(
            "Sources/JobReactor/JobReactor.docc/Lua/TestingJobs.md",
            prints: ["wrote reactor_jobs/resize.lua", ", 0 failed"]),
        Commands(
            "Sources/JobReactor/JobReactor.docc/Lua/WhenJobsRun.md", prints: ["2026-03-29T03:00:00+02:00"]),
        Commands(
            "Sources/JobReactor/JobReactor.docc/Operations/AtThreeInTheMorning.md", prints: ["0 jobs would be retried"]),
        Commands(
            "Sources/JobReactor/JobReactor.docc/Operations/Troubleshooting.md",
            prints: ["no_such_job", "waits_for", "greet"]),
        Commands(
            "Sources/JobReactor/JobReactor.docc/Operations/UsersAndRoles.md",
            prints: ["worker_1  node             web-*\n"]),
        Commands("Sources/JobReactor/JobReactor.docc/Protocol/ClientCommands.md", prints: ["Hello, Ada!\n"]),
    ]

    @Test("no page with commands is forgotten") func allPages() throws {
        let names = FileManager.default.enumerator(atPath: Self.root.appending(path: "Sources").path)
        let pages = (names?.compactMap { $0 as? String } ?? []).filter { $0.hasSuffix(".md") }.map { "Sources/" + $0 }
        let withCommands = try pages.filter { try !Self.blocks($0).isEmpty }
        #expect(Set(withCommands + [Self.readme]) == Set(Self.commands.map(\.page)))
    }

    /// A page that starts nothing itself goes on where the README has a distributor and a node.
    @Test("the commands of each page work", arguments: commands)
    func shell(_ commands: Commands) async throws {
        let blocks = try Self.blocks(commands.page)
        #expect(blocks.count == commands.blocks)
        let before =
            [Self.readme, Self.gettingStarted].contains(commands.page) ? [] : try Self.blocks(Self.readme).prefix(3)
        // Another port, so that tests do not meet; the commands that were built with the tests.
        let port = try Programs.freePort()
        let script =
            "set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\n"
            + (before + blocks).joined(separator: "\n")
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
            directory: folder.path, seconds: 120)
        #expect(shell.status == 0, "\(shell.errors)")
        for text in commands.prints { #expect(shell.output.contains(text), "\(shell.output)") }
    }

    @Test("the diagrams are those that their script draws") func diagrams() async throws {
        let folder = try Folder()
        let run = try await Programs.run(
            "/usr/bin/python3", ["Examples/make_diagrams.py", folder.path], directory: Self.root.path)
        #expect(run.status == 0, "\(run.errors)")
        for name in ["architecture", "architecture~dark", "job-lifecycle", "job-lifecycle~dark"] {
            let drawn = try String(contentsOfFile: "\(folder.path)/\(name).svg", encoding: .utf8)
            let shown = try Self.text("Sources/JobReactor/JobReactor.docc/Concepts/\(name).svg")
            #expect(drawn == shown, "\(name): run Examples/make_diagrams.py")
        }
    }

    @Test("the page of settings has those that the help of the program has") func settings() async throws {
        let page = try Self.text("Sources/JobReactor/JobReactor.docc/Operations/Settings.md")
        let folder = try Folder(["Settings.md": page])
        let command = "jobreactor --experimental-dump-help | /usr/bin/python3 Examples/make_settings.py \"$0\""
        let run = try await Programs.run(
            "bash", ["-o", "pipefail", "-c", command, folder.path + "/Settings.md"], directory: Self.root.path)
        #expect(run.status == 0, "\(run.errors)")
        let made = try String(contentsOfFile: folder.path + "/Settings.md", encoding: .utf8)
        #expect(made == page, "run jobreactor --experimental-dump-help | Examples/make_settings.py")
        #expect(made.contains("| `max_attempt` | `--max-attempt <n>` | 10 |"))
    }

    @Test("the manual pages have no faults, and man finds them") func manual() async throws {
        let folder = try Folder()
        let script = """
            set -euo pipefail
            jobreactor docs --man . >written
            if ! command -v groff >/dev/null; then exit 0; fi
            cat man1/*.1 man7/*.7 | groff -K utf8 -man -Tutf8 -wmac -z
            if ! command -v man >/dev/null; then exit 0; fi
            MANPAGER=cat man -M . jobreactor-docs >page 2>/dev/null
            grep -q markdown page
            MANPAGER=cat man -M . jobreactor-lua-guide >page 2>/dev/null
            grep -q job_errback page
            """
        let run = try await Programs.run("bash", ["-c", script], directory: folder.path)
        #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
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
