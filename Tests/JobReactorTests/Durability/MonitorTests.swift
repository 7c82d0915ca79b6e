import Foundation
import JobReactor
import JobReactorNode
import JobReactorRedis
import JobReactorSQLite
import JobReactorTesting
import Testing

/// Looking at stored jobs and changing them, while their node runs and while it does not.
@Suite("Monitor") struct MonitorTests {
    /// A place of each kind, with what goes when the test does.
    enum Kind: CaseIterable, Sendable { case redis, sqlite }

    private static func place(_ kind: Kind) async throws -> any StoragePlace {
        switch kind {
        case .redis: RedisPlace(try await SharedRedis.location())
        case .sqlite:
            SQLitePlace(
                file: FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).sqlite").path)
        }
    }

    private static func job(_ number: Int, _ name: String, _ status: JobStatus = .queued) -> Job {
        var job = Job(
            id: JobID(high: 1, low: UInt64(number)), name: name, args: ["n": .integer(Int64(number))],
            distributor: "app", createdAt: .now)
        job.status = status
        job.attempt = status == .failed ? 10 : 0
        job.dueAt = Timestamp.now.advanced(bySeconds: 3600)
        return job
    }

    @Test("of a node that does not run: listed, loaded, retried, cancelled and destroyed", arguments: Kind.allCases)
    func stopped(_ kind: Kind) async throws {
        let place = try await Self.place(kind)
        let storage = place.makeStorage()
        try await storage.open(StorageOwner(name: "n1", address: "localhost:1"))
        let jobs = [
            Self.job(1, "a"), Self.job(2, "a", .failed), Self.job(3, "b"), Self.job(4, "b", .complete),
            Self.job(5, "b"),
        ]
        try await storage.save(jobs)
        await storage.close()
        let monitor = JobMonitor(place)
        let owners = try await monitor.owners()
        #expect(owners.map(\.name) == ["n1"] && owners.map(\.isOpen) == [false])
        let all = try await monitor.jobs(for: "n1")
        #expect(all == jobs)
        let none = try await monitor.jobs(for: "n")
        #expect(none.isEmpty)
        let failed = try await monitor.jobs(JobMonitor.Filter(status: .failed))
        #expect(failed.map(\.job) == [jobs[1]])
        let named = try await monitor.jobs(JobMonitor.Filter(node: "n1", name: "b"), limit: 2)
        #expect(named.map(\.job) == [jobs[2], jobs[3]])
        let missing = try await monitor.load(JobID(high: 9, low: 9))
        #expect(missing == nil)
        let loaded = try await monitor.load(jobs[3].id)
        #expect(loaded?.job == jobs[3] && loaded?.owner.name == "n1")

        let answers = [
            try await monitor.retry(jobs[1].id), try await monitor.cancel(jobs[2].id),
            try await monitor.cancel(jobs[3].id),
            try await monitor.destroy(jobs[3].id), try await monitor.destroy(JobID(high: 9, low: 9)),
        ]
        #expect(answers == [true, true, false, true, false])
        let left = try await monitor.jobs(for: "n1")
        #expect(left.map(\.id.low) == [1, 2, 5])
        #expect(left[1].status == .queued && left[1].attempt == 0 && left[1].dueAt <= Timestamp.now)
        // What was cancelled is reported when the node is there again.
        try await storage.open(StorageOwner(name: "n1"))
        let reports = try await storage.reports()
        #expect(reports.map(\.report.id) == [jobs[2].id])
        #expect(reports.map(\.report.status) == [.cancelled])
        await storage.close()
        let count = try await monitor.destroyAllJobs(for: "n1")
        #expect(count == 3)
        let end = try await monitor.jobs()
        #expect(end.isEmpty)
    }

    @Test("of a node that runs: the node makes the change, and the application hears of it", arguments: Kind.allCases)
    func running(_ kind: Kind) async throws {
        let (place, runs) = (try await Self.place(kind), RunLog())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let distributor = try await cluster.startDistributor()
            try await cluster.startNode("n1", for: [distributor]) {
                $0.storage = place.makeStorage()
                $0.server = Address(host: "localhost", port: 0)
                $0.policy.maxAttempt = 1
            }
            try await waitForNodes(["n1"], at: distributor)
            let monitor = JobMonitor(place)
            let outcomes = Outcomes()
            let waiting = try distributor.enqueue(
                "note", ["text": "early"], JobOptions(after: 3600), feedback: outcomes.feedback)
            let unwanted = try distributor.enqueue("note", [:], JobOptions(after: 3600), feedback: outcomes.feedback)
            let cancelled = try distributor.enqueue("note", [:], JobOptions(after: 3600), feedback: outcomes.feedback)
            let failing = try distributor.enqueue("fail", feedback: outcomes.feedback)
            _ = try await outcomes.wait(for: 1)
            try await eventually("all are there") { try await monitor.jobs().count == 4 }
            let isOpen = try await monitor.owners().map(\.isOpen)
            #expect(isOpen == [true])
            // Before its time, once more from its first attempt, and never.
            let isEarly = try await monitor.retry(waiting)
            #expect(isEarly)
            let early = try await outcomes.wait(for: 2)
            #expect(early.last?.id == waiting && early.last?.isSuccess == true)
            let isCancelled = try await monitor.cancel(cancelled)
            let isDestroyed = try await monitor.destroy(unwanted)
            #expect(isCancelled && isDestroyed)
            let ended = try await outcomes.wait(for: 4)
            #expect(Set(ended.suffix(2).map(\.id)) == [cancelled, unwanted])
            #expect(ended.suffix(2).allSatisfy { $0.status == .cancelled })
            let isAgain = try await monitor.retry(failing)
            #expect(isAgain)
            try await eventually("it ran again") { runs.lines.filter { $0 == "fail" }.count == 2 }
            try await eventually("it failed again") {
                try await monitor.load(failing)?.job.status == .failed
            }
            let count = try await monitor.destroyAllJobs(for: "n1")
            #expect(count == 1)
            let left = try await monitor.jobs()
            #expect(left.isEmpty)
            #expect(runs.lines.sorted() == ["early", "fail", "fail"])
        }
    }

    @Test("of a node that runs and does not listen: a change says what to do")
    func unreachable() async throws {
        let place = try await Self.place(.redis)
        let storage = place.makeStorage()
        try await storage.open(StorageOwner(name: "n1"))
        try await storage.save([Self.job(1, "a")])
        let error = await #expect(throws: StorageError.self) { try await JobMonitor(place).cancel(Self.job(1, "a").id) }
        #expect(error?.code == .held)
        #expect(error?.message.contains("--server") == true)
        await storage.close()
    }
}
