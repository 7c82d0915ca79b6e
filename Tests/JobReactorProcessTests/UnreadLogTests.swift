import Foundation
import Testing

/// Processes whose log nobody reads, or can read.
@Suite struct UnreadLogTests {
    private static let scripts = [
        "jobs.lua": """
        job('chatty', function(args)
          for i = args.from, args.to do print(string.format('entry %06d ', i) .. string.rep('x', 1000) .. '.') end
          args.done = true
        end)
        """
    ]

    /// A pipe that programs have as their standard error. Nobody but the test can read it.
    private final class NamedPipe: Sendable {
        private let folder: Folder
        private let descriptor: Int32
        let path: String

        init() throws {
            folder = try Folder()
            path = folder.path + "/log"
            try #require(mkfifo(path, 0o600) == 0)
            descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
            try #require(descriptor >= 0)
        }

        deinit { close(descriptor) }

        /// What stands in it now.
        func read() -> String {
            var text: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = Foundation.read(descriptor, &buffer, buffer.count)
                if count <= 0 { return String(decoding: text, as: UTF8.self) }
                text += buffer.prefix(count)
            }
        }
    }

    /// A distributor and a node that have the same standard error.
    private struct Servers {
        let port: Int
        let folder: Folder
        let distributor: RunningProgram
        let node: RunningProgram

        /// `redirection` is the shell's; `$0` in it is the path.
        init(_ redirection: String, path: String = "") async throws {
            port = try Programs.freePort()
            folder = try Folder(UnreadLogTests.scripts)
            func launch(_ arguments: [String]) throws -> RunningProgram {
                try RunningProgram("sh", ["-c", "exec jobreactor \"$@\" \(redirection)", path] + arguments)
            }
            distributor = try launch(["distributor", "--listen", "localhost:\(port)"])
            // Without warnings that would be counted among the entries.
            node = try launch([
                "node", "--name", "n1", "--distributor", "localhost:\(port)", "--jobs", folder.path, "--slice-warning",
                "0",
            ])
            try await waitForNode("n1")
        }

        func waitForNode(_ name: String) async throws {
            try await eventually("the node is there") { try await redis(["NODES"]).contains(name) }
        }

        func redis(_ words: [String]) async throws -> String {
            let cli = try await Programs.run("redis-cli", ["-p", "\(port)"] + words)
            return (cli.output + cli.errors).trimmingCharacters(in: .whitespacesAndNewlines)
        }

        func chat(_ entries: ClosedRange<Int>, _ options: [String] = []) async throws {
            let args = #"{"from":\#(entries.lowerBound),"to":\#(entries.upperBound)}"#
            #expect(try await redis(["PERFORM", "chatty", args] + options).contains(#""done":true"#))
        }

        /// Also where nobody reads what they say.
        func stop() async throws {
            for program in [node, distributor] {
                program.signal(SIGTERM)
                #expect(try await program.exitStatus() == 0)
            }
        }
    }

    private static func dropped(_ line: Substring) -> Int? {
        guard line.hasSuffix(" log lines were dropped, because nobody read them") else { return nil }
        return line.split(separator: " ").dropFirst(2).first.flatMap { Int($0) }
    }

    /// The numbers of the entries, each of which is whole.
    private static func entries(_ lines: [Substring]) -> [Int] {
        lines.filter { $0.contains("entry ") }.compactMap { line in
            let words = line.split(separator: " ")
            guard words.count >= 5, words[1] == "info", words[4] == String(repeating: "x", count: 1000) + "." else {
                Issue.record("\(line)")
                return nil
            }
            return Int(words[3])
        }
    }

    @Test("jobs go on when nobody reads the log; what is dropped then is counted, and what follows is there")
    func unread() async throws {
        let pipe = try NamedPipe()
        let servers = try await Servers(#"2>"$0""#, path: pipe.path)
        for start in [1, 1001, 2001, 3001, 4001] { try await servers.chat(start...start + 999) }
        // The distributor has the same pipe, and tells of new nodes.
        let other = try RunningProgram(
            "jobreactor",
            ["node", "--name", "n2", "--distributor", "localhost:\(servers.port)", "--jobs", servers.folder.path])
        try await servers.waitForNode("n2")
        try await servers.chat(1...1, ["NODE", "n2"])
        other.signal(SIGTERM)

        var text = ""
        try await eventually("the reader is told") {
            text += pipe.read()
            return text.contains(" log lines were dropped, because nobody read them\n")
        }
        try await servers.chat(5001...5001, ["NODE", "n1"])
        try await eventually("the log goes on") {
            text += pipe.read()
            return text.contains("entry 005001 ") && text.hasSuffix("\n")
        }
        let lines = text.split(separator: "\n")
        let (entries, dropped) = (Self.entries(lines), lines.compactMap(Self.dropped).reduce(0, +))
        #expect(zip(entries, entries.dropFirst()).allSatisfy { $0 < $1 })
        // A pipe holds 64 KiB and the ring 1 MiB.
        #expect(entries.count > 500 && entries.count < 2000)
        #expect(entries.count + dropped == 5001)
        #expect(text.contains("distributor listens") && text.contains("n2"))
        try await servers.stop()
        #expect(pipe.read().split(separator: "\n").allSatisfy { $0.hasPrefix("20") })
    }

    @Test("a process whose log nobody reads ends when it is told to, and when it has failed")
    func end() async throws {
        let pipe = try NamedPipe()
        let servers = try await Servers(#"2>"$0""#, path: pipe.path)
        try await servers.chat(1...2000)
        let failing = try RunningProgram(
            "sh",
            [
                "-c", #"exec jobreactor "$@" 2>"$0""#, pipe.path, "distributor", "--listen",
                "localhost:\(servers.port)",
            ])
        #expect(try await failing.exitStatus() == 1)
        try await servers.stop()
    }

    @Test("a process whose log cannot be written goes on", arguments: [true, false])
    func unwritable(isClosed: Bool) async throws {
        var pipe: NamedPipe? = isClosed ? nil : try NamedPipe()
        let servers = try await Servers(isClosed ? "2>&-" : #"2>"$0""#, path: pipe?.path ?? "")
        pipe = nil
        for start in [1, 1001] { try await servers.chat(start...start + 999) }
        if isClosed {
            // Nothing else that it has opened is in its place.
            for program in [servers.distributor, servers.node] {
                let file = "/proc/\(program.processIdentifier)/fd/2"
                #expect(try FileManager.default.destinationOfSymbolicLink(atPath: file) == "/dev/null")
            }
        }
        try await servers.stop()
    }
}
