import JobReactor
import JobReactorCore
import JobReactorNode
import JobReactorTesting
import JobReactorWire
import Testing

/// A distributor, and an application, that have as much as they may: they say so, keep what they have, and go on when some of
/// it has left.
@Suite("Memory for what waits", .timeLimit(.minutes(5))) struct MemoryTests {
    private static let args: JobArguments = ["text": .string(String(repeating: "x", count: 10_000))]
    /// Room for some tens of those.
    private static let limit = 500_000

    private static func scripts(_ runs: RunLog) -> [String: String] {
        ["jobs.lua": runs.lua + "\njob('large', function(args) note('large') args.text = nil end)"]
    }

    /// Enqueues until it is refused; returns how many were accepted.
    private static func fill(_ producer: some JobProducer, _ outcomes: Outcomes) throws -> Int {
        for count in 0..<10_000 {
            do {
                try producer.enqueue("large", args, JobOptions(), feedback: outcomes.feedback)
            } catch {
                #expect(error.code == .busy)
                #expect(error.message.contains("try again later"))
                return count
            }
        }
        return 10_000
    }

    @Test("an application's enqueue throws when it is used up, all that was accepted runs, and then there is room")
    func application() async throws {
        let (runs, log) = (RunLog(), LogRecorder())
        try await Cluster.run(scripts: Self.scripts(runs)) { cluster in
            let distributor = try await cluster.startDistributor {
                $0.maxMemory = Self.limit
                $0.logger = log.logger
            }
            let outcomes = Outcomes()
            let count = try Self.fill(distributor, outcomes)
            #expect((40...50).contains(count))
            // Nor does a list of them go in part.
            let list = [JobSubmission](repeating: JobSubmission("large", Self.args), count: 3)
            #expect(throws: JobError.self) { try distributor.enqueue(contentsOf: list) }
            try await cluster.startNode("n1", for: [distributor])
            _ = try await outcomes.wait(for: count)
            #expect(runs.lines.count == count)
            try distributor.enqueue("large", Self.args, JobOptions(), feedback: outcomes.feedback)
            _ = try await outcomes.wait(for: count + 1)
        }
    }

    @Test("a Redis client is told BUSY, INFO says so, and it ends by itself; the log has one line for each")
    func commands() async throws {
        let (runs, log) = (RunLog(), LogRecorder())
        try await Cluster.run(scripts: Self.scripts(runs)) { cluster in
            let distributor = try await cluster.startDistributor {
                $0.maxMemory = Self.limit
                $0.logger = log.logger
            }
            let client = try await RESPClient.connect(to: Address(host: "localhost", port: distributor.port ?? 0))
            let words = ["ENQUEUE", "large", Self.args.description]
            var (count, last) = (0, RESPValue.null)
            while count < 1000 {
                last = try await client.send(words)
                if last.text?.hasPrefix("BUSY ") == true { break }
                count += 1
            }
            #expect(last.text?.contains("the limit is \(Self.limit) (max_memory)") == true)
            #expect((40...50).contains(count))
            let perform = try await client.send(["PERFORM", "large"])
            #expect(perform.text?.hasPrefix("BUSY ") == true)
            let info = try #require(try await client.send(["INFO", "memory"]).text)
            #expect(info.contains("busy:1\r\n") && info.contains("max_memory:\(Self.limit)\r\n"))
            #expect(try await distributor.waitingJobs().map(\.count).reduce(0, +) == count)
            try await cluster.startNode("n1", for: [distributor])
            try await eventually("all have run") { runs.lines.count == count }
            try await eventually("there is room") {
                try await client.send(["INFO", "memory"]).text?.contains("waiting_bytes:0\r\n") == true
            }
            #expect(try await client.send(words).text.flatMap { JobID($0) } != nil)
            try await eventually("it runs") { runs.lines.count == count + 1 }
            let lines = log.lines.elements.map(\.text)
            let refused = lines.filter { $0.hasPrefix("jobs are refused") }
            #expect(refused.count == 1 && refused[0].contains("; the limit is \(Self.limit) (maxMemory): "))
            #expect(lines.count { $0 == "jobs are accepted again" } == 1)
            await client.close()
        }
    }

    @Test("an application elsewhere is held back, then told, and all of its jobs run once")
    func client() async throws {
        let runs = RunLog()
        try await Cluster.run(scripts: Self.scripts(runs)) { cluster in
            let distributor = try await cluster.startDistributor { $0.maxMemory = 100_000 }
            let address = Address(host: "localhost", port: distributor.port ?? 0)
            let client = try await JobClient.connect(to: address, maxMemory: Self.limit, logger: cluster.logger)
            let outcomes = Outcomes()
            let count = try Self.fill(client, outcomes)
            #expect((40...50).contains(count))
            try await cluster.startNode("n1", for: [distributor])
            _ = try await outcomes.wait(for: count)
            #expect(runs.lines.count == count)
            let more = try Self.fill(client, outcomes)
            _ = try await outcomes.wait(for: count + more)
            await client.stop()
        }
    }

    @Test(
        "a node where as many jobs wait for their time as may asks for no more, says so, and goes on when some have left"
    )
    func node() async throws {
        let (runs, log) = (RunLog(), LogRecorder())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let distributor = try await cluster.startDistributor()
            let node = try await cluster.startNode("n1", for: [distributor]) {
                $0.maxMemory = 1 << 20
                $0.window = 16
                $0.server = Address(host: "localhost", port: 0)
                $0.logger = log.logger
            }
            try await waitForNodes(["n1"], at: distributor)
            let ids = try distributor.enqueue(
                contentsOf: (0..<1500).map { JobSubmission("note", ["text": .integer($0)], JobOptions(after: 3600)) })
            let client = try await RESPClient.connect(
                to: Address(host: "localhost", port: try #require(try await node.port())))
            @Sendable func says(_ text: String) async throws -> Bool {
                try await client.send(["INFO", "jobs"]).text?.contains(text + "\r\n") == true
            }
            try await eventually("it is full") { try await says("full:1") }
            try await eventually("the rest waits") {
                try await (400...476).contains(distributor.waitingJobs().first?.count ?? 0)
            }
            for id in ids.prefix(400) { #expect(try await distributor.cancel(id)) }
            // More come, until it is full again; once it is, it may lose a tenth before it asks for more.
            try await eventually("few are left") { try await distributor.waitingJobs().first?.count ?? 0 < 200 }
            let lines = log.lines.elements.map(\.text)
            #expect(lines.contains { $0.contains("jobs that wait for their due time use all of maxMemory:") })
            #expect(lines.contains("jobs are asked for again"))
            await client.close()
        }
    }

    @Test("a producer's jobs for which there is no room go back, within its credit; beyond that its link is closed")
    func producers() async throws {
        let runs = RunLog()
        try await Cluster.run(scripts: Self.scripts(runs)) { cluster in
            let distributor = try await cluster.startDistributor { $0.maxMemory = Self.limit }
            let address = Address(host: "localhost", port: distributor.port ?? 0)
            let producer = try await ScriptedProducer.connect(to: address)
            try await producer.hear("CREDIT")
            try await producer.sendJobs(1...200, named: "large", Self.args)
            try await producer.hear("RETURNED")
            let redis = try await RESPClient.connect(to: address)
            let waiting = try await distributor.waitingJobs().map(\.count).reduce(0, +)
            #expect((40...50).contains(waiting))
            let info = try #require(try await redis.send(["INFO", "memory"]).text)
            let bytes = info.split(separator: "\r\n").first { $0.hasPrefix("waiting_bytes:") }.flatMap {
                Int($0.dropFirst(14))
            }
            #expect(try #require(bytes) <= Self.limit)
            // Those that it has may be cancelled, and their room is others'.
            try await producer.cancel(JobID(high: 5, low: 1))
            try await eventually("one has gone") {
                try await distributor.waitingJobs().map(\.count).reduce(0, +) == waiting - 1
            }
            try await producer.sendJobs(201...9000, named: "large")
            try await producer.hear("ERR more jobs than this distributor has granted credit for")
            await producer.close()
            await redis.close()
        }
    }

    @Test("a producer that does not take its outcomes gets no credit for more, and is served when it does")
    func outcomesThatAreNotTaken() async throws {
        let runs = RunLog()
        let scripts = ["jobs.lua": "job('grows', function(args) args.text = ('x'):rep(50000) end)"]
        try await Cluster.run(scripts: scripts) { cluster in
            let distributor = try await cluster.startDistributor { $0.maxMemory = 400_000 }
            try await cluster.startNode("n1", for: [distributor])
            try await waitForNodes(["n1"], at: distributor)
            let address = Address(host: "localhost", port: distributor.port ?? 0)
            let producer = try await ScriptedProducer.connect(to: address)
            try await producer.hear("CREDIT")
            try await producer.sendJobs(1...20, named: "grows")
            try await producer.hear("RESULT", times: 20)
            let redis = try await RESPClient.connect(to: address)
            #expect(try await redis.send(["ENQUEUE", "grows"]).text?.hasPrefix("BUSY ") == true)
            try await producer.take(through: 20)
            try await eventually("there is room") {
                try await redis.send(["ENQUEUE", "grows"]).text.flatMap { JobID($0) } != nil
            }
            await producer.close()
            await redis.close()
        }
        #expect(runs.lines.isEmpty)
    }
}
