import JobReactor
import JobReactorNode
import JobReactorTesting
import Testing

/// Whether a distributor and a node say that they are to be counted on.
@Suite("Health", .timeLimit(.minutes(5))) struct HealthTests {
    private static let scripts = ["jobs.lua": "job('good', function() end)"]

    @Test("a distributor is ready from its start to its stop") func distributor() async throws {
        let distributor = Distributor(DistributorConfiguration(port: 0, grace: 0))
        let before = await distributor.health()
        #expect(before.hindrances == ["it is starting"] && before.isHealthy && !before.isReady)
        try await distributor.start()
        let between = await distributor.health()
        #expect(between == ServiceHealth() && between.isReady)
        await distributor.stop()
        let after = await distributor.health()
        #expect(after.hindrances == ["it is stopped"] && after.isHealthy)
    }

    @Test("one whose storage refuses is not ready, until that takes again what it is given") func refuses() async throws
    {
        let refuses = Locked(true)
        try await Cluster.run(scripts: Self.scripts) { cluster in
            var logger = cluster.logger
            logger.logLevel = .critical
            let distributor = try await cluster.startDistributor { [logger] in
                $0.logger = logger
                $0.name = "d1"
                $0.storage = FaultInjectingStorage(MemoryStorage()) { call in
                    call.kind == .save && refuses.withLock { $0 } ? FaultInjectingStorage.fault : nil
                }
            }
            try distributor.enqueue("good")
            try await eventually("a refusal") {
                await distributor.health() == ServiceHealth(hindrances: ["its storage refuses"])
            }
            refuses.withLock { $0 = false }
            try await eventually("it is over") { await distributor.health().isReady }
        }
    }

    @Test("a node is ready while it is linked to a distributor and has jobs") func node() async throws {
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let distributor = try await cluster.startDistributor()
            let node = try await cluster.startNode("n1", for: [distributor])
            try await eventually("the link") { await node.health().isReady }
            await distributor.stop(grace: 0)
            try await eventually("its loss") {
                await node.health() == ServiceHealth(hindrances: ["it is linked to no distributor"])
            }
            await node.stop(grace: 0)
            let after = await node.health()
            #expect(after.hindrances == ["it is stopped"])
        }
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor()
            let node = try await cluster.startNode("n1", for: [distributor])
            try await eventually("a node without jobs") {
                await node.health().hindrances == ["no script defines a job"]
            }
        }
    }
}
