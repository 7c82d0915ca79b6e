import Foundation
import JobReactorCore
import JobReactorTesting
import JobReactorWire
import Testing

@testable import JobReactorRedis

/// One node's jobs moved to another's, on one server.
@Suite struct AdoptionTests {
    private static func job(_ number: Int, name: String = "resize", notNode: String? = nil) -> Job {
        Job(
            id: JobID(high: UInt64(number), low: 7), name: name, args: ["n": .integer(Int64(number))],
            options: JobOptions(notNode: notNode), distributor: "app", createdAt: Timestamp(microseconds: 5))
    }

    private static func adopt(
        _ storage: RedisStorage, _ node: String, _ names: Set<String> = ["resize"], limit: Int = 1000
    ) async throws -> (jobs: [Job], reports: [StoredReport], calls: Int) {
        var all: (jobs: [Job], reports: [StoredReport], calls: Int) = ([], [], 0)
        var next: JobID?
        repeat {
            let after = next
            let page: AdoptedJobs = try await withCheckedThrowingContinuation { continuation in
                storage.adopt(node, defining: names, after: after, limit: limit) { continuation.resume(with: $0) }
            }
            all.jobs += page.jobs
            all.reports += page.reports
            all.calls += 1
            next = page.next
        } while next != nil
        return all
    }

    private static func abandoned(_ storage: RedisStorage) async throws -> [String] {
        try await withCheckedThrowingContinuation { continuation in
            storage.abandoned { continuation.resume(with: $0) }
        }
    }

    @Test("the jobs of a node that is gone move with their reports; what is done, not defined or not allowed stays")
    func moves() async throws {
        let location = try await SharedRedis.location()
        let gone = storage(location)
        try await gone.open(StorageOwner(name: "gone"))
        var running = Self.job(1)
        running.status = .inProgress
        var done = Self.job(4)
        done.status = .failed
        let report = StoredReport(
            JobReport(
                id: Self.job(9).id, name: "resize", feedback: Feedback(.success, args: [:]), status: .complete, run: 1),
            distributor: "app", madeAt: Timestamp(microseconds: 3))
        try await gone.save([
            running, Self.job(2), Self.job(3, name: "other"), done, Self.job(5, notNode: "heir"), Self.job(9),
        ])
        try await gone.apply([.remove(Self.job(9).id, report)])
        await gone.close()
        let heir = storage(location)
        try await heir.open(StorageOwner(name: "heir"))
        try await heir.save([Self.job(100)])
        let isSamePlace = heir.place != nil && heir.place == gone.place
        #expect(isSamePlace)
        let names = try await Self.abandoned(heir)
        #expect(names == ["gone"])
        let adopted = try await Self.adopt(heir, "gone")
        #expect(adopted.jobs == [running, Self.job(2)])
        #expect(adopted.reports == [report])
        let mine = try await heir.jobs()
        #expect(mine == [running, Self.job(2), Self.job(100)])
        let reports = try await heir.reports()
        #expect(reports == [report])
        let again = try await Self.adopt(heir, "gone")
        #expect(again.jobs.isEmpty && again.reports.isEmpty)
        // The other comes back, with what is left.
        try await gone.open(StorageOwner(name: "gone"))
        let left = try await gone.jobs()
        #expect(left.map(\.id.high) == [3, 4, 5])
        await gone.close()
        await heir.close()
    }

    private static func report(_ number: Int, _ args: JobArguments) -> StoredReport {
        StoredReport(
            JobReport(
                id: job(number).id, name: "resize", feedback: Feedback(.success, args: args), status: .complete, run: 1),
            distributor: "app", madeAt: Timestamp(microseconds: 3))
    }

