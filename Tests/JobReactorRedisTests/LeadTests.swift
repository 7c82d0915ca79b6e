import JobReactorCore
import JobReactorWire
import Testing

@testable import JobReactorRedis

/// Distributors that share a place: one of them leads, and changes what is kept of schedules.
@Suite("Who leads at a place") struct LeadTests {
    private static func open(_ storage: RedisStorage, _ name: String) async throws {
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            storage.open(StorageOwner(role: .distributor, name: name)) { done.resume(with: $0) }
        }
    }

    private static func lead(_ storage: RedisStorage) async throws -> String? {
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<String?, any Error>) in
            storage.lead { done.resume(with: $0) }
        }
    }

    private static func change(_ storage: RedisStorage, _ control: StoredControl, saving jobs: [Job] = []) async throws
    {
        _ = try await withCheckedThrowingContinuation { (done: CheckedContinuation<Set<JobID>, any Error>) in
            storage.change([.set(control)], saving: jobs) { done.resume(with: $0) }
        }
    }

    private static func controls(_ storage: RedisStorage) async throws -> [StoredControl] {
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<[StoredControl], any Error>) in
            storage.controls { done.resume(with: $0) }
        }
    }

    private static func close(_ storage: RedisStorage) async {
        await withCheckedContinuation { done in storage.close { done.resume() } }
    }

    @Test("one leads until it is gone, and what it has stored is the next one's; others change only what is their own")
    func lead() async throws {
        let location = try await SharedRedis.location()
        let (one, other) = (storage(location), storage(location))
        try await Self.open(one, "a")
        try await Self.open(other, "b")
        #expect(try await Self.lead(one) == nil)
        #expect(try await Self.lead(other) == "a")
        #expect(try await Self.lead(one) == nil)
        let ticks = StoredControl(.init(.ticks, "s"), [1])
        try await Self.change(one, ticks)
        let job = Job(id: JobID(high: 1, low: 1), name: "j", args: [:], createdAt: Timestamp(microseconds: 0))
        let error = await #expect(throws: StorageError.self) {
            try await Self.change(other, StoredControl(.init(.ticks, "s"), [2]), saving: [job])
        }
        #expect(error?.code == .held)
        #expect(error?.message.contains("distributor:a leads") == true)
        let pause = StoredControl(.init(.pausedJob, "j"), [3])
        try await Self.change(other, pause)
        #expect(try await Self.controls(one) == [ticks])
        #expect(try await Self.controls(other) == [pause, ticks])
        await Self.close(one)
        #expect(try await Self.lead(other) == nil)
        try await Self.change(other, StoredControl(.init(.ticks, "s"), [2]), saving: [job])
        try await Self.open(one, "a")
        #expect(try await Self.lead(one) == "b")
        #expect(try await Self.controls(one) == [StoredControl(.init(.ticks, "s"), [2])])
        await Self.close(one)
        await Self.close(other)
    }

    private static func unfinished(_ storage: RedisStorage, _ numbers: UInt64...) async throws -> Set<UInt64> {
        let ids = numbers.map { JobID(high: 1, low: $0) }
        let found = try await withCheckedThrowingContinuation { (done: CheckedContinuation<Set<JobID>, any Error>) in
            storage.unfinished(ids) { done.resume(with: $0) }
        }
        return Set(found.map(\.low))
    }

    private static func apply(_ storage: RedisStorage, _ changes: JobChange...) async throws {
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            storage.apply(changes) { done.resume(with: $0) }
        }
    }

    @Test("a leader finds which jobs of another are unfinished, where nodes of the place have them, too")
    func unfinished() async throws {
        let location = try await SharedRedis.location()
        let (one, other, node) = (storage(location), storage(location), storage(location))
        try await Self.open(one, "a")
        try await Self.open(other, "b")
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            node.open(StorageOwner(role: .node, name: "n")) { done.resume(with: $0) }
        }
        func job(_ number: UInt64, of distributor: String = "") -> Job {
            var job = Job(
                id: JobID(high: 1, low: number), name: "j", args: [:], createdAt: Timestamp(microseconds: 0))
            job.distributor = distributor
            return job
        }
        func save(_ job: Job, _ storage: RedisStorage) async throws {
            _ = try await withCheckedThrowingContinuation { (done: CheckedContinuation<Set<JobID>, any Error>) in
                storage.save([job]) { done.resume(with: $0) }
            }
        }
        #expect(try await Self.unfinished(other) == [])
        // It waits; a node of the place has it, and another has ended it; nobody knows what a node of another place does.
        try await save(job(1), one)
        try await save(job(2, of: "=0: n"), one)
        try await save(job(2, of: "a"), node)
        try await save(job(3, of: "=0: n"), one)
        try await save(job(4, of: "=0: m"), one)
        try await save(job(5, of: "=0:  n"), one)
        #expect(try await Self.unfinished(other, 1, 2, 3, 4, 5, 6) == [1, 2, 4, 5])
        var ended = job(2, of: "a")
        ended.status = .complete
        try await Self.apply(node, .update(ended))
        try await Self.apply(one, .remove(job(1).id))
        #expect(try await Self.unfinished(other, 1, 2, 3, 4) == [4])
        for storage in [one, other, node] { await Self.close(storage) }
    }

    // MARK: Keys

    private static func job(_ number: Int, key: String = "k", name: String = "digest") -> Job {
        Job(
            id: JobID(high: 0, low: UInt64(number)), name: name, args: [:],
            options: JobOptions(unique: JobUnique(key)), createdAt: Timestamp(microseconds: 0))
    }

    private static func save(_ storage: RedisStorage, _ jobs: Job...) async throws -> [Int: Int] {
        let held = try await withCheckedThrowingContinuation { (done: CheckedContinuation<[JobID: JobID], any Error>) in
            storage.saveUnique(jobs) { done.resume(with: $0) }
        }
        return Dictionary(held.map { (Int($0.key.low), Int($0.value.low)) }) { first, _ in first }
    }

    private static func remove(_ storage: RedisStorage, _ number: Int) async throws {
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            storage.apply([.remove(JobID(high: 0, low: UInt64(number)))]) { done.resume(with: $0) }
        }
    }

    private static func free(_ storage: RedisStorage, _ number: Int) async throws {
        let key = try UniqueKey(job: "digest", key: "k")
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            storage.freeKeys([(key, JobID(high: 0, low: UInt64(number)))]) { done.resume(with: $0) }
        }
    }

    @Test("of all owners one has a key, as long as its record is there") func keys() async throws {
        let location = try await SharedRedis.location()
        let (one, other) = (storage(location), storage(location))
        try await Self.open(one, "a")
        try await Self.open(other, "b")
        #expect(try await Self.save(one, Self.job(1), Self.job(2, key: "l")) == [:])
        #expect(try await Self.save(one, Self.job(1)) == [:])
        #expect(try await Self.save(other, Self.job(3), Self.job(4, name: "report")) == [3: 1])
        // One that does not have it frees nothing, and one whose record is gone has it no more, said or not.
        try await Self.free(other, 1)
        #expect(try await Self.save(other, Self.job(3)) == [3: 1])
        try await Self.remove(one, 1)
        #expect(try await Self.save(other, Self.job(3)) == [:])
        #expect(try await Self.save(one, Self.job(5)) == [5: 3])
        try await Self.free(other, 3)
        #expect(try await Self.save(one, Self.job(5)) == [:])
        #expect(try await Self.save(other, Self.job(6)) == [6: 5])
        await Self.close(one)
        await Self.close(other)
    }
}
