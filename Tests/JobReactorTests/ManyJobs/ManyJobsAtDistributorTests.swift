import Foundation
import JobReactor
import JobReactorCore
import JobReactorNode
import JobReactorSQLite
import JobReactorTesting
import JobReactorWire
import Testing

/// What an operator sees and changes of the jobs that wait at a distributor.
@Suite("Many jobs of a distributor", .timeLimit(.minutes(5))) struct ManyJobsAtDistributorTests {
    private static func address(_ distributor: Distributor) throws -> Address {
        Address(host: "localhost", port: try #require(distributor.port))
    }

    /// What each job waits for, the newest first.
    private static func reasons(_ monitor: JobMonitor, _ filter: JobMonitor.Filter = .init()) async throws -> [String] {
        try await monitor.newestJobs(filter, limit: 1000).map { "\($0.job.name): \($0.waitsFor ?? "-")" }
    }

    @Test(
        "those that wait are listed with what they wait for, shown, cancelled and destroyed", arguments: [false, true])
    func waiting(isDurable: Bool) async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "many-\(UUID().uuidString).sqlite").path
        try await Cluster.run(scripts: ["jobs.lua": "job('greet', function() end) job('mail', function() end)"]) {
            cluster in
            let distributor = try await cluster.startDistributor {
                $0.name = "app"
                if isDurable { $0.storage = SQLiteStorage(file: file, durability: .process) }
            }
            let monitor = JobMonitor(node: try Self.address(distributor))
            let outcomes = Outcomes()
            let first = try distributor.enqueue("greet", feedback: outcomes.feedback)
            try await eventually("it is listed") {
                try await Self.reasons(monitor) == ["greet: no node is connected"]
            }
            try await cluster.startNode("n1", for: [distributor])
            _ = try await outcomes.wait(for: 1)
            try await eventually("it has gone") { try await monitor.load(first) == nil }

            let nearly = try distributor.enqueue("gret", feedback: outcomes.feedback)
            let unknown = try distributor.enqueue("xyz", feedback: outcomes.feedback)
            try distributor.enqueue("mail", [:], JobOptions(notNode: "n1"), feedback: outcomes.feedback)
            let reasons = [
                "mail: only the node n1 defines it, which must not run it", "xyz: no node defines it",
                "gret: no node defines it: did you mean 'greet'?",
            ]
            try await eventually("all are listed") { try await Self.reasons(monitor) == reasons }
            let shown = try #require(try await distributor.job(nearly))
            #expect(shown.waitsFor == "no node defines it: did you mean 'greet'?" && shown.node == nil)
            let found = try await monitor.load(nearly)
            #expect(found?.job.distributor == "app" && found?.node == nil && found?.job.status == .new)

            let cancelled = try await monitor.cancel(nearly)
            let destroyed = try await monitor.destroy(unknown)
            #expect(cancelled && destroyed)
            #expect(try await outcomes.wait(for: 3).suffix(2).allSatisfy { $0.status == .cancelled })
            let error = await #expect(throws: StorageError.self) {
                try await monitor.retry(try #require(try await monitor.jobs().first).job.id)
            }
            #expect(error?.message.contains("runs as soon as a node takes it") == true)
            #expect(try await Self.reasons(monitor) == [reasons[0]])
        }
    }

    @Test("all that are meant are counted, cancelled and destroyed by a command each, whose begin and end are audited")
    func many() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "many-\(UUID().uuidString).sqlite").path
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor {
                $0.name = "app"
                $0.storage = SQLiteStorage(file: file, durability: .process)
                // Most of them wait in the storage alone.
                $0.maxMemory = 400_000
            }
            let address = try Self.address(distributor)
            let client = try await RESPClient.connect(to: address)
            for number in 0..<1500 {
                let words = ["ENQUEUE", number % 3 == 0 ? "third" : "other", #"{"n":\#(number)}"#]
                #expect(try await client.send(words).text?.count == 32)
            }
            let info = try await client.send(["INFO", "memory"]).text ?? ""
            #expect(!info.contains("paged_out:0\r\n"), "\(info)")
            let monitor = JobMonitor(node: address)
            let newest = try await monitor.newestJobs(JobMonitor.Filter(name: "third"), limit: 300)
            #expect(newest.compactMap { $0.job.args["n"]?.int } == (200..<500).reversed().map { 3 * $0 })
            #expect(newest.allSatisfy { $0.waitsFor == "no node is connected" })
            let all = try await monitor.jobs()
            #expect(all.compactMap { $0.job.args["n"]?.int } == Array(0..<1500))

            func change(_ change: JobMonitor.Change, _ filter: JobMonitor.Filter, isDry: Bool = false) async throws
                -> Int
            {
                try await monitor.change(change, all: filter, isDry: isDry)
            }
            #expect(try await change(.cancel, JobMonitor.Filter(name: "third"), isDry: true) == 500)
            #expect(try await change(.cancel, JobMonitor.Filter(name: "third")) == 500)
            // They run as soon as a node takes them.
            #expect(try await change(.retry, JobMonitor.Filter(status: .new)) == 0)
            #expect(try await change(.destroy, JobMonitor.Filter()) == 1000)
            #expect(try await monitor.jobs().isEmpty)
            try await eventually("nothing waits") {
                try await client.send(["INFO", "jobs"]).text?.contains("unfinished:0\r\n") == true
            }
            let audit = try #require(try await client.send(["AUDIT"]).elements)
            let changes = try audit.map { try #require($0.elements).compactMap(\.text)[9] }
            #expect(
                changes == [
                    "1000 jobs are gone (all)", "begins to destroy jobs (all)", "500 jobs are cancelled (name third)",
                    "begins to cancel jobs (name third)",
                ])
            await client.close()
            await distributor.stop()

            // Nothing of them comes back.
            let next = try await cluster.startDistributor {
                $0.name = "app"
                $0.storage = SQLiteStorage(file: file, durability: .process)
            }
            #expect(try await JobMonitor(node: try Self.address(next)).jobs().isEmpty)
        }
    }

    /// Answers no read of a record while it is told to wait.
    private final class WaitingReads: ForwardingStorage {
        let storage: any JobStorage = MemoryStorage()
        private let waiting = Locked<[@Sendable () -> Void]?>(nil)

        var count: Int { waiting.withLock { $0?.count ?? 0 } }

        func wait() { waiting.withLock { $0 = [] } }

        /// The last first.
        func goOn() {
            let reads = waiting.withLock { waiting in
                defer { waiting = nil }
                return waiting ?? []
            }
            for read in reads.reversed() { read() }
        }

        func load(_ id: JobID, done: @escaping @Sendable (Result<Job?, StorageError>) -> Void) {
            let read: @Sendable () -> Void = { [storage] in storage.load(id, done: done) }
            let waits = waiting.withLock { waiting in
                waiting?.append(read)
                return waiting != nil
            }
            if !waits { read() }
        }
    }

    @Test("those that are being read for a node when an order comes are meant as well")
    func beingRead() async throws {
        let storage = WaitingReads()
        try await Cluster.run(scripts: ["jobs.lua": "job('quick', function() end)"]) { cluster in
            let distributor = try await cluster.startDistributor {
                $0.name = "app"
                $0.storage = storage
                $0.maxMemory = 400_000
            }
            let client = try await RESPClient.connect(to: try Self.address(distributor))
            for _ in 0..<400 { #expect(try await client.send(["ENQUEUE", "quick"]).text?.count == 32) }
            /// Of `INFO`.
            @Sendable func has(_ fields: String...) async throws -> Bool {
                let text = try await client.send(["INFO"]).text ?? ""
                return fields.allSatisfy { text.contains($0 + "\r\n") }
            }
            storage.wait()
            try await cluster.startNode("n1", for: [distributor])
            // All others have run.
            try await eventually("the rest is being read") {
                let count = storage.count
                return try await has("unfinished:\(count)", "paged_out:\(count)") && count > 0
            }
            let count = storage.count
            let order = Task { try await client.send(["CANCEL", "ALL"]).integer }
            try await eventually("they are read to be cancelled") { storage.count == 2 * count }
            storage.goOn()
            #expect(try await order.value == count)
            #expect(try await has("unfinished:0"))
            await client.close()
        }
    }

    @Test("of one whose node is full, or away, that is said")
    func fullAndAway() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "away-\(UUID().uuidString).sqlite").path
        try await Cluster.run(scripts: ["jobs.lua": "job('slow', function() sleep(3600) end)"]) { cluster in
            let distributor = try await cluster.startDistributor()
            let node = try await cluster.startNode("n1", for: [distributor]) {
                $0.storage = SQLiteStorage(file: file)
                $0.window = 1
                $0.maxSuspended = 1
                $0.grace = 0
            }
            try await waitForNodes(["n1"], at: distributor)
            let outcomes = Outcomes()
            for _ in 0..<3 { try distributor.enqueue("slow", feedback: outcomes.feedback) }
            let monitor = JobMonitor(node: try Self.address(distributor))
            try await eventually("others wait for the node") {
                let reasons = try await Self.reasons(monitor)
                return !reasons.isEmpty && reasons.allSatisfy { $0 == "slow: the node that defines it is full" }
            }
            await node.stop()
            try await eventually("what the node has is listed as away") {
                let reasons = Set(try await Self.reasons(monitor))
                return reasons == ["slow: its node n1 is away", "slow: no node is connected"]
            }
        }
    }

    @Test("those that have failed there are run again, and forgotten, together")
    func failed() async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor()
            let outcomes = Outcomes()
            let poison = try distributor.enqueue("poison", [:], JobOptions(), feedback: outcomes.feedback)
            // Nobody knows yet that it was this one.
            let first = try await ScriptedNode.connect(to: distributor, "n1", jobs: ["poison"])
            _ = try await first.job(poison)
            try await first.end()
            let second = try await ScriptedNode.connect(to: distributor, "n2", jobs: ["poison"])
            let handOver = try await second.job(poison).handOver
            try await second.say { LinkMessage.writeBegun(handOver, attempt: 1, of: 1, to: &$0) }
            try await second.end()
            _ = try await outcomes.wait(for: 1)

            let monitor = JobMonitor(node: try Self.address(distributor))
            let filter = JobMonitor.Filter(name: "poison", error: "ended during attempt 1")
            let failed = try await monitor.newestJobs(filter)
            #expect(failed.map(\.job.id) == [poison] && failed.map(\.job.status) == [.failed])
            #expect(try await monitor.change(.cancel, all: filter) == 0)
            #expect(try await monitor.change(.retry, all: filter, isDry: true) == 1)
            #expect(try await monitor.change(.retry, all: filter) == 1)
            #expect(try await Self.reasons(monitor) == ["poison: no node is connected"])
            #expect(try await monitor.change(.destroy, all: JobMonitor.Filter(name: "poison")) == 1)
            #expect(try await monitor.jobs().isEmpty)
        }
    }
}
