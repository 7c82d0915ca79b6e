import Foundation
import JobReactor
import JobReactorCore
import JobReactorNode
import JobReactorRedis
import JobReactorTesting
import JobReactorWire
import Testing

@Suite("Schedules of distributors that share a Redis", .timeLimit(.minutes(5))) struct SharedSchedulesTests {
    private static let scripts = [
        "jobs.lua": """
        job('note', function(args) args.ran = true end)
        schedule('beat', 'every 60s', { overlap = 'allow' }, 'note')
        """
    ]

    private static func row(_ client: RESPClient) async throws -> [String: String] {
        let words = (try await client.send(["SCHEDULE", "GET", "beat"]).elements ?? []).compactMap(\.text)
        let pairs = stride(from: 0, to: words.count - 1, by: 2).map { (words[$0], words[$0 + 1]) }
        return Dictionary(pairs) { _, last in last }
    }

    private static func client(_ distributor: Distributor) async throws -> RESPClient {
        try await RESPClient.connect(to: Address(host: "localhost", port: distributor.port ?? 0))
    }

    @Test("the next leader waits for the job of the last tick, which is at the one before") func open() async throws {
        let location = try await SharedRedis.location()
        try await Cluster.run(scripts: [:]) { cluster in
            let start: @Sendable (String) async throws -> Distributor = { name in
                try await cluster.startDistributor {
                    $0.name = name
                    $0.storage = location.storage()
                }
            }
            let first = try await start("first")
            let second = try await start("second")
            let (one, other) = (try await Self.client(first), try await Self.client(second))
            #expect(try await one.send(["SCHEDULE", "SET", "beat", "@yearly", "note"]).text == "OK")
            let id = try #require(try await one.send(["SCHEDULE", "RUN", "beat"]).text)
            await one.close()
            await first.stop()
            try await eventually("the second leads") {
                try await Self.row(other)["waits_for"] == "the job \(id), which another distributor has made"
            }
            #expect(try await Self.row(other)["open"] == "1")
            #expect(try await other.send(["SCHEDULE", "RUN", "beat"]) == .null)
            // It is back, and follows; its job ends.
            let again = try await Self.client(try await start("first"))
            #expect(try await again.send(["CANCEL", id]).integer == 1)
            try await eventually("the second knows") { try await Self.row(other)["open"] == "0" }
            #expect(try await other.send(["SCHEDULE", "RUN", "beat"]).text.flatMap { JobID($0) } != nil)
            await again.close()
            await other.close()
        }
    }

    @Test("a tick is made once, and the other goes on when the first is gone") func once() async throws {
        let location = try await SharedRedis.location()
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let clock = ManualClock()
            let ran = Collector<JobArguments>()
            let count: @Sendable (Distributor) -> Void = { distributor in
                distributor.handle("note", JobFeedback(onSuccess: { ran.append($0.args) }))
            }
            let first = try await cluster.startDistributor {
                $0.name = "first"
                $0.clock = clock.wallClock
                $0.storage = location.storage()
            }
            let second = try await cluster.startDistributor {
                $0.name = "second"
                $0.clock = clock.wallClock
                $0.storage = location.storage()
            }
            count(first)
            count(second)
            _ = try await cluster.startNode("n1", for: [first, second])
            let (one, other) = (try await Self.client(first), try await Self.client(second))
            try await eventually("both know the schedule") {
                let (leading, following) = (try await Self.row(one), try await Self.row(other))
                return leading["next"] != nil && following["leader"] == "first"
            }
            clock.advance(bySeconds: 60)
            try await ran.wait(for: 1)
            let refused = try await other.send(["SCHEDULE", "RUN", "beat"])
            #expect(refused.text?.hasPrefix("ERR the distributor first makes the ticks") == true, "\(refused)")
            await one.close()
            await first.stop()
            try await eventually("the second leads") { try await Self.row(other)["next"]?.isEmpty == false }
            #expect(try await Self.row(other)["made"] == "1")
            clock.advance(bySeconds: 60)
            try await ran.wait(for: 2)
            #expect(try await Self.row(other)["made"] == "2")
            // Nothing more has come meanwhile.
            #expect(ran.elements.count == 2)
            await other.close()
        }
    }
}
