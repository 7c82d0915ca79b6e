import Foundation
import Testing

/// Processes that are told to stop while clients wait for them, or while they wait themselves.
@Suite struct StopTests {
    private static let scripts = [
        "jobs.lua": """
        job('gated', function(args)
          print('gated begins')
          while true do
            local gate = io.open(args.gate)
            if not gate then break end
            gate:close()
            sleep(0.02)
          end
          args.done = true
        end)
        """
    ]

    @Test("all replies to PERFORM arrive when the distributor is told to stop", arguments: ["memory", "sqlite"])
    func repliesArrive(kind: String) async throws {
        let installation = try await Installation(scripts: Self.scripts, distributor: ["--grace", "60"])
        let folder = try Folder(["gate": ""])
        let storage = kind == "memory" ? kind : "sqlite:\(folder.path)/jobs.sqlite"
        let node = try await installation.startNode("n1", ["--storage", storage])
        let words = ["PERFORM", "gated", #"{"gate":"\#(folder.path)/gate"}"#]
        let replies = (0..<20).map { _ in Task { try await installation.redis(words) } }
        try await eventually("all have begun") {
            node.standardError.components(separatedBy: "gated begins").count == 21
        }
        installation.distributor.signal(SIGTERM)
        try await eventually("the stop has begun") { try await installation.redis(["PING"]) != "PONG" }
        try FileManager.default.removeItem(atPath: folder.path + "/gate")
        for reply in replies { #expect(try await reply.value.contains(#""done":true"#)) }
        #expect(try await installation.distributor.exitStatus() == 0)
        node.signal(SIGTERM)
    }

    @Test("a process that waits for Redis ends at the first signal, with status 0 and a line that says why")
    func signalDuringTheStart() async throws {
        let (server, folder) = (try Programs.freePort(), try Folder(Self.scripts))
        let storage = ["--storage", "redis://127.0.0.1:\(server)"]
        let programs = [
            ("distributor", ["distributor", "--listen", "localhost:\(try Programs.freePort())"]),
            ("node", ["node", "--name", "n1", "--distributor", "localhost:1", "--jobs", folder.path]),
        ]
        for (role, arguments) in programs {
            let program = try RunningProgram("jobreactor", arguments + storage)
            try await program.logs("Redis is not reachable")
            program.signal(SIGTERM)
            #expect(try await program.exitStatus() == 0)
            #expect(program.standardError.contains("the \(role) was stopped before it had started"))
        }
    }

    @Test("a distributor with many jobs that wait for a node stops when the jobs under way have ended")
    func manyWaitingJobs() async throws {
        let installation = try await Installation(scripts: Self.scripts, distributor: ["--grace", "60"])
        let folder = try Folder(["gate": ""])
        let node = try await installation.startNode("n1")
        let lines = String(repeating: "ENQUEUE nobody_defines_it\n", count: 20_000)
        try lines.write(toFile: folder.path + "/jobs", atomically: true, encoding: .utf8)
        let cli = try await Programs.run(
            "sh", ["-c", "redis-cli -p \(installation.port) <\(folder.path)/jobs >\(folder.path)/ids"])
        #expect(cli.status == 0)
        #expect(try await installation.info("waiting") == 20_000)
        let words = ["PERFORM", "gated", #"{"gate":"\#(folder.path)/gate"}"#]
        let reply = Task { try await installation.redis(words) }
        try await node.logs("gated begins")
        installation.distributor.signal(SIGTERM)
        try await eventually("the stop has begun") { try await installation.redis(["PING"]) != "PONG" }
        try FileManager.default.removeItem(atPath: folder.path + "/gate")
        #expect(try await reply.value.contains(#""done":true"#))
        #expect(try await installation.distributor.exitStatus() == 0)
        node.signal(SIGTERM)
    }
}
