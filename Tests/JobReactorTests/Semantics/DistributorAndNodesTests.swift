import JobReactor
import JobReactorNode
import JobReactorTesting
import JobReactorWire
import Testing

/// How distributors and nodes find each other, and who gets a job.
@Suite("Semantics: distributor and nodes") struct DistributorAndNodesTests {
    private static let lua = """
        job('where', function(args) args.node = args.job_itself.node end)
        job('other', function() end)
        """

    private static func node(
        _ name: String, _ cluster: Cluster, _ distributors: [Distributor],
        _ configure: @Sendable (inout NodeConfiguration) -> Void = { _ in }
    ) async throws -> Node {
        try await cluster.startNode(name, for: distributors) {
            $0.mergeJobItselfToArgs = true
            configure(&$0)
        }
    }

    @Test("a node says its name, its address, the jobs it defines and how many it can take")
    func introduction() async throws {
        try await Cluster.run(scripts: ["jobs.lua": Self.lua]) { cluster in
            let distributor = try await cluster.startDistributor()
            let node = try await Self.node("n1", cluster, [distributor]) {
                $0.server = Address(host: "localhost", port: 0)
                $0.window = 77
            }
            try await waitForNodes(["n1"], at: distributor)
            let info = try #require(try await distributor.nodes().first)
            #expect(info.name == "n1" && info.jobs == ["other", "where"] && info.window == 77)
            let port = try #require(try await node.port())
            #expect(info.address == "localhost:\(port)")
            #expect(info.load == 0 && !info.isDurable && !info.isDraining)
        }
    }

    @Test("the distributor connects back to connect_to where it is given, else to the server")
    func connectsBack() async throws {
        try await Cluster.run(scripts: ["jobs.lua": Self.lua]) { cluster in
            let distributor = try await cluster.startDistributor()
            // A node that listens at 127.0.0.1, and says that it is at localhost.
            let first = try await Self.node("n1", cluster, [distributor]) {
                $0.server = Address(host: "127.0.0.1", port: 0)
            }
            try await waitForNodes(["n1"], at: distributor)
            let server = try #require(try await first.port())
            var info = try #require(try await distributor.nodes().first)
            #expect(info.address == "127.0.0.1:\(server)")
            await first.stop()
            try await waitForNodes([], at: distributor)
            let second = try await Self.node("n2", cluster, [distributor]) {
                $0.server = Address(host: "127.0.0.1", port: 0)
                // 0 is the port that it listens on.
                $0.connectTo = Address(host: "localhost", port: 0)
            }
            try await waitForNodes(["n2"], at: distributor)
            let port = try #require(try await second.port())
            info = try #require(try await distributor.nodes().first)
            #expect(info.address == "localhost:\(port)")
            let node = try await distributor.outcome("where").args["node"]
            #expect(node == "n2")
        }
    }

    @Test("a node without a server is served over the connection it opened: the same messages, the same outcomes")
    func withoutServer() async throws {
        for server in [nil, Address(host: "localhost", port: 0)] {
            try await withNode(Self.lua) {
                $0.mergeJobItselfToArgs = true
                $0.server = server
            } _: { distributor in
                let outcomes = Outcomes()
                for _ in 0..<100 { try distributor.enqueue("where", feedback: outcomes.feedback) }
                let all = try await outcomes.wait(for: 100)
                #expect(all.filter { $0.args["node"] == "n1" }.count == 100)
            }
        }
    }

    @Test("lost connections are retried for ever: after 1 s at first, backing off with jitter to at most 10 s")
    func backoff() {
        var shortest = Backoff()
        var longest = Backoff()
        var bounds: [ClosedRange<Double>] = []
        for _ in 0..<100 {
            let low = shortest.next(random: 0)
            let high = longest.next(random: 1)
            bounds.append(min(low, high)...max(low, high))
        }
        #expect(bounds[0] == 1...1)
        #expect(bounds.allSatisfy { $0.upperBound <= 10 && $0.lowerBound >= 1 })
        #expect(bounds[99].upperBound == 10 && bounds[99].lowerBound < 10)
        #expect(zip(bounds, bounds.dropFirst()).allSatisfy { $0.upperBound <= $1.upperBound })
    }

