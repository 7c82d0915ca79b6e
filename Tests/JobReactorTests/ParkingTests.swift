import Foundation
import JobReactor
import JobReactorCore
import JobReactorNode
import JobReactorTesting
import JobReactorWire
import Logging
import Testing

/// Jobs that wait as no connected node defines them.
@Suite("A job that nobody defines") struct ParkingTests {
    private static let reason =
        "no connected node defines the job 'gret' (did you mean 'greet'?): it is parked until one does"
    private static let scripts = ["jobs.lua": "job('greet', function(args) args.v = 1 end)"]

    private static func texts(_ log: LogRecorder, _ part: String) -> [String] {
        log.lines.elements.filter { $0.level == .warning && $0.text.contains(part) }.map(\.text)
    }

    @Test("is told of at once to who waits for it, with the nearest name, and once a name in the log")
    func told() async throws {
        let log = LogRecorder()
        try await Cluster.run(scripts: Self.scripts, logger: log.logger) { cluster in
            let distributor = try await cluster.startDistributor()
            try await cluster.startNode("n1", for: [distributor])
            try await waitForNodes(["n1"], at: distributor)
            let address = Address(host: "localhost", port: try #require(distributor.port))
            let clientLog = LogRecorder()
            let client = try await JobClient.connect(to: address, logger: clientLog.logger)
            let told = Collector<JobProgress>()
            for producer in [distributor, client] as [any JobProducer] {
                for _ in 0..<2 { try producer.enqueue("gret", onProgress: { told.append($0) }) }
            }
            try await told.wait(for: 4)
            #expect(told.elements.allSatisfy { $0.isParked && $0.text == Self.reason && $0.fraction == nil })
            for producer in [distributor, client] as [any JobProducer] {
                let error = await #expect(throws: JobError.self) { try await producer.perform("gret", timeout: 3) }
                #expect(error?.message.hasSuffix("; the job continues: \(Self.reason)") == true)
            }
            #expect(Self.texts(log, "'gret'") == [Self.reason])
            #expect(Self.texts(clientLog, "'gret'") == [Self.reason])
            await client.stop()
        }
    }

    @Test("runs when a node defines it, and is told of again when none does any more")
    func again() async throws {
        let log = LogRecorder()
        try await Cluster.run(scripts: Self.scripts, logger: log.logger) { cluster in
            let distributor = try await cluster.startDistributor()
            let (told, outcomes) = (Collector<JobProgress>(), Outcomes())
            try distributor.enqueue("greet", onProgress: { told.append($0) })
            try distributor.enqueue("greet", feedback: outcomes.feedback)
            try await told.wait(for: 1)
            let reason = "no connected node defines the job 'greet': it is parked until one does"
            #expect(told.elements.first?.text == reason)
            let node = try await cluster.startNode("n1", for: [distributor])
            #expect(try await outcomes.wait(for: 1).first?.args["v"] == 1)
            // It waits at the distributor for a node that will not come, while another defines it.
            let waiting = Outcomes()
            try distributor.enqueue("greet", [:], JobOptions(notNode: "n1"), feedback: waiting.feedback)
            #expect(try await distributor.perform("greet", timeout: 60)["v"] == 1)
            #expect(waiting.progress.elements.isEmpty)
            await node.stop()
            try await eventually("the name to be told of") {
                Self.texts(log, "waiting jobs are parked: no connected node defines them any more").count == 1
            }
            try distributor.enqueue("greet", feedback: waiting.feedback)
            try await waiting.progress.wait(for: 1)
            #expect(Self.texts(log, "the job 'greet'").count == 1)
        }
    }

    @Test("is told of by the job that performs it")
    func performed() async throws {
        let log = LogRecorder()
        try await withNode(
            """
            job('greet', function(args) args.v = 1 end)
            job('asks', function(args) args.v = perform('gret').v end)
            """, { $0.logger = log.logger }
        ) { distributor in
            try distributor.enqueue("asks")
            try await eventually("the warning") { !Self.texts(log, "perform: \(Self.reason)").isEmpty }
            let line = log.lines.elements.first { $0.text.hasPrefix("perform: ") }
            #expect(line?.metadata["job"] == "asks")
        }
    }
}
