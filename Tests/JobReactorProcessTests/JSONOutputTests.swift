import Foundation
import Testing

/// What every command prints with `--json`, read as JSON.
@Suite struct JSONOutputTests {
    /// The standard output of a command, each line of it a value.
    private static func values(
        _ ended: Finished, status: Int32 = 0, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> [[String: Any]] {
        #expect(ended.status == status, "\(ended.errors)", sourceLocation: sourceLocation)
        return try ended.output.split(separator: "\n").map { line in
            let value = try JSONSerialization.jsonObject(with: Data(line.utf8))
            return try #require(value as? [String: Any] ?? ["list": value], sourceLocation: sourceLocation)
        }
    }

    @Test("commands that need no server")
    func alone() async throws {
        var scripts = Installation.scripts
        scripts["jobs_test.lua"] = "test('greets', function() equal(run('greet', { name = 'A' }).args.name, 'A') end)"
        let folder = try Folder(scripts)
        func run(_ words: String..., status: Int32 = 0) async throws -> [String: Any] {
            let ended = try await Programs.run("jobreactor", words + ["--json"], directory: folder.path)
            let values = try Self.values(ended, status: status)
            #expect(values.count == 1, "\(words): \(ended.output)")
            return values.first ?? [:]
        }
        let checked = try await run("check", ".")
        #expect((checked["jobs"] as? [[String: Any]])?.count == 4 && checked["good"] as? Bool == true)
        let tested = try await run("test", ".")
        #expect(tested["passed"] as? Int == 1 && tested["failed"] as? Int == 0)
        let good = try await run("run", "greet", "name=Ada", "--jobs", ".")
        #expect(good["status"] as? String == "complete")
        #expect((good["args"] as? [String: Any])?["greeting"] as? String == "Hello, Ada!")
        let bad = try await run("run", "fails", "--jobs", ".", status: 1)
        #expect(bad["status"] as? String == "failed" && (bad["message"] as? String)?.contains("no disk") == true)
        let written = try await run("new", "fresh", "--jobs", "more")
        #expect((written["wrote"] as? [String])?.count == 2)
        #expect((try await run("definitions")["definitions"] as? String)?.contains("---@meta") == true)
        #expect((try await run("docs")["list"] as? [[String: Any]])?.first?["name"] as? String == "getting-started")
        let preview = try await run("schedules", "preview", "every 90s", "--from", "0", "--count", "2")
        let times = try #require(preview["list"] as? [[String: Any]])
        #expect(times.map { $0["at"] as? Int } == [90, 180] && times.allSatisfy { $0["rule"] is NSNull })
        #expect((try await run("docs", "lua-guide")["markdown"] as? String)?.hasPrefix("# Lua guide\n") == true)
        let manual = try #require(try await run("docs", "--man", "manual")["wrote"] as? [String])
        #expect(manual.contains("manual/man1/jobreactor-docs.1"))
        #expect(manual.contains("manual/man7/jobreactor-lua-guide.7"))
        // A password comes from standard input: here there is none.
        let users = folder.path + "/users"
        let shell = """
            echo secret | jobreactor user add ann --role viewer --json --users '\(users)'
            jobreactor user list --json --users '\(users)'
            echo other | jobreactor user passwd ann --json --users '\(users)'
            jobreactor user remove ann --json --users '\(users)'
            """
        let changes = try Self.values(try await Programs.run("bash", ["-ec", shell]))
        #expect(changes.map { $0["change"] as? String } == ["add", nil, "passwd", "remove"])
        #expect((changes[1]["users"] as? [[String: Any]])?.first?["user"] as? String == "ann")
    }

    @Test("commands that ask a server, and the logs of servers")
    func served() async throws {
        let installation = try await Installation(
            environment: ["JOBREACTOR_WINDO": "7"], distributor: ["--json"])
        let port = try Programs.freePort()
        let node = try await installation.startNode(
            "n1", ["--server", "localhost:\(port)", "--json", "--max-attempt", "1"])
        let at = ["--server", "localhost:\(port)"]
        func run(_ words: [String], status: Int32 = 0) async throws -> [[String: Any]] {
            try Self.values(try await installation.jobreactor(words + ["--json"]), status: status)
        }
        let id = try #require(try await run(["enqueue", "echo", "--after", "3600"]).first?["id"] as? String)
        let done = try #require(try await run(["enqueue", "greet", "name=Ada", "--wait"]).first)
        #expect(done["status"] as? String == "complete")
        let failed = try #require(try await run(["enqueue", "fails", "--wait"], status: 1).first)
        #expect(failed["status"] as? String == "failed")
        _ = try await run(["enqueue", "absent"])
        for place in [at, []] {
            let list = try await run(["jobs", "list"] + place)
            #expect(!list.isEmpty && list.allSatisfy { $0["due_at"] is Double && $0["due_at_local"] is String })
        }
        let shown = try #require(try await run(["jobs", "show", id] + at).first)
        #expect(shown["made_at"] is Double && (shown["made_at_local"] as? String)?.contains("T") == true)
        #expect((shown["waits_for"] as? String)?.hasPrefix("not before ") == true)
        #expect(try await run(["jobs", "show", id]).first?["id"] as? String == id)
        for words in [
            ["retry", "--all", "--dry-run"], ["cancel", "--name", "absent", "--dry-run"], ["cancel", id],
            ["retry", "--status", "failed", "--yes"], ["destroy", "--name", "fails", "--yes"],
            ["destroy-all", "--node", "n1", "--dry-run"], ["destroy-all", "--node", "n1", "--yes"],
        ] {
            let answer = try #require(try await run(["jobs"] + words + at).first)
            #expect(answer["count"] is Int && answer["change"] is String, "\(words)")
        }
        let nodes = try #require(try await run(["nodes"]).first)
        #expect((nodes["nodes"] as? [[String: Any]])?.first?["name"] as? String == "n1")
        #expect((nodes["waiting"] as? [[String: Any]])?.first?["name"] as? String == "absent")
        for words in [["info"], ["info", "server"], ["info"] + at] {
            let info = try #require(try await run(words).first)
            #expect((info["server"] as? [String: Any])?["role"] is String)
        }
        #expect((try await run(["pause", "job", "greet"]).first?["change"] as? String)?.contains("greet") == true)
        let pauses = try #require(try await run(["pause"]).first?["list"] as? [[String: Any]])
        #expect(pauses.map { $0["name"] as? String } == ["greet"] && pauses.first?["at"] is Double)
        #expect(try await installation.jobreactor(["pause", "job", "greet"]).status == 1)
        #expect(try await run(["resume", "job", "greet"]).first?["change"] is String)
        #expect(try await installation.jobreactor(["resume", "greet", "job"]).status == 64)
        let audit = try #require(try await run(["audit"] + at).first?["list"] as? [[String: Any]])
        #expect(!audit.isEmpty && audit.allSatisfy { $0["time"] is Double && $0["time_local"] is String })
        for server in [node, installation.distributor] {
            server.signal(SIGTERM)
            #expect(try await server.exitStatus() == 0)
            let log = server.standardError.split(separator: "\n")
            let messages = try log.map { line in
                let entry = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                #expect(entry?["level"] is String, "\(line)")
                return try #require(entry?["message"] as? String, "\(line)")
            }
            #expect(messages.contains("JOBREACTOR_WINDO is not a setting: did you mean JOBREACTOR_WINDOW?"))
        }
    }

    @Test("a server that cannot start says so in its log")
    func ended() async throws {
        let folder = try Folder([:])
        let ended = try await Programs.run("jobreactor", ["node", "--json", "--jobs", folder.path + "/none"])
        #expect(ended.status == 1)
        let last = try #require(ended.errors.split(separator: "\n").last)
        let entry = try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Any]
        #expect(entry?["level"] as? String == "critical")
        #expect((entry?["message"] as? String)?.hasSuffix("give the folder of your job scripts with --jobs") == true)
    }

    @Test(
        "so does one whose port, or whose config, is none",
        arguments: [
            (["distributor", "--json", "--listen", "localhost:70000"], "localhost:70000"),
            (["node", "--json", "--server", "localhost:70000"], "localhost:70000"),
            (["distributor", "--json", "--config", "/nonexistent"], "/nonexistent"),
        ])
    func unset(_ words: [String], text: String) async throws {
        let ended = try await Programs.run("jobreactor", words)
        #expect(ended.status != 0)
        for line in ended.errors.split(separator: "\n") {
            let entry = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            #expect((entry?["message"] as? String)?.contains(text) == true, "\(line)")
        }
        #expect(!ended.errors.isEmpty)
    }

    @Test("what a job enqueues does not stand in what it came to, and counts for the exit code")
    func enqueued() async throws {
        let folder = try Folder([
            "jobs.lua": """
            job('first', function(args) enqueue('second') end)
            job('second', function() error('no disk') end)
            """
        ])
        let ended = try await Programs.run("jobreactor", ["run", "first", "--json", "--jobs", folder.path])
        let values = try Self.values(ended, status: 1)
        #expect(values.map { $0["status"] as? String } == ["complete"])
        #expect(ended.errors.contains("the enqueued job 'second' failed: "))
    }
}