    @Test("a node that comes back takes jobs again at once")
    func comesBack() async throws {
        try await Cluster.run(scripts: ["jobs.lua": Self.lua]) { cluster in
            let distributor = try await cluster.startDistributor()
            for round in 1...3 {
                let node = try await Self.node("n1", cluster, [distributor])
                let outcome = try await distributor.outcome("where")
                #expect(outcome.args["node"] == "n1", "round \(round)")
                await node.stop()
            }
        }
    }

    @Test("any number of distributors and nodes, started and stopped in any order")
    func anyOrder() async throws {
        try await Cluster.run(scripts: ["jobs.lua": Self.lua]) { cluster in
            let one = try await cluster.startDistributor()
            let early = Outcomes()
            try one.enqueue("where", feedback: early.feedback)
            let first = try await Self.node("n1", cluster, [one])
            _ = try await early.wait(for: 1)
            let two = try await cluster.startDistributor()
            let second = try await Self.node("n2", cluster, [one, two])
            let seen = try await two.outcome("where").args["node"]
            #expect(seen == "n2")
            await first.stop()
            try await waitForNodes(["n2"], at: one)
            await one.stop()
            let still = try await two.outcome("where").args["node"]
            #expect(still == "n2")
            await second.stop()
            let late = Outcomes()
            try two.enqueue("where", feedback: late.feedback)
            _ = try await Self.node("n3", cluster, [two])
            let all = try await late.wait(for: 1)
            #expect(all.map { $0.args["node"] } == ["n3"])
        }
    }

    @Test("no fitting node: the distributor keeps the job and sends it when one appears")
    func keeps() async throws {
        try await Cluster.run(scripts: ["jobs.lua": Self.lua]) { cluster in
            let distributor = try await cluster.startDistributor()
            let outcomes = Outcomes()
            for _ in 0..<10 { try distributor.enqueue("where", feedback: outcomes.feedback) }
            let waiting = try await distributor.waitingJobs()
            #expect(waiting == [WaitingJobs(name: "where", count: 10, isParked: true)])
            _ = try await Self.node("n1", cluster, [distributor])
            _ = try await outcomes.wait(for: 10)
            let rest = try await distributor.waitingJobs()
            #expect(rest.isEmpty)
        }
    }

    @Test("a job is sent to a node that defines it and is free; of several, the least loaded")
    func leastLoaded() async throws {
        try await Cluster.run(scripts: ["jobs.lua": Self.lua]) { cluster in
            let distributor = try await cluster.startDistributor()
            for name in ["n1", "n2", "n3"] { _ = try await Self.node(name, cluster, [distributor]) }
            try await waitForNodes(["n1", "n2", "n3"], at: distributor)
            let outcomes = Outcomes()
            for _ in 0..<300 { try distributor.enqueue("where", feedback: outcomes.feedback) }
            let counts = Dictionary(grouping: try await outcomes.wait(for: 300)) { $0.args["node"]?.string ?? "" }
            // Sent in one go, before any outcome: each gets a third.
            #expect(Set(counts.keys) == ["n1", "n2", "n3"])
            #expect(counts.values.allSatisfy { $0.count > 50 }, "\(counts.mapValues(\.count))")
        }
    }

    @Test("the distributor's process stops: nodes go on, for the others and for it when it is back")
    func distributorStops() async throws {
        try await Cluster.run(scripts: ["jobs.lua": Self.lua]) { cluster in
            let one = try await cluster.startDistributor()
            let two = try await cluster.startDistributor()
            let port = try #require(one.port)
            _ = try await Self.node("n1", cluster, [one, two])
            try await waitForNodes(["n1"], at: one)
            try await waitForNodes(["n1"], at: two)
            await one.stop()
            let other = try await two.outcome("where")
            #expect(other.isSuccess)
            let again = try await cluster.restartDistributor(port: port)
            let same = try await again.outcome("where")
            #expect(same.isSuccess)
        }
    }
}
