import JobReactor
import JobReactorNode
import JobReactorTesting
import JobReactorWire
import Testing

/// Peers that take a connection and say nothing: each wait has an end, a line in the log, and a way on.
@Suite("A peer that says nothing", .timeLimit(.minutes(5))) struct SilentPeerTests {
    private static let hasty = RESPLimits(authenticationTime: 1, silenceTime: 300)

    @Test("at a node's address is given up by the distributor, which serves the node over its own connection")
    func dialBack() async throws {
        let (silent, runs, log) = (try await ScriptedDistributor.start(), RunLog(), LogRecorder())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let distributor = try await cluster.startDistributor {
                $0.limits = Self.hasty
                $0.logger = log.logger
            }
            try await cluster.startNode("n1", for: [distributor]) {
                $0.server = Address(host: "localhost", port: 0)
                $0.connectTo = silent.address
            }
            try await waitForNodes(["n1"], at: distributor)
            let outcomes = Outcomes()
            try distributor.enqueue("note", ["text": "x"], JobOptions(), feedback: outcomes.feedback)
            _ = try await outcomes.wait(for: 1)
            let lines = log.lines.elements.filter { $0.text.hasPrefix("cannot connect back to the node") }
            #expect(lines.map { $0.metadata["reason"] } == ["no answer within 1 s"])
        }
        try await silent.stop()
    }

    @Test("at a distributor's address is given up by a node, said once, and tried again")
    func node() async throws {
        let (silent, runs, log) = (try await ScriptedDistributor.start(), RunLog(), LogRecorder())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            try await cluster.startNode("n1", for: []) {
                $0.distributors = [silent.address]
                $0.limits = Self.hasty
                $0.logger = log.logger
            }
            try await silent.connected(times: 3)
            let lines = log.lines.elements.filter { $0.text == "the distributor does not answer" }
            #expect(lines.map { $0.metadata["reason"] } == ["no answer within 1 s"])
        }
        try await silent.stop()
    }

    @Test("at a distributor's address is told to an application that connects")
    func client() async throws {
        let silent = try await ScriptedDistributor.start()
        let error = await #expect(throws: WireError.self) { try await JobClient.connect(to: silent.address) }
        #expect(error?.message == "\(silent.address) refuses: no answer within 10 s")
        try await silent.stop()
    }
}
