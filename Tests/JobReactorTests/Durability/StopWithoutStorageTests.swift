import JobReactor
import JobReactorNode
import JobReactorRedis
import JobReactorTesting
import Logging
import Testing

/// What a stop does, and says, of what a storage did not take.
@Suite("A stop while a storage refuses") struct StopWithoutStorageTests {
    private static let full = StorageError("the disk is full: make room", code: .full)

    @Test("gives a distributor's storage once more what it has refused", arguments: [false, true])
    func refusedChanges(refusesAll: Bool) async throws {
        let (kept, place, runs) = (MemoryStorage(), try await SharedRedis.location(), RunLog())
        let (refused, log) = (Collector<Int>(), LineLog())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let distributor = try await cluster.startDistributor {
                $0.name = "app"
                $0.logger = log.logger
                $0.storage = FaultInjectingStorage(kept) { call in
                    guard call.kind == .apply, refusesAll || refused.elements.isEmpty else { return nil }
                    refused.append(call.number)
                    return Self.full
                }
            }
            try await cluster.startNode("n1", for: [distributor]) { $0.storage = place.storage() }
            try await waitForNodes(["n1"], at: distributor)
            try distributor.enqueue("note")
            // The node owns the job: the record of the distributor is to go.
            try await refused.wait(for: 1)
            await distributor.stop(grace: 0)
        }
        try await kept.open(StorageOwner(role: .distributor, name: "app"))
        let left = try await kept.jobs()
        #expect(left.count == (refusesAll ? 1 : 0))
        #expect(log.lines.contains { $0.contains("may run again") } == refusesAll)
    }

    @Test("is told by a distributor that no node has answered")
    func unanswered() async throws {
        let (held, runs, log) = (HeldStorage(holding: .save), RunLog(), LineLog())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let distributor = try await cluster.startDistributor {
                $0.name = "app"
                $0.logger = log.logger
                $0.storage = MemoryStorage()
            }
            try await cluster.startNode("n1", for: [distributor]) { $0.storage = held }
            try await waitForNodes(["n1"], at: distributor)
            try distributor.enqueue("note")
            try await held.held.wait(for: 1)
            await distributor.stop(grace: 0)
            #expect(log.lines.contains { $0.contains("before nodes have confirmed all jobs") })
        }
    }

    @Test("is told by a node whose runs have ended and are not stored")
    func unstoredEnds() async throws {
        let (place, runs, log) = (try await SharedRedis.location(), RunLog(), LineLog())
        let refused = Collector<Int>()
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let distributor = try await cluster.startDistributor()
            let node = try await cluster.startNode("n1", for: [distributor]) {
                $0.logger = log.logger
                $0.storage = FaultInjectingStorage(place.storage()) { call in
                    guard call.kind == .apply else { return nil }
                    refused.append(call.number)
                    return Self.full
                }
            }
            try await waitForNodes(["n1"], at: distributor)
            try distributor.enqueue("note")
            try await refused.wait(for: 1)
            await node.stop(grace: 0)
            #expect(log.lines.contains { $0.contains("the ends of some runs are stored") })
            #expect(runs.lines == ["ran"])
        }
    }
}

/// What is logged, as text.
private final class LineLog: Sendable {
    private let collected = Locked<[String]>([])

    var lines: [String] { collected.withLock { $0 } }

    var logger: Logger {
        Logger(label: "test") { _ in Handler { line in self.collected.withLock { $0.append(line) } } }
    }

    private struct Handler: LogHandler {
        let note: @Sendable (String) -> Void
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        init(_ note: @escaping @Sendable (String) -> Void) { self.note = note }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { note("\(event.message)") }
    }
}
