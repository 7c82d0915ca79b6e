import JobReactor
import JobReactorNode
import JobReactorTesting
import JobReactorWire
import Testing

/// A wall clock that is set while jobs wait. The clock of these tests stands still but for what they set; what counts from now
/// goes on by the clock of the machine that nobody sets.
@Suite("A clock that is set") struct ClockTests {
    private static let lua = """
        job('does', function(args) args.done = true end)
        job('fails_once', { retry_multiplier = 0.3 }, function(args)
          if not args.tried then error('no', 0) end
        end)
        job_errback('fails_once', function(args) args.tried = true end)
        job('fails', { retry_multiplier = 1000 }, function() error('no', 0) end)
        """
    private static let hour = 3600.0

    private struct World {
        let cluster: Cluster
        let clock: ManualClock
        let distributor: Distributor

        @discardableResult
        func startNode(_ name: String, _ storage: MemoryStorage = MemoryStorage()) async throws -> Node {
            try await cluster.startNode(name, for: [distributor]) {
                $0.clock = clock.wallClock
                $0.storage = storage
                $0.server = Address(host: "localhost", port: 0)
            }
        }
    }

    private static func run(_ body: @Sendable (World) async throws -> Void) async throws {
        try await Cluster.run(scripts: ["jobs.lua": lua]) { cluster in
            let clock = ManualClock()
            let distributor = try await cluster.startDistributor { $0.clock = clock.wallClock }
            try await body(World(cluster: cluster, clock: clock, distributor: distributor))
        }
    }

    @Test("a job with run_at within the hour is due within seconds when the clock is set on an hour")
    func dateComes() async throws {
        try await Self.run { world in
            let storage = MemoryStorage()
            try await world.startNode("n1", storage)
            try await waitForNodes(["n1"], at: world.distributor)
            let outcomes = Outcomes()
            let date = world.clock.now.advanced(bySeconds: 3000)
            let id = try world.distributor.enqueue("does", [:], JobOptions(runAt: date), feedback: outcomes.feedback)
            try await eventually("the node has it") { try await storage.record(id) != nil }
            #expect(try await storage.record(id)?.dueAt == date)
            world.clock.advance(bySeconds: Self.hour)
            #expect(try await outcomes.wait(for: 1).first?.isSuccess == true)
        }
    }

    @Test("set back an hour, it holds up neither delays nor periods nor retries")
    func setBack() async throws {
        try await Self.run { world in
            try await world.startNode("n1")
            try await waitForNodes(["n1"], at: world.distributor)
            let (delayed, repeated, retried) = (Outcomes(), Outcomes(), Outcomes())
            try world.distributor.enqueue("does", [:], JobOptions(after: 0.3), feedback: delayed.feedback)
            try world.distributor.enqueue("does", [:], JobOptions(period: 0.2), feedback: repeated.feedback)
            try world.distributor.enqueue("fails_once", feedback: retried.feedback)
            _ = try await repeated.wait(for: 1)
            world.clock.advance(bySeconds: -Self.hour)
            _ = try await delayed.wait(for: 1)
            _ = try await repeated.wait(for: 4)
            #expect(try await retried.wait(for: 1).first?.isSuccess == true)
        }
    }

    @Test("set on an hour, it ends no wait")
    func setOn() async throws {
        try await Self.run { world in
            let storage = MemoryStorage()
            try await world.startNode("n1", storage)
            try await waitForNodes(["n1"], at: world.distributor)
            let (waiting, dated) = (Outcomes(), Outcomes())
            for options in [JobOptions(after: 300), JobOptions(after: 600, period: 1)] {
                try world.distributor.enqueue("does", [:], options, feedback: waiting.feedback)
            }
            let failed = try world.distributor.enqueue("fails", feedback: waiting.feedback)
            let date = world.clock.now.advanced(bySeconds: 3000)
            try world.distributor.enqueue("does", [:], JobOptions(runAt: date), feedback: dated.feedback)
            try await eventually("all wait") {
                let attempt = try await storage.record(failed)?.attempt
                let count = try await storage.count()
                return count == 4 && attempt == 1
            }
            world.clock.advance(bySeconds: Self.hour)
            // The node has looked at the clock, and found what is due.
            _ = try await dated.wait(for: 1)
            #expect(waiting.all.isEmpty)
            #expect(try await storage.record(failed)?.attempt == 1)
        }
    }

