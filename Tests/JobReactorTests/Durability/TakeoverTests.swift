import Foundation
import JobReactor
import JobReactorNode
import JobReactorRedis
import JobReactorTesting
import JobReactorWire
import Testing

/// A node that does not come back, and the one that takes over its jobs.
@Suite("Takeover") struct TakeoverTests {
    @Test("the jobs of a node that does not come back run on another on the same Redis, and their outcomes arrive")
    func takesOver() async throws {
        let (place, runs, clock) = (try await SharedRedis.location(), RunLog(), ManualClock())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let distributor = try await cluster.startDistributor {
                $0.takeoverTime = 0.5
                $0.clock = clock.wallClock
            }
            let gone = try await cluster.startNode("gone", for: [distributor]) {
                $0.storage = place.storage()
                $0.clock = clock.wallClock
            }
            try await waitForNodes(["gone"], at: distributor)
            let outcomes = Outcomes()
            for number in 0..<20 {
                try distributor.enqueue(
                    "tell", ["text": .integer(Int64(number))], JobOptions(after: 300), feedback: outcomes.feedback)
            }
            let cancelled = try distributor.enqueue(
                "tell", [:], JobOptions(after: 3600), feedback: outcomes.feedback)
            try await eventually("the node has them") { try await gone.count() == 21 }
            let heir = try await cluster.startNode("heir", for: [distributor]) {
                $0.storage = place.storage()
                $0.clock = clock.wallClock
            }
            try await waitForNodes(["gone", "heir"], at: distributor)
            await gone.stop()
            try await eventually("the heir has them") { try await heir.count() == 21 }
            clock.advance(bySeconds: 300)
            let all = try await outcomes.wait(for: 20)
            #expect(all.allSatisfy { $0.isSuccess && $0.args["retrying"]?.bool == true })
            #expect(Set(runs.lines) == Set((0..<20).map { "again \($0)" }))
            #expect(runs.lines.count == 20)
            // The distributor knows where they are now.
            let isCancelled = try await distributor.cancel(cancelled)
            #expect(isCancelled)
            let last = try await outcomes.wait(for: 21)
            #expect(last.last?.id == cancelled)
            #expect(last.last?.status == .cancelled)
        }
    }

    @Test("a node that is back in time keeps its jobs")
    func backInTime() async throws {
        let (place, runs) = (try await SharedRedis.location(), RunLog())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            // Longer than a start takes on a machine that has much else to do.
            let distributor = try await cluster.startDistributor { $0.takeoverTime = 8 }
            let first = try await cluster.startNode("n1", for: [distributor]) { $0.storage = place.storage() }
            let other = try await cluster.startNode("n2", for: [distributor]) { $0.storage = place.storage() }
            let last = try await cluster.startNode("n3", for: [distributor]) { $0.storage = place.storage() }
            try await waitForNodes(["n1", "n2", "n3"], at: distributor)
            let id = try distributor.enqueue("tell", [:], JobOptions(after: 3600, node: "n1"))
            let stays = try distributor.enqueue("tell", [:], JobOptions(after: 3600, node: "n3"))
            try await eventually("they are stored") {
                let counts = [try await first.count(), try await last.count()]
                return counts == [1, 1]
            }
            await first.stop()
            let second = try await cluster.startNode("n1", for: [distributor]) { $0.storage = place.storage() }
            try await waitForNodes(["n1", "n2", "n3"], at: distributor)
            // One that was lost after it, and stays away: its time ends later.
            await last.stop()
            try await eventually("the jobs of that one are taken over") {
                let records = [try await second.record(stays), try await other.record(stays)]
                return records.contains { $0 != nil }
            }
            let record = try await second.record(id)
            #expect(record != nil)
            #expect(try await other.record(id) == nil)
        }
    }

    @Test("jobs that were left before the distributor was there are taken over too")
    func leftBefore() async throws {
        let (place, runs) = (try await SharedRedis.location(), RunLog())
        let storage = place.storage()
        try await storage.open(StorageOwner(name: "gone"))
        try await storage.save([
            Job(id: JobID(high: 1, low: 1), name: "tell", args: ["text": "x"], distributor: "app", createdAt: .now)
        ])
        await storage.close()
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let distributor = try await cluster.startDistributor { $0.takeoverTime = 0.2 }
            try await cluster.startNode("n1", for: [distributor]) { $0.storage = place.storage() }
            try await eventually("it ran") { runs.lines == ["again x"] }
        }
    }

    @Test("jobs run once though the server was away for longer than the lease while somebody asked whose they are")
    func serverAway() async throws {
        let server = try await RedisServer.start(RedisServer.keepingAll)
        let (place, runs, gate) = (try #require(RedisLocation(server.url)), RunLog(), RunLog())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let distributor = try await cluster.startDistributor()
            let port = try RedisServer.freePort()
            let addresses = [distributor.port ?? 0, port].map { Address(host: "localhost", port: $0) }
            for name in ["n1", "n2"] {
                try await cluster.startNode(name, for: []) {
                    $0.distributors = addresses
                    $0.storage = place.storage(lease: 1)
                }
            }
            try await waitForNodes(["n1", "n2"], at: distributor)
            let outcomes = Outcomes()
            for _ in 0..<4 {
                try distributor.enqueue(
                    "gated", ["gate": .string(gate.path)], JobOptions(node: "n2"), feedback: outcomes.feedback)
            }
            try await eventually("they run") { runs.lines.count == 1 }
            await server.kill()
            // A distributor that comes now asks for what was left behind, and is answered when the server is back.
            let late = try await cluster.restartDistributor(port: port) { $0.takeoverTime = 0 }
            try await waitForNodes(["n1", "n2"], at: late)
            // Only time ends a lease.
            try await Task.sleep(for: .milliseconds(1200))
            try await server.restart()
            try FileManager.default.removeItem(atPath: gate.path)
            let all = try await outcomes.wait(for: 4)
            #expect(all.map(\.isSuccess) == Array(repeating: true, count: 4))
            #expect(runs.lines == Array(repeating: "gated", count: 4))
        }
    }

    @Test("the jobs of a node that is linked are not taken over, though it cannot renew its lease")
    func linked() async throws {
        let (place, runs) = (try await SharedRedis.location(), RunLog())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let recorder = LogRecorder()
            let first = try await cluster.startDistributor { $0.takeoverTime = 0.1 }
            let second = try await cluster.startDistributor { $0.takeoverTime = 0.1 }
            let proxy = try await TCPProxy.start(to: place.address.port)
            var through = place
            through.address.port = proxy.port
            let reached = through
            try await cluster.startNode("n1", for: [first]) { $0.storage = reached.storage(lease: 1) }
            try await waitForNodes(["n1"], at: first)
            let gate = RunLog()
            let outcomes = Outcomes()
            try first.enqueue("gated", ["gate": .string(gate.path)], JobOptions(), feedback: outcomes.feedback)
            try await eventually("it runs") { runs.lines == ["gated"] }
            await proxy.stop()
            let redis = try await RESPClient.connect(to: place.address)
            try await eventually("its lease has ended") {
                try await redis.send(["EXISTS", "\(place.prefix)node:n1:lease"]).integer == 0
            }
            await redis.close()
            let heir = try await cluster.startNode("n2", for: [first, second]) {
                $0.storage = place.storage(lease: 1)
                $0.logger = recorder.logger
            }
            try await eventually("it was asked to take over, twice") {
                recorder.lines.elements.filter {
                    $0.text.contains("not taken over")
                        && $0.metadata["reason"]?.contains("linked to a distributor") == true
                }.count >= 2
            }
            let count = try await heir.count()
            #expect(count == 0)
            #expect(runs.lines == ["gated"])
        }
    }

    /// A second distributor has the jobs taken over as well, perhaps before the first; both must have chosen one heir.
    @Test(
        "a job that the lost node may have had goes to the one that takes over, and runs once",
        arguments: [["heir"], ["b", "a", "d", "c"]])
    func inDoubt(_ heirs: [String]) async throws {
        let (place, runs) = (try await SharedRedis.location(), RunLog())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let distributor = try await cluster.startDistributor { $0.takeoverTime = 0.5 }
            let other = try await cluster.startDistributor { $0.takeoverTime = 0.3 }
            let gate = Gate()
            let slow = SlowAnswers(place.storage(), gate)
            let gone = try await cluster.startNode("gone", for: [distributor, other]) { $0.storage = slow }
            try await waitForNodes(["gone"], at: distributor)
            try await waitForNodes(["gone"], at: other)
            let outcomes = Outcomes()
            // Saved, and due later; but the node cannot say so.
            for number in 0..<5 {
                try distributor.enqueue(
                    "note", ["text": .integer(Int64(number))], JobOptions(after: 1), feedback: outcomes.feedback)
            }
            try await eventually("they are saved") { gate.waiting > 0 }
            for heir in heirs {
                try await cluster.startNode(heir, for: [distributor, other]) { $0.storage = place.storage() }
            }
            try await waitForNodes(heirs + ["gone"], at: distributor)
            try await waitForNodes(heirs + ["gone"], at: other)
            await gone.stop(grace: 0)
            let all = try await outcomes.wait(for: 5)
            #expect(all.count == 5)
            #expect(runs.lines.sorted() == (0..<5).map { "\($0)" })
            gate.fail()
        }
    }
}

/// A shared storage that saves, and whose answers to that wait at a gate.
final class SlowAnswers: SharedJobStorage, ForwardingStorage {
    private let shared: RedisStorage
    private let gate: Gate

    init(_ storage: RedisStorage, _ gate: Gate) {
        shared = storage
        self.gate = gate
    }

    var storage: any JobStorage { shared }
    var place: String? { shared.place }

    func save(_ jobs: [Job], done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void) {
        shared.save(jobs) { [gate] result in
            gate.pass { passes in if passes { done(result) } }
        }
    }

    func abandoned(done: @escaping @Sendable (Result<[String], StorageError>) -> Void) { shared.abandoned(done: done) }

    func adopt(
        _ node: String, defining names: Set<String>, after id: JobID?, limit: Int,
        done: @escaping @Sendable (Result<AdoptedJobs, StorageError>) -> Void
    ) {
        shared.adopt(node, defining: names, after: id, limit: limit, done: done)
    }
}
