import JobReactor
import JobReactorNode
import JobReactorTesting
import JobReactorWire
import ServiceLifecycle
import Testing

/// Producers elsewhere: `JobClient`, and any Redis client.
@Suite struct ClientTests {
    static let scripts = [
        "jobs.lua": """
        job('echo', function(args) end)
        job('slow', function(args) io.popen('sleep 0.3'):close() end)
        job('fails', { max_attempt = 1 }, function(args) error('no disk') end)
        """
    ]

    private static func address(_ distributor: Distributor) throws -> Address {
        Address(host: "localhost", port: try #require(distributor.port))
    }

    @Test func aClientEnqueuesAndGetsFeedbacks() async throws {
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let distributor = try await cluster.startDistributor()
            try await cluster.startNode("n1", for: [distributor])
            let client = try await JobClient.connect(to: try Self.address(distributor), logger: cluster.logger)
            let results = Collector<Int>()
            for number in 0..<5_000 {
                try client.enqueue("echo", ["n": JSONValue(number)], onSuccess: { results.append($0["n"]?.int ?? -1) })
            }
            try await results.wait(for: 5_000, seconds: 120)
            #expect(results.elements.sorted() == Array(0..<5_000))
            let failure = await #expect(throws: JobFailure.self) { try await client.perform("fails", timeout: 20) }
            #expect(failure?.message.hasSuffix("jobs.lua:3: no disk") == true)
            await client.stop()
        }
    }

