import Foundation
import JobReactor
import JobReactorNode
import JobReactorRedis
import JobReactorTesting
import JobReactorWire
import Testing

/// A distributor that stores what it has accepted, and what becomes of jobs whose node is lost.
@Suite("A distributor with a storage") struct DistributorStorageTests {
    private static func configuration(
        _ place: RedisLocation, port: Int, _ cluster: Cluster
    ) -> DistributorConfiguration {
        DistributorConfiguration(name: "app", port: port, grace: 0, storage: place.storage(), logger: cluster.logger)
    }

    @Test("has what waited when it starts again, with its time, and runs each once")
    func waitingSurvives() async throws {
        let (place, runs) = (try await SharedRedis.location(), RunLog())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let first = Distributor(Self.configuration(place, port: 0, cluster))
            try await first.start()
            for number in 0..<50 { try first.enqueue("note", ["text": .integer(Int64(number))]) }
            let later = try first.enqueue("note", ["text": "later"], JobOptions(after: 3600))
            let gone = try first.enqueue("note", ["text": "gone"])
            try await first.flush()
            let isCancelled = try await first.cancel(gone)
            #expect(isCancelled)
            await first.stop()
            let results = Collector<JobResult>()
            let second = Distributor(Self.configuration(place, port: 0, cluster))
            second.onSuccess("note") { results.append($0) }
            try await second.start()
            let waiting = try await second.waitingJobs()
            #expect(waiting.map(\.count) == [51])
            let node = try await cluster.startNode("n1", for: [second])
            try await results.wait(for: 50)
            #expect(Set(runs.lines) == Set((0..<50).map { "\($0)" }))
            #expect(runs.lines.count == 50)
            let dueAt = try await node.record(later)?.dueAt
            #expect(dueAt.map { $0 > Timestamp.now.advanced(bySeconds: 3000) } == true)
            await second.stop()
            // Those that are done are not there any more; the one on a node that forgets still is.
            let storage = place.storage()
            try await storage.open(StorageOwner(role: .distributor, name: "app"))
            let left = try await storage.jobs()
            #expect(left.map(\.id) == [later])
            await storage.close()
        }
    }

    @Test("gives its storage a large number of jobs in parts, and all that is stored is there after a stop")
    func largeBatches() async throws {
        let place = MemoryStorage()
        try await Cluster.run(scripts: [:]) { cluster in
            let sizes = Locked<[Int]>([])
            let storage = MeasuringStorage(storage: place) { size in sizes.withLock { $0.append(size) } }
            let distributor = Distributor(
                DistributorConfiguration(name: "app", port: 0, storage: storage, logger: cluster.logger))
            try await distributor.start()
            let ids = try distributor.enqueue(contentsOf: (0..<12_000).map { _ in JobSubmission("absent") })
            await distributor.stop()
            #expect(sizes.withLock { $0.reduce(0, +) } == 12_000)
            #expect(sizes.withLock { $0.max() } == 5_000)
            try await place.open(StorageOwner(role: .distributor, name: "app"))
            let stored = try await place.jobs(limit: 20_000)
            #expect(stored.map(\.id) == ids.sorted())
        }
    }

    @Test("acknowledges a command when the job is stored, and refuses it when it cannot be")
    func acknowledged() async throws {
        let place = try await SharedRedis.location()
        try await Cluster.run(scripts: [:]) { cluster in
            let fails = Locked(false)
            let storage = FaultInjectingStorage(place.storage()) { call in
                call.kind == .save && fails.withLock { $0 }
                    ? StorageError("the disk is full: make room", code: .full) : nil
            }
            var configuration = Self.configuration(place, port: 0, cluster)
            configuration.storage = storage
            let distributor = Distributor(configuration)
            try await distributor.start()
            let client = try await RESPClient.connect(to: Address(host: "localhost", port: distributor.port ?? 0))
            let id = try await client.send(["ENQUEUE", "note"]).text.flatMap { JobID($0) }
            let stored = try await storage.jobs()
            #expect(stored.map(\.id) == [id].compactMap { $0 })
            fails.withLock { $0 = true }
            let refusal = try await client.send(["ENQUEUE", "note"])
            #expect(
                refusal
                    == .error("ERR the job is not enqueued, because it cannot be stored: the disk is full: make room"))
            let performed = try await client.send(["PERFORM", "note"])
            #expect(performed.text?.hasPrefix("ERR the job is not enqueued") == true)
            let waiting = try await distributor.waitingJobs()
            #expect(waiting.map(\.count) == [1])
            // One of the application waits until there is room.
            try distributor.enqueue("note")
            fails.withLock { $0 = false }
            try await distributor.flush()
            let all = try await storage.jobs()
            #expect(all.count == 2)
            await client.close()
            await distributor.stop()
        }
    }

    @Test("a producer elsewhere has its outcome though the distributor was another process meanwhile")
    func producers() async throws {
        let (place, nodes, runs) = (try await SharedRedis.location(), try await SharedRedis.location(), RunLog())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let gate = RunLog()
            let first = Distributor(Self.configuration(place, port: 0, cluster))
            try await first.start()
            let port = try #require(first.port)
            try await cluster.startNode("n1", for: [first]) { $0.storage = nodes.storage() }
            try await waitForNodes(["n1"], at: first)
            let client = try await JobClient.connect(port: port)
            let outcomes = Outcomes()
            try client.enqueue("gated", ["gate": .string(gate.path)], JobOptions(), feedback: outcomes.feedback)
            try await eventually("it runs") { runs.lines == ["gated"] }
            await first.stop()
            let second = try await cluster.restartDistributor(port: port) {
                $0 = Self.configuration(place, port: port, cluster)
            }
            try await waitForNodes(["n1"], at: second)
            try FileManager.default.removeItem(atPath: gate.path)
            let all = try await outcomes.wait(for: 1)
            #expect(all.map(\.isSuccess) == [true])
            // The node had it all the time: it ran once.
            #expect(runs.lines == ["gated"])
            await client.stop()
        }
    }

    @Test("a job whose acknowledgement was lost with the link runs once", arguments: 0..<3)
    func inDoubt(_ round: Int) async throws {
        let (place, runs) = (try await SharedRedis.location(), RunLog())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let distributor = try await cluster.startDistributor()
            let gate = Gate()
            let slow = SlowStorage(place.storage(), gate)
            let proxy = try await TCPProxy.start(to: distributor.port ?? 0)
            try await cluster.startNode("n1", for: [distributor]) {
                $0.storage = slow
                $0.distributors = [Address(host: "127.0.0.1", port: proxy.port)]
            }
            try await waitForNodes(["n1"], at: distributor)
            let outcomes = Outcomes()
            for number in 0..<5 {
                try distributor.enqueue(
                    "note", ["text": .integer(Int64(number))], JobOptions(), feedback: outcomes.feedback)
            }
            try await eventually("the jobs are at the node") { gate.waiting > 0 }
            try await cluster.startNode("n2", for: [distributor])
            try await waitForNodes(["n1", "n2"], at: distributor)
            // The node's connection is cut while it saves; it goes on before the node is back, or after.
            proxy.cut()
            if round < 2 { gate.open() }
            try await eventually("the link is lost") { try await distributor.nodes().map(\.name) == ["n2"] }
            if round == 1 { try await eventually("all have run") { runs.lines.count == 5 } }
            try await waitForNodes(["n1", "n2"], at: distributor)
            gate.open()
            let all = try await outcomes.wait(for: 5)
            #expect(all.count == 5)
            #expect(runs.lines.sorted() == (0..<5).map { "\($0)" })
            await proxy.stop()
        }
    }

    @Test("a job in doubt goes to another node when the one that may have it stays away")
    func staysAway() async throws {
        let (place, runs) = (try await SharedRedis.location(), RunLog())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let distributor = try await cluster.startDistributor { $0.takeoverTime = 0.3 }
            let gate = Gate()
            let slow = SlowStorage(place.storage(), gate)
            let node = try await cluster.startNode("n1", for: [distributor]) { $0.storage = slow }
            try await waitForNodes(["n1"], at: distributor)
            let outcomes = Outcomes()
            try distributor.enqueue("note", feedback: outcomes.feedback)
            try await eventually("the job is at the node") { gate.waiting > 0 }
            try await cluster.startNode("n2", for: [distributor])
            try await waitForNodes(["n1", "n2"], at: distributor)
            async let stopped: Void = node.stop(grace: 0)
            let all = try await outcomes.wait(for: 1)
            #expect(all.count == 1)
            #expect(runs.lines == ["ran"])
            gate.fail()
            await stopped
        }
    }
}