    @Test("what waits at the distributor waits on, for its date or by its wait")
    func atTheDistributor() async throws {
        try await Self.run { world in
            let (short, dated) = (Outcomes(), Outcomes())
            let clock = world.clock
            try world.distributor.enqueue("does", [:], JobOptions(after: 0.1), feedback: short.feedback)
            let long = try world.distributor.enqueue("does", [:], JobOptions(after: 1000))
            let soon = clock.now.advanced(bySeconds: Self.hour - 1)
            let late = clock.now.advanced(bySeconds: 3 * Self.hour)
            try world.distributor.enqueue("does", [:], JobOptions(runAt: soon), feedback: dated.feedback)
            let last = try world.distributor.enqueue("does", [:], JobOptions(runAt: late))
            try await eventually("it has them") { try await world.distributor.job(last) != nil }
            clock.advance(bySeconds: Self.hour)
            let shown = try #require(try await world.distributor.job(long))
            #expect((900...1000).contains(shown.dueAt.seconds - clock.now.seconds))
            let storage = MemoryStorage()
            try await world.startNode("n1", storage)
            _ = try await short.wait(for: 1)
            _ = try await dated.wait(for: 1)
            let record = try #require(try await storage.record(long))
            #expect(record.status == .queued && record.attempt == 0)
            #expect((900...1000).contains(record.dueAt.seconds - clock.now.seconds))
            try await eventually("it has the last") { try await storage.record(last)?.dueAt == late }
        }
    }

    @Test("another node gets what is left of a period, whatever the clock shows")
    func periodOfALostNode() async throws {
        try await Self.run { world in
            let first = try await world.startNode("n1")
            try await waitForNodes(["n1"], at: world.distributor)
            let outcomes = Outcomes()
            let id = try world.distributor.enqueue(
                "does", [:], JobOptions(period: 1000), feedback: outcomes.feedback)
            _ = try await outcomes.wait(for: 1)
            await first.stop()
            world.clock.advance(bySeconds: Self.hour)
            let storage = MemoryStorage()
            try await world.startNode("n2", storage)
            try await eventually("it has the job") { try await storage.record(id) != nil }
            let record = try #require(try await storage.record(id))
            #expect(record.status == .queued && record.runs == 0)
            #expect((900...1000).contains(record.dueAt.seconds - world.clock.now.seconds))
        }
    }

    @Test("a job that is run before its time is not run again when that time comes")
    func outdated() async throws {
        try await Self.run { world in
            let storage = MemoryStorage()
            let node = try await world.startNode("n1", storage)
            try await waitForNodes(["n1"], at: world.distributor)
            let id = try world.distributor.enqueue("fails", [:], JobOptions(after: 1))
            let date = world.clock.now.advanced(bySeconds: 25)
            let dated = try world.distributor.enqueue("fails", [:], JobOptions(runAt: date))
            try await eventually("they wait") { try await storage.count() == 2 }
            let client = try await RESPClient.connect(
                to: Address(host: "localhost", port: try #require(try await node.port())))
            for id in [id, dated] { _ = try await client.send(["RETRY", id.description]) }
            await client.close()
            var attempts: [Int32] = []
            try await eventually("they have run") {
                let records = [try await storage.record(id), try await storage.record(dated)].compactMap(\.self)
                attempts = records.map(\.attempt)
                return records.allSatisfy { $0.status == .queued && $0.attempt > 0 }
            }
            world.clock.advance(bySeconds: 100)
            // Due after the first time of both.
            let later = Outcomes()
            let next = world.clock.now.advanced(bySeconds: 1)
            let last = try world.distributor.enqueue(
                "does", [:], JobOptions(runAt: next), feedback: later.feedback)
            try world.distributor.enqueue("does", [:], JobOptions(after: 1.1), feedback: later.feedback)
            try await eventually("it waits") { try await storage.record(last) != nil }
            world.clock.set(next)
            _ = try await later.wait(for: 2)
            #expect(try await storage.record(id)?.attempt == attempts.first)
            #expect(try await storage.record(dated)?.attempt == attempts.last)
        }
    }
}
