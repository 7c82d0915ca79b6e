import JobReactor
import JobReactorCore
import JobReactorNode
import JobReactorTesting
import Logging
import Testing

@testable import JobReactorWire

/// A distributor that keeps to the protocol's words and not to its rules.
@Suite("A hostile distributor") struct HostileDistributorTests {
    /// A node with a window of 8 that is linked to it and to an honest one.
    private static func withBoth(
        _ body: @escaping @Sendable (Distributor, ScriptedDistributor, RunLog) async throws -> Void
    ) async throws {
        let (hostile, runs) = (try await ScriptedDistributor.start(), RunLog())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let honest = try await cluster.startDistributor()
            let port = try #require(honest.port)
            try await cluster.startNode("n1", for: []) {
                $0.distributors = [hostile.address, Address(host: "localhost", port: port)]
                $0.window = 8
                $0.logger.logLevel = .critical
            }
            try await hostile.welcome()
            try await waitForNodes(["n1"], at: honest)
            try await body(honest, hostile, runs)
        }
        try await hostile.stop()
    }

    @Test("that sends more than it was asked for loses its link, with the reason, and an honest one is served")
    func beyondCredit() async throws {
        try await Self.withBoth { honest, hostile, runs in
            try await hostile.say { buffer in
                for number in 1...100 {
                    LinkMessage.writeJob(
                        HandOver(number, JobID(high: 9, low: UInt64(number))),
                        JobRequest(name: "note", args: ["text": "hostile"], options: JobOptions(after: 3600)),
                        isAgain: false, to: &buffer)
                }
            }
            // 8 jobs of credit, and as many that it might have believed to have come before.
            try await hostile.hear("ERR more jobs than this node has granted credit for: 17, with credit for 8")
            try await hostile.connected(times: 2)
            let outcomes = Outcomes()
            try honest.enqueue("note", ["text": "honest"], JobOptions(), feedback: outcomes.feedback)
            _ = try await outcomes.wait(for: 1)
            #expect(runs.lines == ["honest"])
        }
    }

    @Test("neither sees nor cancels the jobs of another")
    func othersJobs() async throws {
        try await Self.withBoth { honest, hostile, runs in
            let id = try honest.enqueue("note", ["text": "secret"], JobOptions(after: 3600))
            try await eventually("the node has it") { try await honest.job(id)?.node == "n1" }
            try await hostile.say { buffer in
                LinkMessage.writeShow(id, to: &buffer)
                LinkMessage.writeCancel(id, to: &buffer)
                LinkMessage.writeShow(id, to: &buffer)
            }
            try await hostile.hear("SHOWN", times: 2)
            #expect(!hostile.heard.elements.joined().contains("secret"))
            #expect(try await honest.job(id)?.status == .queued)
            #expect(try await honest.cancel(id))
            try await eventually("it is gone") { try await honest.job(id) == nil }
            #expect(runs.lines.isEmpty)
        }
    }
}
