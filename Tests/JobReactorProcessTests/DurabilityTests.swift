import Foundation
import JobReactor
import JobReactorTesting
import Testing

/// Where the processes of a test keep their jobs.
struct Place: Sendable, CustomTestStringConvertible {
    enum Kind: String, CaseIterable, Sendable { case sqlite, redis }

    let kind: Kind
    private let folder: Folder
    private let server: RedisServer?

    init(_ kind: Kind) async throws {
        self.kind = kind
        folder = try Folder()
        server = kind == .redis ? try await RedisServer.start() : nil
    }

    /// The option for a process of this name.
    func option(_ name: String) -> [String] {
        ["--storage", server?.url ?? "sqlite:\(folder.path)/\(name).sqlite"]
    }

    var testDescription: String { kind.rawValue }
}

/// Processes with durable storages that are killed.
@Suite struct DurabilityTests {
    private static let scripts = [
        "jobs.lua": """
        job('note', function(args)
          local file = assert(io.open(args.file, 'a'))
          file:write(args.n, args.retrying and ' again' or '', '\\n')
          file:close()
        end)
        job('slow', function(args)
          print('slow begins')
          io.popen('sleep ' .. args.seconds):close()
          args.done = true
        end)
        job('poison', { max_attempt = 2 }, function(args)
          print('poison begins')
          os.execute('kill -KILL $PPID')
        end)
        """
    ]

    private static func lines(_ file: String) -> [String] {
        ((try? String(contentsOfFile: file, encoding: .utf8)) ?? "").split(separator: "\n").map(String.init)
    }

    @Test("what a killed node had runs when it starts again, what it ran once more", arguments: Place.Kind.allCases)
    func killedNode(_ kind: Place.Kind) async throws {
        let place = try await Place(kind)
        let installation = try await Installation(scripts: Self.scripts)
        let output = try Folder(["runs": ""])
        let node = try await installation.startNode("n1", place.option("n1"))
        let client = try await JobClient.connect(host: "localhost", port: installation.port)
        let slow = Task { try await client.perform("slow", ["seconds": 2], timeout: 120) }
        try await node.logs("slow begins")
        for number in 0..<100 {
            try client.enqueue("note", ["n": JSONValue(number), "file": .string(output.path + "/runs")])
        }
        // The lane is busy, so that they wait on the node, which owns them.
        try await eventually("the node owns all") { try await installation.info("unfinished") == 101 }
        try await client.flush()
        node.signal(SIGKILL)
        #expect(try await node.exitStatus() == 128 + SIGKILL)
        let again = try await installation.startNode("n1", place.option("n1"))
        #expect(try await slow.value["done"] == true)
        try await eventually("all have run") { Self.lines(output.path + "/runs").count >= 100 }
        let runs = Self.lines(output.path + "/runs")
        #expect(Set(runs.map { $0.prefix { $0 != " " } }).count == 100)
        #expect(runs.count == 100)
        #expect(again.standardError.contains("the node ended during attempt 1"))
        await client.stop()
        again.signal(SIGTERM)
        #expect(try await again.exitStatus() == 0)
    }

    @Test(
        "a job that kills its node is tried as often as it may be, and has failed then", arguments: Place.Kind.allCases)
    func poison(_ kind: Place.Kind) async throws {
        let place = try await Place(kind)
        let installation = try await Installation(scripts: Self.scripts)
        let client = try await JobClient.connect(host: "localhost", port: installation.port)
        let outcome = Task { try await client.perform("poison", timeout: 120) }
        for _ in 0..<2 {
            // It may be dead before it has a link.
            let node = try installation.launchNode("n1", place.option("n1"))
            #expect(try await node.exitStatus() == 128 + SIGKILL)
        }
        let last = try await installation.startNode("n1", place.option("n1"))
        let failure = await #expect(throws: JobFailure.self) { try await outcome.value }
        #expect(failure?.args["error"]?.string == "the node ended during attempt 2")
        await client.stop()
        last.signal(SIGTERM)
        #expect(try await last.exitStatus() == 0)
    }

