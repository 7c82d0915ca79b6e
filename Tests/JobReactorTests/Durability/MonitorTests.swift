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
        let storage = try #require(place.makeStorage())
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
        let newest = try await monitor.newestJobs(limit: 2)
        #expect(newest.map(\.job.id.low) == [5, 2])
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

    @Test("of a node that does not run: all that a filter means, which are counted first", arguments: Kind.allCases)
    func many(_ kind: Kind) async throws {
        let place = try await Self.place(kind)
        let storage = try #require(place.makeStorage())
        try await storage.open(StorageOwner(name: "n1"))
        var jobs = (1...2500).map { Self.job($0, $0 % 2 == 0 ? "even" : "odd", $0 % 5 == 0 ? .failed : .queued) }
        jobs[9].lastError = "no disk"
        try await storage.save(jobs)
        await storage.close()
        let monitor = JobMonitor(place)
        let found = try await monitor.newestJobs(JobMonitor.Filter(name: "odd", status: .failed), limit: 3)
        #expect(found.map(\.job.id.low) == [2495, 2485, 2475])
        let prefix = jobs[0].id.description.prefix(31)
        let begun = try await monitor.find(idPrefix: String(prefix), limit: 20)
        #expect(begun.map(\.job.id.low) == Array(1...15))

        func change(_ change: JobMonitor.Change, _ filter: JobMonitor.Filter, isDry: Bool = false) async throws -> Int {
            try await monitor.change(change, all: filter, isDry: isDry)
        }
        #expect(try await change(.retry, JobMonitor.Filter(), isDry: true) == 500)
        #expect(try await change(.retry, JobMonitor.Filter(error: "DISK")) == 1)
        #expect(try await change(.retry, JobMonitor.Filter(node: "n2")) == 0)
        #expect(try await change(.cancel, JobMonitor.Filter(name: "odd")) == 1000)
        #expect(try await change(.destroy, JobMonitor.Filter(status: .failed)) == 499)
        #expect(try await change(.destroy, JobMonitor.Filter(), isDry: true) == 1001)
        #expect(try await monitor.jobs().count == 1001)
    }

    /// Nil is memory, seen through the node's port.
    @Test(
        "of a node that runs: the node makes the change, and the application hears of it",
        arguments: [.redis, .sqlite, nil] as [Kind?])
    func running(_ kind: Kind?) async throws {
        let runs = RunLog()
        let place: (any StoragePlace)? = if let kind { try await Self.place(kind) } else { nil }
        let storage = place?.makeStorage() ?? MemoryStorage()
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let distributor = try await cluster.startDistributor()
            let node = try await cluster.startNode("n1", for: [distributor]) {
                $0.storage = storage
                $0.server = Address(host: "localhost", port: 0)
                $0.policy.maxAttempt = 1
            }
            try await waitForNodes(["n1"], at: distributor)
            let port = try await node.port() ?? 0
            let monitor = place.map { JobMonitor($0) } ?? JobMonitor(node: Address(host: "localhost", port: port))
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
        let storage = try #require(place.makeStorage())
        try await storage.open(StorageOwner(name: "n1"))
        try await storage.save([Self.job(1, "a")])
        let error = await #expect(throws: StorageError.self) { try await JobMonitor(place).cancel(Self.job(1, "a").id) }
        #expect(error?.code == .held)
        #expect(error?.message.contains("start it with an address for its server") == true)
        await storage.close()
    }

    @Test("where distributor and node share a place a job is seen once, and cancelled where it is")
    func sharedPlace() async throws {
        let location = try await SharedRedis.location()
        try await Cluster.run(scripts: ["jobs.lua": "job('late', function() end)"]) { cluster in
            let port = try RedisServer.freePort()
            let distributor = Distributor(
                DistributorConfiguration(
                    name: "app", port: port, grace: 0, storage: location.storage(), logger: cluster.logger))
            try await distributor.start()
            let client = try await JobClient.connect(host: "localhost", port: port)
            let monitor = JobMonitor(RedisPlace(location))
            let outcomes = Outcomes()
            // One for a node that is not there yet, and one that it will own.
            let parked = try client.enqueue("absent", [:], JobOptions(), feedback: outcomes.feedback)
            let owned = try client.enqueue("late", [:], JobOptions(after: 3600), feedback: outcomes.feedback)
            try await eventually("both wait at the distributor") {
                try await monitor.jobs().map(\.owner.role) == [.distributor, .distributor]
            }
            let error = await #expect(throws: StorageError.self) { try await monitor.retry(parked) }
            #expect(error?.message.contains("as soon as a node takes it") == true)
            try await cluster.startNode("n1", for: [distributor]) {
                $0.storage = location.storage()
                $0.server = Address(host: "localhost", port: 0)
            }
            try await eventually("the node owns one, and it is seen once") {
                try await monitor.jobs().map(\.owner.name) == ["n1", "app"]
            }
            let place = RedisPlace(location)
            let app = try #require(try await place.owners().first { $0.role == .distributor })
            let noted = try await place.jobs(of: app, after: nil, limit: 10)
            #expect(Set(noted.map(\.id)) == [parked, owned])
            let found = try await monitor.load(owned)
            #expect(found?.owner.name == "n1")
            let areCancelled = (try await monitor.cancel(owned), try await monitor.destroy(parked))
            #expect(areCancelled == (true, true))
            let all = try await outcomes.wait(for: 2)
            #expect(Set(all.map(\.id)) == [parked, owned])
            #expect(all.allSatisfy { $0.status == .cancelled })
            try await eventually("nothing is left") { try await monitor.jobs().isEmpty }
            await client.stop()
            await distributor.stop()
        }
    }

    @Test("asked of a node: pages of any size; a distributor has those that the node does not own")
    func node() async throws {
        try await Cluster.run(scripts: ["jobs.lua": "job('late', function() end)"]) { cluster in
            let distributor = try await cluster.startDistributor()
            let node = try await cluster.startNode("n1", for: [distributor]) {
                $0.server = Address(host: "localhost", port: 0)
            }
            try await waitForNodes(["n1"], at: distributor)
            let jobs = (0..<1200).map { JobSubmission("late", ["n": JSONValue($0)], JobOptions(after: 3600)) }
            let ids = try distributor.enqueue(contentsOf: jobs)
            let monitor = JobMonitor(node: Address(host: "localhost", port: try await node.port() ?? 0))
            try await eventually("all are there") { try await monitor.jobs().count == 1200 }
            let found = try await monitor.jobs()
            #expect(found.map(\.job.id) == ids.sorted())
            #expect(found.allSatisfy { $0.owner.name == "n1" && $0.job.status == .queued })
            let first = try await monitor.jobs(limit: 501)
            #expect(first == Array(found.prefix(501)))
            let other = try await monitor.jobs(JobMonitor.Filter(node: "n2"))
            #expect(other.isEmpty)
            let missing = try await monitor.load(JobID(high: 9, low: 9))
            #expect(missing == nil)
            let port = try #require(distributor.port)
            let atDistributor = try await JobMonitor(node: Address(host: "localhost", port: port)).jobs()
            #expect(atDistributor.map(\.job.id) == ids.sorted())
            #expect(atDistributor.allSatisfy { $0.owner.role == .distributor && $0.node == "n1" && $0.waitsFor == nil })
        }
        let gone = await #expect(throws: StorageError.self) {
            try await JobMonitor(node: Address(host: "localhost", port: 1)).jobs()
        }
        #expect(gone?.message.contains("connection refused: start the server there") == true)
    }
}
