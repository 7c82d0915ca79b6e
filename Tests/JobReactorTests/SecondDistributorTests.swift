import JobReactor
import JobReactorNode
import JobReactorTesting
import Logging
import Testing

/// Two distributors of one name at one node.
@Suite("A second distributor of one name") struct SecondDistributorTests {
    @Test(
        "is refused and told who the first is, is tried again at growing intervals, and taken when the first is gone",
        arguments: [false, true])
    func isRefused(nodeListens: Bool) async throws {
        let (runs, nodeLog, distributorLog) = (RunLog(), LogRecorder(), LogRecorder())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            var distributors: [Distributor] = []
            for _ in 0..<2 {
                distributors.append(
                    try await cluster.startDistributor {
                        $0.name = "app"
                        $0.logger = distributorLog.logger
                    })
            }
            try await cluster.startNode("n1", for: distributors) {
                $0.logger = nodeLog.logger
                if nodeListens { $0.server = Address(host: "localhost", port: 0) }
            }
            try await eventually("one is linked, and the other knows that it is not") {
                let linked = try await Self.linked(distributors)
                let refusals = distributorLog.lines.elements.filter { $0.text == "a node refuses this distributor" }
                return linked.count == 1 && !refusals.isEmpty
            }
            let first = try #require(try await Self.linked(distributors).first)
            let second = try #require(distributors.first { $0 !== first })
            let (address, other) = ("localhost:\(first.port ?? 0)", "localhost:\(second.port ?? 0)")
            let reason =
                "DISTRIBUTORNAME a distributor named app is already linked to this node, from \(address):"
                + " give one of them another name"

            // What is enqueued at both runs once: what the second has waits.
            let outcomes = Outcomes()
            for distributor in [second, first] {
                for number in 0..<20 {
                    try distributor.enqueue(
                        "note", ["text": .string("\(distributor === first) \(number)")], JobOptions(),
                        feedback: outcomes.feedback)
                }
            }
            _ = try await outcomes.wait(for: 20)
            try await eventually("the waits grow") {
                let waits = nodeLog.lines.elements.filter {
                    $0.text.hasSuffix("trying again") && $0.metadata["address"] == other
                }
                return waits.count >= 3 && waits.last?.metadata["in"] != "1.0 s"
            }
            #expect(try await Self.linked(distributors).map(\.port) == [first.port])
            #expect(runs.lines.sorted() == (0..<20).map { "true \($0)" }.sorted())
            let refused = nodeLog.lines.elements.filter { $0.text == "this node refuses the distributor" }
            #expect(refused.map(\.metadata) == [["address": other, "reason": reason]])
            let told = distributorLog.lines.elements.filter { $0.text == "a node refuses this distributor" }
            #expect(told.map { $0.metadata["reason"] } == [reason])
            #expect(told.map { $0.metadata["node"] } == ["n1"])

            await first.stop()
            _ = try await outcomes.wait(for: 40)
            #expect(runs.lines.count == 40)
            #expect(try await second.nodes().map(\.name) == ["n1"])
        }
    }

    private static func linked(_ distributors: [Distributor]) async throws -> [Distributor] {
        var linked: [Distributor] = []
        for distributor in distributors {
            let nodes = try await distributor.nodes()
            if !nodes.isEmpty { linked.append(distributor) }
        }
        return linked
    }
}