    /// Args of which a page has room for one.
    private static let large = JobArguments(
        unchecked: Array(#"{"large":"\#(String(repeating: "x", count: 9 << 20))"}"#.utf8))

    @Test("large jobs and reports move in pages that have room for them, and are shown in such")
    func large() async throws {
        let location = try await SharedRedis.location()
        let gone = storage(location)
        try await gone.open(StorageOwner(name: "gone"))
        var jobs = (1...3).map { Self.job($0) }
        for index in jobs.indices { jobs[index].args = Self.large }
        let reports = [Self.report(11, Self.large), Self.report(12, Self.large)]
        try await gone.save(jobs + [Self.job(11), Self.job(12)])
        try await gone.apply(reports.map { .remove($0.report.id, $0) })
        await gone.close()
        let place = RedisPlace(location)
        let owner = StoredOwner(role: .node, name: "gone", isOpen: false)
        let pages: [(JobID?, Job)] = [(nil, jobs[0]), (jobs[0].id, jobs[1]), (jobs[1].id, jobs[2])]
        for (after, shown) in pages {
            let page = try await place.jobs(of: owner, after: after, limit: 10)
            #expect(page == [shown])
        }
        let heir = storage(location)
        try await heir.open(StorageOwner(name: "heir"))
        let adopted = try await Self.adopt(heir, "gone")
        #expect(adopted.calls == 5)
        #expect(adopted.jobs == jobs)
        #expect(adopted.reports == reports)
        await heir.close()
    }

    @Test("all reports move of a node that has left nothing else")
    func reportsOnly() async throws {
        let location = try await SharedRedis.location()
        let gone = storage(location)
        try await gone.open(StorageOwner(name: "gone"))
        let reports = (1...3).map { Self.report($0, [:]) }
        try await gone.save(reports.map { Self.job(Int($0.report.id.high)) })
        try await gone.apply(reports.map { .remove($0.report.id, $0) })
        await gone.close()
        let heir = storage(location)
        try await heir.open(StorageOwner(name: "heir"))
        let adopted = try await Self.adopt(heir, "gone", limit: 1)
        #expect(adopted.reports == reports && adopted.jobs.isEmpty)
        await heir.close()
    }

    @Test("one that ended at the heir does not move again; one whose id was used again after that end does")
    func usedAgain() async throws {
        let location = try await SharedRedis.location()
        let (gone, heir) = (storage(location), storage(location))
        try await heir.open(StorageOwner(name: "heir"))
        try await heir.save([Self.job(1), Self.job(2)])
        for number in 1...2 {
            var ended = Self.job(number)
            ended.status = .failed
            ended.lastError = "no"
            try await heir.apply([.update(ended)])
        }
        try await gone.open(StorageOwner(name: "gone"))
        var used = Self.job(2)
        used.args = ["n": "used again"]
        used.dueAt = Timestamp.now.advanced(bySeconds: 60)
        try await gone.save([Self.job(1), used])
        await gone.close()
        let adopted = try await Self.adopt(heir, "gone")
        #expect(adopted.jobs == [used])
        let jobs = try await heir.jobs()
        #expect(jobs.map(\.status) == [.failed, .new])
        #expect(jobs.last == used)
        // It counts no more among those that are finished.
        let redis = try await RESPClient.connect(to: location.address)
        let finished = try await redis.send(["ZCARD", "\(location.prefix)node:heir:finished"]).integer
        #expect(finished == 1)
        await heir.close()
        await redis.close()
    }

    @Test("the jobs of a node that lives stay where they are")
    func alive() async throws {
        let location = try await SharedRedis.location()
        let (first, second) = (storage(location), storage(location))
        try await first.open(StorageOwner(name: "a"))
        try await second.open(StorageOwner(name: "b"))
        try await first.save([Self.job(1)])
        let names = try await Self.abandoned(second)
        #expect(names.isEmpty)
        let error = await #expect(throws: StorageError.self) { try await Self.adopt(second, "a") }
        #expect(error?.code == .held)
        let jobs = try await first.jobs()
        #expect(jobs.count == 1)
        await first.close()
        await second.close()
    }

    @Test("one that was believed dead and is not changes nothing any more")
    func fenced() async throws {
        let location = try await SharedRedis.location()
        let (frozen, heir) = (storage(location), storage(location))
        try await frozen.open(StorageOwner(name: "frozen"))
        try await heir.open(StorageOwner(name: "heir"))
        try await frozen.save([Self.job(1)])
        let redis = try await RESPClient.connect(to: location.address)
        try await redis.endLease(of: "frozen", at: location)
        let adopted = try await Self.adopt(heir, "frozen")
        #expect(adopted.jobs.count == 1)
        let error = await #expect(throws: StorageError.self) { try await frozen.apply([.remove(Self.job(1).id)]) }
        #expect(error?.code == .lost)
        let jobs = try await heir.jobs()
        #expect(jobs.count == 1)
        await frozen.close()
        await heir.close()
        await redis.close()
    }

    @Test("many move page by page, over a connection that is cut, and none is missed", arguments: 0..<3)
    func pages(_ seed: Int) async throws {
        let location = try await SharedRedis.location()
        let gone = storage(location)
        try await gone.open(StorageOwner(name: "gone"))
        let jobs = (0..<2500).map { Self.job($0, name: $0 % 5 == 0 ? "other" : "resize") }
        try await gone.save(jobs)
        await gone.close()
        var random = SeededGenerator(seed: UInt64(seed))
        let cuts = (0..<3).map { _ in Int.random(in: 12_000..<400_000, using: &random) }
        let proxy = try await TCPProxy.start(to: location.address.port, cuts: cuts)
        var through = location
        through.address.port = proxy.port
        let heir = storage(through)
        try await heir.open(StorageOwner(name: "heir"))
        let adopted = try await Self.adopt(heir, "gone", limit: 100)
        #expect(adopted.calls >= 25)
        let missing = Set(jobs.filter { $0.name == "resize" }.map(\.id)).subtracting(adopted.jobs.map(\.id))
        #expect(missing.isEmpty)
        #expect(adopted.jobs.count == 2000)
        let mine = try await heir.jobs(limit: 10_000)
        #expect(mine.count == 2000)
        await heir.close()
        await proxy.stop()
    }
}
