import Foundation
import JobReactor
import JobReactorCore
import JobReactorNode
import JobReactorRedis
import JobReactorTesting
import JobReactorWire
import Testing

/// Outcomes for a producer that is away, at a distributor with a storage.
@Suite("An outcome that its producer has not taken") struct KeptOutcomesTests {
    private static func distributor(
        _ place: RedisLocation, port: Int, _ cluster: Cluster
    ) async throws -> Distributor {
        let distributor = Distributor(
            DistributorConfiguration(
                name: "app", port: port, grace: 0, storage: place.storage(), logger: cluster.logger))
        try await distributor.start()
        return distributor
    }

    @Test(
        "is told by the next process of the distributor, once, and its job is not run again",
        arguments: [true, false])
    func nextProcess(isNodeDurable: Bool) async throws {
        let (place, runs, gate) = (try await SharedRedis.location(), RunLog(), RunLog())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let port = try RedisServer.freePort()
            let first = try await Self.distributor(place, port: port, cluster)
            let ended = Collector<JobResult>()
            first.onSuccess("gated") { ended.append($0) }
            let node = try await cluster.startNode("n1", for: [first]) {
                if isNodeDurable { $0.storage = place.storage() }
            }
            try await waitForNodes(["n1"], at: first)
            let proxy = try await TCPProxy.start(to: port)
            let client = try await JobClient.connect(host: "127.0.0.1", port: proxy.port)
            let outcomes = Outcomes()
            _ = try client.enqueue(
                "gated", ["gate": .string(gate.path)], JobOptions(), feedback: outcomes.feedback)
            try await client.flush()
            try await eventually("it runs") { runs.lines == ["gated"] }
            proxy.refuse(true)
            try FileManager.default.removeItem(atPath: gate.path)
            try await ended.wait(for: 1)
            await first.stop()
            await node.stop()

            let second = try await Self.distributor(place, port: port, cluster)
            proxy.refuse(false)
            let outcome = try #require(try await outcomes.wait(for: 1).first)
            #expect(outcome.isSuccess)
            try await cluster.startNode("n2", for: [second])
            let after = Outcomes()
            _ = try client.enqueue("note", ["text": "after"], JobOptions(), feedback: after.feedback)
            _ = try await after.wait(for: 1)
            #expect(runs.lines == ["gated", "after"])
            #expect(try await outcomes.wait(for: 1).count == 1)
            let redis = try await RESPClient.connect(to: place.address)
            try await eventually("taken, it is kept no longer") {
                try await redis.send(["KEYS", "\(place.prefix)distributor:*:report:*"]).elements?.isEmpty == true
            }
            await redis.close()
            await client.stop()
            await second.stop()
            await proxy.stop()
        }
    }

    @Test("is told by the next process for each run of a periodic job that a durable node owns")
    func periodic() async throws {
        let (place, runs) = (try await SharedRedis.location(), RunLog())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let port = try RedisServer.freePort()
            let first = try await Self.distributor(place, port: port, cluster)
            let ended = Collector<JobResult>()
            first.onSuccess("count") { ended.append($0) }
            try await cluster.startNode("n1", for: [first]) { $0.storage = place.storage() }
            try await waitForNodes(["n1"], at: first)
            let proxy = try await TCPProxy.start(to: port)
            let client = try await JobClient.connect(host: "127.0.0.1", port: proxy.port)
            let outcomes = Outcomes()
            _ = try client.enqueue("count", [:], JobOptions(period: 0.1), feedback: outcomes.feedback)
            _ = try await outcomes.wait(for: 1)
            proxy.refuse(true)
            // The distributor has these, and says so to the node.
            try await ended.wait(for: ended.elements.count + 4)
            await first.stop()
            let made = runs.lines.count

            let second = try await Self.distributor(place, port: port, cluster)
            proxy.refuse(false)
            let all = Set((1...made).map { JSONValue.integer(Int64($0)) })
            try await eventually("the outcome of each run is told") {
                all.isSubset(of: outcomes.all.compactMap { $0.args["n"] })
            }
            await client.stop()
            await second.stop()
            await proxy.stop()
        }
    }
}