    @Test("what a killed distributor had accepted is there when it starts again", arguments: Place.Kind.allCases)
    func killedDistributor(_ kind: Place.Kind) async throws {
        let place = try await Place(kind)
        let installation = try await Installation(scripts: Self.scripts, distributor: place.option("d"))
        let output = try Folder(["runs": ""])
        for number in 0..<50 {
            let id = try await installation.redis([
                "ENQUEUE", "note", "{\"n\":\(number),\"file\":\"\(output.path)/runs\"}",
            ])
            #expect(JobID(id) != nil, "\(id)")
        }
        installation.distributor.signal(SIGKILL)
        #expect(try await installation.distributor.exitStatus() == 128 + SIGKILL)
        let again = try RunningProgram(
            "jobreactor", ["distributor", "--listen", "localhost:\(installation.port)"] + place.option("d"))
        try await again.logs("distributor listens")
        let node = try await installation.startNode("n1")
        try await eventually("all have run") { Self.lines(output.path + "/runs").count == 50 }
        #expect(Set(Self.lines(output.path + "/runs")).count == 50)
        for program in [node, again] {
            program.signal(SIGTERM)
            #expect(try await program.exitStatus() == 0)
        }
    }

    @Test(
        "what was said to be cancelled does not run after a kill: jobs that wait, and one that a node has",
        arguments: Place.Kind.allCases)
    func killedAfterCancelling(_ kind: Place.Kind) async throws {
        let place = try await Place(kind)
        let options = place.option("d") + ["--always-use-specified-node"]
        let installation = try await Installation(scripts: Self.scripts, distributor: options)
        let output = try Folder(["runs": ""])
        let node = try await installation.startNode("n1")
        let slow = try await installation.redis(["ENQUEUE", "slow", #"{"seconds":1}"#])
        try await node.logs("slow begins")
        // It hears nothing of what comes now.
        node.signal(SIGSTOP)
        var ids: [String] = []
        for number in 0..<40 {
            let args = "{\"n\":\(number),\"file\":\"\(output.path)/runs\"}"
            ids.append(try await installation.redis(["ENQUEUE", "note", args, "NODE", "n2"]))
        }
        for id in ids[..<20] + [slow] { #expect(try await installation.redis(["CANCEL", id]) == "1") }
        installation.distributor.signal(SIGKILL)
        node.signal(SIGKILL)
        #expect(try await installation.distributor.exitStatus() == 128 + SIGKILL)
        #expect(try await node.exitStatus() == 128 + SIGKILL)

        let again = try RunningProgram(
            "jobreactor", ["distributor", "--listen", "localhost:\(installation.port)"] + options)
        try await again.logs("distributor listens")
        let nodes = [try await installation.startNode("n1"), try await installation.startNode("n2")]
        try await eventually("the others have run") { Self.lines(output.path + "/runs").count >= 20 }
        try await eventually("nothing waits") { try await installation.info("unfinished") == 0 }
        #expect(Set(Self.lines(output.path + "/runs")) == Set((20..<40).map { "\($0)" }))
        #expect(!nodes.contains { $0.standardError.contains("slow begins") })
        for program in nodes + [again] {
            program.signal(SIGTERM)
            #expect(try await program.exitStatus() == 0)
        }
    }

    @Test("a second node of one name is refused with one line that names the first", arguments: Place.Kind.allCases)
    func secondOfOneName(_ kind: Place.Kind) async throws {
        let place = try await Place(kind)
        let installation = try await Installation(scripts: Self.scripts)
        let node = try await installation.startNode("n1", place.option("n1"))
        let second = try await Programs.run(
            "jobreactor",
            [
                "node", "--name", "n1", "--distributor", "localhost:\(installation.port)", "--jobs",
                installation.folder.path,
                "--log-level", "critical",
            ] + place.option("n1"))
        #expect(second.status == 1)
        #expect(second.errors.contains("the storage of n1 is already open"))
        #expect(second.errors.contains("process "))
        #expect(second.errors.split(separator: "\n").count == 1)
        node.signal(SIGTERM)
        #expect(try await node.exitStatus() == 0)
    }

    @Test("a storage that cannot be used is one line that says what to do")
    func unusable() async throws {
        let folder = try Folder(["text": String(repeating: "no database ", count: 500)])
        for (option, expected) in [
            ("sqlite:\(folder.path)/no/jobs.sqlite", "create it first"),
            ("sqlite:\(folder.path)/text", "is damaged, or not an SQLite file"),
        ] {
            let node = try await Programs.run(
                "jobreactor",
                ["node", "--name", "n1", "--jobs", folder.path, "--log-level", "critical", "--storage", option])
            #expect(node.status == 1)
            #expect(node.errors.contains(expected), "\(node.errors)")
            #expect(node.errors.split(separator: "\n").count == 1)
        }
        let wrong = try await Programs.run("jobreactor", ["node", "--storage", "postgres://localhost"])
        #expect(wrong.status == 64)
        #expect(wrong.errors.contains("memory, sqlite:FILE, redis"))
    }

    @Test(
        "jobs are listed, shown, retried, cancelled and destroyed from the command line", arguments: Place.Kind.allCases
    )
    func monitor(_ kind: Place.Kind) async throws {
        let place = try await Place(kind)
        let installation = try await Installation(scripts: Self.scripts)
        let output = try Folder(["runs": ""])
        let port = try Programs.freePort()
        let node = try await installation.startNode("n1", ["--server", "localhost:\(port)"] + place.option("n1"))
        var ids: [String] = []
        for number in 0..<4 {
            ids.append(
                try await installation.redis([
                    "ENQUEUE", "note", "{\"n\":\(number),\"file\":\"\(output.path)/runs\"}", "AFTER", "3600",
                ]))
        }
        let storage = place.option("n1")
        func jobs(_ words: [String]) async throws -> Finished {
            try await installation.jobreactor(["jobs"] + words + storage)
        }
        try await eventually("the node has them") {
            try await jobs(["list", "--json"]).output.split(separator: "\n").count == 4
        }
        let list = try await jobs(["list", "--node", "n1", "--name", "note", "--status", "queued", "--limit", "2"])
        #expect(list.status == 0)
        let rows = list.output.split(separator: "\n").map(String.init)
        #expect(rows.count == 3)
        #expect(rows[0].hasPrefix("ID ") && rows[1].hasPrefix(ids[3]) && rows[1].contains("not before "))
        #expect(list.errors.contains("--limit shows more"))
        let shown = try await jobs(["show", ids[1], "--json"])
        #expect(shown.output.contains("\"on_node\":\"n1\"") && shown.output.contains("\"n\":1"))
        #expect(try await jobs(["retry", ids[0]]).output == "runs again: \(ids[0])\n")
        try await eventually("it ran") { Self.lines(output.path + "/runs") == ["0"] }
        #expect(try await jobs(["cancel", ids[1]]).output == "cancelled \(ids[1])\n")
        node.signal(SIGTERM)
        #expect(try await node.exitStatus() == 0)
        // Without the node the storage is changed.
        #expect(try await jobs(["destroy", ids[2]]).output == "destroyed \(ids[2])\n")
        #expect(try await jobs(["destroy", ids[2]]).status == 1)
        #expect(try await jobs(["destroy-all", "--node", "n1", "--yes"]).output == "destroyed 1 job of n1\n")
        #expect(try await jobs(["list", "--json"]).output.isEmpty)
        // The distributor never had them for itself.
        let none = try await installation.jobreactor(["jobs", "list", "--json"])
        #expect(none.status == 0 && none.output.isEmpty && none.errors.contains("its --storage"))
        let wrong = try await jobs(["list", "--status", "lost"])
        #expect(wrong.status == 64 && wrong.errors.contains("--status takes one of new, queued"))
    }
}