/// Holds saves back until it is opened.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var isFailing = false
        var waiting: [@Sendable (Bool) -> Void] = []
    }

    private let state = Locked(State())

    var waiting: Int { state.withLock { $0.waiting.count } }

    func pass(_ body: @escaping @Sendable (Bool) -> Void) {
        let passes: Bool? = state.withLock { state in
            if state.isFailing { return false }
            if state.isOpen { return true }
            state.waiting.append(body)
            return nil
        }
        if let passes { body(passes) }
    }

    func open() { end { $0.isOpen = true } }
    func fail() { end { $0.isFailing = true } }

    private func end(_ change: (inout State) -> Void) {
        let (waiting, passes) = state.withLock { state in
            change(&state)
            defer { state.waiting = [] }
            return (state.waiting, state.isOpen)
        }
        for body in waiting { body(passes) }
    }
}

/// A storage whose saves wait at a gate.
final class SlowStorage: ForwardingStorage {
    let storage: any JobStorage
    private let gate: Gate

    init(_ storage: any JobStorage, _ gate: Gate) {
        self.storage = storage
        self.gate = gate
    }

    func save(_ jobs: [Job], done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void) {
        gate.pass { [storage] passes in
            if passes { storage.save(jobs, done: done) } else { done(.failure(FaultInjectingStorage.fault)) }
        }
    }
}

/// Tells how many jobs each save has.
struct MeasuringStorage: ForwardingStorage {
    let storage: any JobStorage
    let note: @Sendable (Int) -> Void

    func save(_ jobs: [Job], done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void) {
        note(jobs.count)
        storage.save(jobs, done: done)
    }
}
