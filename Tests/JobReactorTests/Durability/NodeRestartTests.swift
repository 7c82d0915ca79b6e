import Foundation
import JobReactor
import JobReactorNode
import JobReactorRedis
import JobReactorTesting
import JobReactorWire
import Logging
import Testing

/// A node with a durable storage that ends and starts again, or loses the storage.
@Suite("A durable node") struct NodeRestartTests {
    @Test("keeps what waits over a restart, with its time, its args, and args.retrying")
    func takesUp() async throws {
        let (place, runs, clock) = (try await SharedRedis.location(), RunLog(), ManualClock())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let distributor = try await cluster.startDistributor { $0.clock = clock.wallClock }
            let first = try await cluster.startNode("n1", for: [distributor]) {
                $0.storage = place.storage()
                $0.clock = clock.wallClock
            }
            try await waitForNodes(["n1"], at: distributor)
            let soon = try distributor.enqueue("tell", ["text": "soon"], JobOptions(after: 300))
            let late = try distributor.enqueue("tell", ["text": "late"], JobOptions(after: 3600))
            try await eventually("both are stored") {
                try await first.count() == 2
            }
            let dueAt = try await first.record(late)?.dueAt
            await first.stop()
            #expect(runs.lines.isEmpty)
            let second = try await cluster.startNode("n1", for: [distributor]) {
                $0.storage = place.storage()
                $0.clock = clock.wallClock
            }
            #expect(try await second.count() == 2)
            clock.advance(bySeconds: 300)
            try await eventually("the one that is due ran") { !runs.lines.isEmpty }
            #expect(runs.lines == ["again soon"])
            try await eventually("it is done") { try await second.record(soon) == nil }
            let record = try #require(try await second.record(late))
            #expect(record.dueAt == dueAt)
            #expect(record.status == .queued)
            #expect(record.attempt == 0)
        }
    }

    @Test("leaves what is there alone when it is not to retry jobs at the start")
    func leaves() async throws {
        let (place, runs, clock) = (try await SharedRedis.location(), RunLog(), ManualClock())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let distributor = try await cluster.startDistributor { $0.clock = clock.wallClock }
            let first = try await cluster.startNode("n1", for: [distributor]) {
                $0.storage = place.storage()
                $0.clock = clock.wallClock
            }
            try await waitForNodes(["n1"], at: distributor)
            try distributor.enqueue("tell", [:], JobOptions(after: 300))
            try await eventually("it is stored") { try await first.count() == 1 }
            await first.stop()
            let second = try await cluster.startNode("n1", for: [distributor]) {
                $0.storage = place.storage()
                $0.clock = clock.wallClock
                $0.retryJobsAtStart = false
            }
            try await waitForNodes(["n1"], at: distributor)
            // Its time passes, and what is due after it runs.
            let next = clock.advance(bySeconds: 600).advanced(bySeconds: 1)
            let outcomes = Outcomes()
            try distributor.enqueue("note", [:], JobOptions(runAt: next), feedback: outcomes.feedback)
            try await eventually("it waits") { try await second.count() == 2 }
            clock.set(next)
            _ = try await outcomes.wait(for: 1)
            #expect(runs.lines == ["ran"])
            let count = try await second.count()
            #expect(count == 1)
        }
    }

    @Test("counts a run that its end cut short as an attempt; after the last one the job has failed, and says so")
    func cutShort() async throws {
        let (place, runs) = (try await SharedRedis.location(), RunLog())
        let storage = place.storage()
        try await storage.open(StorageOwner(name: "n1"))
        // As a process that was killed in the midst of runs leaves them.
        var jobs = (0..<3).map { number in
            Job(
                id: JobID(high: 1, low: UInt64(number)), name: "tell", args: ["text": .integer(Int64(number))],
                options: JobOptions(maxAttempt: 3), distributor: "app", createdAt: .now)
        }
        for (index, attempt) in [(0, 1), (1, 2), (2, 3)] {
            jobs[index].status = .inProgress
            jobs[index].attempt = Int32(attempt)
            jobs[index].runs = Int32(attempt)
        }
        try await storage.save(jobs)
        await storage.close()
        let last = jobs[2].id
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let distributor = Distributor(
                DistributorConfiguration(name: "app", port: 0, grace: 0, logger: cluster.logger))
            let failures = Collector<JobFailure>()
            let results = Collector<JobResult>()
            distributor.onError("tell") { failures.append($0) }
            distributor.onSuccess("tell") { results.append($0) }
            try await distributor.start()
            let node = try await cluster.startNode("n1", for: [distributor]) { $0.storage = place.storage() }
            try await failures.wait(for: 1)
            try await results.wait(for: 2)
            #expect(runs.lines.sorted() == ["again 0", "again 1"])
            let failure = try #require(failures.elements.first)
            #expect(failure.id == last)
            #expect(failure.args["error"]?.string == "the node ended during attempt 3")
            let record = try #require(try await node.record(last))
            #expect(record.status == .failed)
            #expect(record.lastError == "the node ended during attempt 3")
            await distributor.stop()
        }
    }

    @Test("keeps outcomes for a distributor that is away, over its own restart, and delivers each once")
    func reportsSurvive() async throws {
        let (place, runs) = (try await SharedRedis.location(), RunLog())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let gate = RunLog()
            let first = try await cluster.startDistributor { $0.name = "app" }
            let port = try #require(first.port)
            let node = try await cluster.startNode("n1", for: [first]) { $0.storage = place.storage() }
            try await waitForNodes(["n1"], at: first)
            try first.enqueue("gated", ["gate": .string(gate.path)])
            for number in 0..<20 { try first.enqueue("note", ["text": .integer(Int64(number))]) }
            try await eventually("the first runs") { runs.lines == ["gated"] }
            try await eventually("the node has all") { try await node.count() == 21 }
            await first.stop(grace: 0)
            try FileManager.default.removeItem(atPath: gate.path)
            try await eventually("all have run") { try await node.count() == 0 }
            await node.stop()
            // The node is another process now, and the distributor too.
            try await cluster.startNode("n1", for: [first]) {
                $0.storage = place.storage()
                $0.distributors = [Address(host: "localhost", port: port)]
            }
            let results = Collector<JobResult>()
            let configuration = DistributorConfiguration(name: "app", port: port, grace: 0, logger: cluster.logger)
            let second = try await Distributor.whenPortIsFree(configuration) { second in
                for name in ["note", "gated"] { second.onSuccess(name) { results.append($0) } }
            }
            try await results.wait(for: 21)
            // What comes after them shows that no more of them come.
            _ = try await second.perform("count", timeout: 60)
            await second.stop()
            #expect(results.elements.count == 21)
            #expect(Set(results.elements.map(\.id)).count == 21)
            #expect(runs.lines.count == 22)
        }
    }

    @Test("knows a job that comes again, also when the receipt of its outcome comes right behind it")
    func knowsWhatComesAgain() async throws {
        let (place, runs) = (try await SharedRedis.location(), RunLog())
        let distributor = try await ScriptedDistributor.start()
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            try await cluster.startNode("n1", for: []) {
                $0.storage = place.storage()
                $0.distributors = [distributor.address]
            }
            try await distributor.welcome()
            let (first, second) = (JobID(high: 1, low: 1), JobID(high: 1, low: 2))
            let request = JobRequest(name: "note", args: JobArguments())
            try await distributor.say { LinkMessage.writeJob(HandOver(1, first), request, to: &$0) }
            try await distributor.hear("RESULT")
            try await distributor.say {
                LinkMessage.writeJob(HandOver(2, first), request, isAgain: true, to: &$0)
                LinkMessage.writeTaken(1, to: &$0)
            }
            try await distributor.say { LinkMessage.writeJob(HandOver(3, second), request, to: &$0) }
            try await distributor.hear(second.description, times: 1)
            #expect(runs.lines.count == 2)
            try await distributor.stop()
        }
    }

    /// With the second time the distributor is forgotten before the outcome is there.
    @Test("forgets outcomes that nobody came for in time", arguments: [0.2, 0.001])
    func reportsExpire(reportTTL: Double) async throws {
        let (place, runs) = (try await SharedRedis.location(), RunLog())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let distributor = try await cluster.startDistributor { $0.name = "gone" }
            let (gate, recorder) = (RunLog(), LogRecorder())
            let storage = place.storage()
            let node = try await cluster.startNode("n1", for: [distributor]) {
                $0.storage = storage
                $0.reportTTL = 0.01
                $0.logger = recorder.logger
            }
            try await waitForNodes(["n1"], at: distributor)
            try distributor.enqueue("gated", ["gate": .string(gate.path)])
            try await eventually("it runs") { runs.lines == ["gated"] }
            await distributor.stop(grace: 0)
            // So long that the node forgets the distributor before the run has ended.
            try await eventually("the node knows") {
                recorder.lines.elements.contains { $0.text == "link to a distributor lost" }
            }
            try FileManager.default.removeItem(atPath: gate.path)
            try await eventually("it is done") { try await node.count() == 0 }
            try await eventually("its report is gone") { try await storage.reports().isEmpty }
        }
    }

    @Test("runs a job once when its storage fails, whichever call it is", arguments: 1...14)
    func faults(_ number: Int) async throws {
        let (place, runs) = (try await SharedRedis.location(), RunLog())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            var logger = cluster.logger
            logger.logLevel = .critical
            let quiet = logger
            let distributor = try await cluster.startDistributor()
            let outcomes = Outcomes()
            try distributor.enqueue("note", feedback: outcomes.feedback)
            try distributor.enqueue("note", [:], JobOptions(after: 0.05), feedback: outcomes.feedback)
            try distributor.enqueue(
                "fail", [:], JobOptions(maxAttempt: 2, retryMultiplier: 0), feedback: outcomes.feedback)
            // The first two calls open the storage and look into it: a start that fails says so.
            do {
                try await cluster.startNode("n1", for: [distributor]) {
                    $0.storage = FaultInjectingStorage.failing(place.storage(), at: [number])
                    $0.logger = quiet
                }
                #expect(number > 3)
            } catch {
                #expect("\(error)" == "this fault was injected")
                #expect(number <= 3)
                try await cluster.startNode("n1", for: [distributor]) { $0.storage = place.storage() }
            }
            let all = try await outcomes.wait(for: 3)
            #expect(all.filter(\.isSuccess).count == 2)
            #expect(runs.lines.sorted() == ["fail", "fail", "ran", "ran"])
        }
    }

    @Test("that another has taken over gives up what it runs, and stores and reports nothing of it")
    func lost() async throws {
        let (place, runs) = (try await SharedRedis.location(), RunLog())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let recorder = LogRecorder()
            let distributor = try await cluster.startDistributor()
            let gate = RunLog()
            let storage = place.storage(lease: 1)
            try await cluster.startNode("n1", for: [distributor]) {
                $0.storage = storage
                $0.logger = recorder.logger
            }
            try await waitForNodes(["n1"], at: distributor)
            let outcomes = Outcomes()
            let id = try distributor.enqueue(
                "gated", ["gate": .string(gate.path)], JobOptions(), feedback: outcomes.feedback)
            try await eventually("it runs") { runs.lines == ["gated"] }
            // As if this process had been frozen, and its lease had ended.
            let redis = try await RESPClient.connect(to: place.address)
            let other = place.storage()
            try await eventually("another has them") {
                // It may renew its lease at any moment.
                _ = try await redis.send(["DEL", "\(place.prefix)node:n1:lease"])
                return (try? await other.open(StorageOwner(name: "n1"))) != nil
            }
            await redis.close()
            try await eventually("it knows") {
                recorder.lines.elements.contains { $0.level == .critical && $0.text.contains("taken over") }
            }
            let record = try #require(try await other.load(id))
            #expect(record.status == .inProgress)
            #expect(outcomes.all.isEmpty)
            // When the other is gone the node has its jobs again.
            try FileManager.default.removeItem(atPath: gate.path)
            await other.close()
            let all = try await outcomes.wait(for: 1)
            #expect(all.map(\.isSuccess) == [true])
            #expect(runs.lines == ["gated", "gated"])
        }
    }

    @Test("is refused the name of another that lives, and names it")
    func secondOfOneName() async throws {
        let (place, runs) = (try await SharedRedis.location(), RunLog())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let distributor = try await cluster.startDistributor()
            try await cluster.startNode("n1", for: [distributor]) {
                $0.storage = place.storage()
                $0.server = Address(host: "localhost", port: 0)
            }
            let error = await #expect(throws: StorageError.self) {
                try await cluster.startNode("n1", for: [distributor]) { $0.storage = place.storage() }
            }
            #expect(error?.code == .held)
            #expect(error?.message.contains("n1 is already open (at localhost:") == true)
            #expect(error?.message.contains("process \(getpid())") == true)
        }
    }
}

extension Node {
    /// The storage of the node, as the test made it.
    var storage: any JobStorage { configuration.storage }

    func count() async throws -> Int {
        let jobs = try await storage.jobs(limit: 10_000)
        return jobs.count
    }

    func record(_ id: JobID) async throws -> Job? { try await storage.load(id) }
}
