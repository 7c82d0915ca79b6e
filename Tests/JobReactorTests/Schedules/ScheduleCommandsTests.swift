import Foundation
import JobReactor
import JobReactorCore
import JobReactorNode
import JobReactorSQLite
import JobReactorTesting
import JobReactorWire
import Testing

/// Schedules that are set by command, at a distributor whose clock the test moves.
@Suite("Schedules at a distributor", .timeLimit(.minutes(5))) struct ScheduleCommandsTests {
    private static let scripts = ["jobs.lua": "job('note', function(args) args.ran = true end)"]

    private static func client(_ distributor: Distributor) async throws -> RESPClient {
        try await RESPClient.connect(to: Address(host: "localhost", port: distributor.port ?? 0))
    }

    private static func row(_ name: String, _ client: RESPClient) async throws -> [String: String] {
        guard case .array(let elements) = try await client.send(["SCHEDULE", "GET", name]) else { return [:] }
        let words = elements.compactMap(\.text)
        let pairs = stride(from: 0, to: words.count - 1, by: 2).map { (words[$0], words[$0 + 1]) }
        return Dictionary(pairs) { _, last in last }
    }

    @Test("a schedule runs its job when it is due, and says what came of it") func life() async throws {
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let clock = ManualClock()
            let distributor = try await cluster.startDistributor { $0.clock = clock.wallClock }
            _ = try await cluster.startNode("n1", for: [distributor])
            let client = try await Self.client(distributor)
            let ran = Collector<JobArguments>()
            distributor.handle("note", JobFeedback(onSuccess: { ran.append($0.args) }))
            let set = ["SCHEDULE", "SET", "beat", "every 60s", "note", #"{"n":1}"#, "OVERLAP", "QUEUE"]
            #expect(try await client.send(set).text == "OK")
            #expect(try await client.send(["SCHEDULE", "GET", "none"]) == .null)
            var row = try await Self.row("beat", client)
            #expect(row["spec"] == "every 1m" && row["job"] == "note" && row["overlap"] == "queue")
            #expect(row["next"] == "\(clock.now.seconds + 60)")
            clock.advance(bySeconds: 60)
            try await ran.wait(for: 1)
            #expect(ran.elements.first?["n"]?.int == 1 && ran.elements.first?["ran"]?.bool == true)
            try await eventually("the schedule knows how the job has ended") {
                try await Self.row("beat", client)["last_outcome"] == "complete"
            }
            // Paused it makes none, but by hand.
            #expect(try await client.send(["SCHEDULE", "PAUSE", "beat"]).integer == 1)
            #expect(try await client.send(["SCHEDULE", "PAUSE", "beat"]).integer == 0)
            clock.advance(bySeconds: 600)
            #expect(try await client.send(["SCHEDULE", "RUN", "beat"]).text.flatMap { JobID($0) } != nil)
            try await ran.wait(for: 2)
            row = try await Self.row("beat", client)
            #expect(row["paused_by"] == "default" && row["next"] == "")
            #expect(try await client.send(["SCHEDULE", "RESUME", "beat"]).integer == 1)
            clock.advance(bySeconds: 60)
            try await ran.wait(for: 3)
            #expect(try await client.send(["SCHEDULE", "DEL", "beat"]).integer == 1)
            #expect(try await client.send(["SCHEDULE", "DEL", "beat"]).integer == 0)
            #expect(try await client.send(["SCHEDULES"]) == .array([]))
            await client.close()
        }
    }

    @Test("a restart makes no tick twice, and the newest of those that were missed") func restart() async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "schedules-\(UUID().uuidString).sqlite").path
        defer { for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) } }
        let clock = ManualClock()
        for round in 0..<3 {
            try await Cluster.run(scripts: Self.scripts) { cluster in
                let distributor = try await cluster.startDistributor {
                    $0.name = "app"
                    $0.clock = clock.wallClock
                    $0.storage = SQLiteStorage(file: path, durability: .process)
                }
                let client = try await Self.client(distributor)
                if round == 0 {
                    let set = ["SCHEDULE", "SET", "beat", "every 60s", "note", "{}", "OVERLAP", "ALLOW"]
                    #expect(try await client.send(set).text == "OK")
                    clock.advance(bySeconds: 60)
                }
                // No node runs them: each is there to be counted.
                let expected = round + 1
                try await eventually("there are \(expected) ticks") {
                    try await Self.row("beat", client)["open"] == "\(expected)"
                }
                #expect(try await Self.row("beat", client)["made"] == "\(expected)")
                await client.close()
            }
            clock.advance(bySeconds: 600)
        }
    }

    @Test("a schedule waits for a node that is away only until its job is cancelled", arguments: ["CANCEL", "DESTROY"])
    func away(command: String) async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor()
            let node = try await ScriptedNode.connect(to: distributor, "gone", isDurable: true, jobs: ["note"])
            let client = try await Self.client(distributor)
            #expect(try await client.send(["SCHEDULE", "SET", "beat", "@yearly", "note"]).text == "OK")
            let first = try #require(try await client.send(["SCHEDULE", "RUN", "beat"]).text)
            let number = try await node.job(try #require(JobID(first))).handOver.number
            try await node.say { LinkMessage.writeSaved(number, through: number, to: &$0) }
            try await node.end()
            try await eventually("the node is away") {
                try await Self.row("beat", client)["waits_for"] == "the job \(first), whose node gone is away"
            }
            #expect(try await client.send(["INFO"]).text?.contains("at_away_nodes:1") == true)
            #expect(try await client.send(["SCHEDULE", "RUN", "beat"]) == .null)
            #expect(try await client.send([command, first]).integer == 1)
            let row = try await Self.row("beat", client)
            #expect(row["open"] == "0" && row["waits_for"] == "" && row["last_outcome"] == "cancelled")
            #expect(try await client.send(["SCHEDULE", "RUN", "beat"]).text.flatMap { JobID($0) } != nil)
            let fields = (try await client.send(["JOB", first]).elements ?? []).compactMap(\.text)
            #expect(fields.contains("its node gone is away: it is cancelled there when that is back"))
            await client.close()
        }
    }

    @Test("how a tick ended that a full limit has discarded is known to the definition that comes later")
    func discarded() async throws {
        let scripts = """
            limit('one', { concurrency = 1, when_full = 'discard' })
            job('busy', { limit = 'one' }, function() sleep(100000) end)
            job('note', { limit = 'one' }, function() end)
            schedule('beat', '@yearly', 'note')
            """
        try await Cluster.run(scripts: ["jobs.lua": scripts]) { cluster in
            let distributor = try await cluster.startDistributor()
            let node = try await cluster.startNode("n1", for: [distributor])
            let client = try await Self.client(distributor)
            try await eventually("the schedule is there") { try await !Self.row("beat", client).isEmpty }
            let busy = try #require(try await client.send(["ENQUEUE", "busy"]).text)
            #expect(try await client.send(["SCHEDULE", "RUN", "beat"]).text.flatMap { JobID($0) } != nil)
            #expect(try await Self.row("beat", client)["last_outcome"] == "cancelled")
            #expect(try await client.send(["CANCEL", busy]).integer == 1)
            await node.stop()
            try await eventually("the schedule is gone") { try await Self.row("beat", client).isEmpty }
            _ = try await cluster.startNode("n2", for: [distributor])
            try await eventually("it is there again") { try await !Self.row("beat", client).isEmpty }
            #expect(try await Self.row("beat", client)["last_outcome"] == "cancelled")
            await client.close()
        }
    }

    @Test("scripts define schedules as long as their node is connected") func scripts() async throws {
        let script = Self.scripts["jobs.lua"] ?? ""
        try await Cluster.run(scripts: ["jobs.lua": script + "\nschedule('nightly', '30 2 * * *', 'note', { n = 1 })"])
        {
            cluster in
            let distributor = try await cluster.startDistributor()
            let node = try await cluster.startNode("n1", for: [distributor])
            let client = try await Self.client(distributor)
            try await eventually("the schedule is there") { try await !Self.row("nightly", client).isEmpty }
            #expect(try await Self.row("nightly", client)["place"] == "the scripts of n1")
            let other = ["SCHEDULE", "SET", "nightly", "@daily", "note"]
            let reply = try await client.send(other)
            #expect(
                reply.text?.hasPrefix("ERR the schedule 'nightly' is defined differently by the scripts of n1") == true)
            await node.stop()
            try await eventually("the schedule is gone") { try await Self.row("nightly", client).isEmpty }
            await client.close()
        }
    }
}