    @Test func whatAClientEnqueuedSurvivesTheRestartOfItsDistributor() async throws {
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let first = try await cluster.startDistributor()
            let address = try Self.address(first)
            let client = try await JobClient.connect(to: address, logger: cluster.logger)
            let results = Collector<JobResult>()
            for _ in 0..<50 { try client.enqueue("echo", onSuccess: { results.append($0) }) }
            try await client.flush()
            await first.stop()
            let second = try await cluster.restartDistributor(port: address.port)
            try await cluster.startNode("n1", for: [second])
            try await results.wait(for: 50)
            #expect(Set(results.elements.map(\.id)).count == 50)
            await client.stop()
        }
    }

    @Test("a flush ends when a connection was lost and the outcomes came before the jobs could be sent again")
    func flushAfterOutcomes() async throws {
        let distributor = try await ScriptedDistributor.start()
        async let connecting = JobClient.connect(to: distributor.address)
        try await distributor.hear("PRODUCER")
        try await distributor.say {
            Handshake.distributor(id: "0001", name: "scripted").write(to: &$0)
            LinkMessage.writeCredit(10, to: &$0)
        }
        let client = try await connecting
        let results = Collector<JobResult>()
        let id = try client.enqueue("echo", onSuccess: { results.append($0) })
        try await distributor.hear("echo")
        let flushed = Collector<Bool>()
        let flush = Task {
            try await client.flush()
            flushed.append(true)
        }
        // What the distributor has answered is lost with the connection.
        try await distributor.cut()
        try await distributor.connected(times: 2)
        try await distributor.hear("PRODUCER", times: 2)
        try await distributor.say {
            Handshake.distributor(id: "0001", name: "scripted").write(to: &$0)
            LinkMessage.writeResult(
                1, JobReport(id: id, name: "echo", feedback: Feedback(.success, args: [:]), status: .complete, run: 1),
                to: &$0)
            LinkMessage.writeCredit(10, to: &$0)
        }
        try await results.wait(for: 1)
        try await flushed.wait(for: 1)
        await client.stop()
        _ = try? await flush.value
        try await distributor.stop()
    }

    @Test func aDistributorThatIsNotThereIsOneClearError() async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor()
            let address = try Self.address(distributor)
            await distributor.stop()
            let error = await #expect(throws: WireError.self) {
                try await JobClient.connect(to: address, logger: cluster.logger)
            }
            #expect(error?.message.hasPrefix("cannot connect to \(address): ") == true)
        }
    }

    @Test func performEndsWithAnErrorWhenTheDistributorStops() async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor()
            let outcome = Task { try await distributor.perform("never") }
            try await eventually("the job waits") {
                let client = try await RESPClient.connect(to: try Self.address(distributor))
                let info = try await client.send(["INFO", "jobs"]).text ?? ""
                await client.close()
                return info.contains("waiting:1\r\n")
            }
            await distributor.stop()
            let error = await #expect(throws: JobError.self) { try await outcome.value }
            #expect(error?.code == .stopped)
            let refused = #expect(throws: JobError.self) { try distributor.enqueue("late") }
            #expect(refused?.code == .stopped)
        }
    }

    @Test func performGivesUpAfterItsTimeoutAndTheJobGoesOn() async throws {
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let distributor = try await cluster.startDistributor()
            let error = await #expect(throws: JobError.self) { try await distributor.perform("echo", timeout: 0.05) }
            #expect(error?.code == .timedOut)
            try await cluster.startNode("n1", for: [distributor])
            try await eventually("the job ran") { try await distributor.nodes().first?.load == 0 }
        }
    }

    @Test func aDistributorIsAService() async throws {
        let distributor = Distributor(DistributorConfiguration(port: 0))
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: [distributor], logger: distributor.configuration.logger))
        async let run: Void = group.run()
        try await eventually("the port is open") { distributor.port != nil }
        await group.triggerGracefulShutdown()
        try await run
        #expect(distributor.port == nil)
    }

    @Test func aRedisClientEnqueuesAndPerforms() async throws {
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let distributor = try await cluster.startDistributor()
            try await cluster.startNode("n1", for: [distributor])
            try await waitForNodes(["n1"], at: distributor)
            let client = try await RESPClient.connect(to: try Self.address(distributor))
            #expect(try await client.send(["PING"]) == .simple("PONG"))
            let id = try #require(try await client.send(["enqueue", "echo", #"{"a":1}"#, "after", "100"]).text)
            #expect(JobID(id) != nil)
            let record = try #require(try await client.send(["JOB", id]).elements?.compactMap(\.text))
            #expect(record.starts(with: ["id", id, "name", "echo", "args", #"{"a":1}"#, "status", "queued"]))
            #expect(record.suffix(2) == ["on_node", "n1"])
            #expect(try await client.send(["CANCEL", id]) == .integer(1))
            try await eventually("the job is gone") { try await client.send(["JOB", id]) == .null }
            #expect(try await client.send(["CANCEL", id]) == .integer(0))
            #expect(
                try await client.send(["PERFORM", "echo", #"{"a":[],"b":{}}"#]).text.map {
                    try JobArguments(json: $0).value
                }
                    == ["a": [], "b": [:]] as JSONValue)
            let failed = try #require(try await client.send(["PERFORM", "fails", "{}"]).text)
            #expect(failed.hasPrefix(#"JOBFAILED {"error":""#) && failed.hasSuffix(#"/jobs.lua:3: no disk"}"#))
            let late = try #require(try await client.send(["PERFORM", "absent", "TIMEOUT", "0.05"]).text)
            #expect(late.hasPrefix("TIMEOUT no outcome of job "))
            #expect(
                late.hasSuffix(
                    " within 0.05 s; the job continues: no connected node defines the job 'absent': it is parked until one does"
                ))
            let slow = try #require(try await client.send(["PERFORM", "echo", "AFTER", "60", "TIMEOUT", "0.05"]).text)
            #expect(slow.hasSuffix(" within 0.05 s; the job continues"))
            let nodes = try #require(try await client.send(["NODES"]).elements)
            #expect(nodes.count == 1)
            let info = try #require(try await client.send(["INFO"]).text)
            #expect(info.contains("absent:count=1,parked=no node defines it\r\n"))
            await client.close()
        }
    }

    @Test func theSameIdTwiceIsOneJob() async throws {
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let distributor = try await cluster.startDistributor()
            let client = try await RESPClient.connect(to: try Self.address(distributor))
            let id = "0123456789abcdef0123456789abcdef"
            for _ in 0..<2 { #expect(try await client.send(["ENQUEUE", "echo", "{}", "ID", id]).text == id) }
            #expect(try await client.send(["INFO", "jobs"]).text?.contains("unfinished:1\r\n") == true)
            await client.close()
        }
    }

    @Test func aNodesOwnPortShowsItsJobs() async throws {
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let node = try await cluster.startNode("n1", for: []) { $0.server = Address(host: "localhost", port: 0) }
            let port = try #require(try await node.port())
            let client = try await RESPClient.connect(to: Address(host: "localhost", port: port))
            let jobs = try #require(try await client.send(["JOBS"]).elements)
            #expect(jobs.compactMap { $0.elements?[1].text } == ["echo", "fails", "slow"])
            #expect(try await client.send(["INFO", "server"]).text?.contains("role:node\r\n") == true)
            #expect(try await client.send(["JOB", String(repeating: "0", count: 32)]) == .null)
            #expect(
                try await client.send(["ENQUEUE", "echo"])
                    == .error("ERR this is a node: send that command to a distributor"))
            await client.close()
        }
    }
}
