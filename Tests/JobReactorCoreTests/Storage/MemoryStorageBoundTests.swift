import JobReactorCore
import Testing

@Suite struct MemoryStorageBoundTests {
    @Test func onlyTheLastFinishedJobsAreKept() {
        let storage = MemoryStorage(maximumFinished: 3)
        let jobs = (1...6).map { number in
            Job(
                id: JobID(high: UInt64(number), low: UInt64(number)), name: "a", args: [:],
                createdAt: Timestamp(microseconds: 0))
        }
        storage.open(StorageOwner(name: "worker_1")) { _ in }
        storage.save(jobs) { _ in }
        for job in jobs.dropLast() {
            var finished = job
            finished.status = .failed
            // Twice: the same job finishes once.
            storage.apply([.update(finished), .update(finished)]) { _ in }
        }
        storage.jobs(after: nil, limit: 10) { result in
            // The last of all is not finished, and stays whatever comes.
            #expect((try? result.get())?.map(\.id.high) == [3, 4, 5, 6])
        }
    }

    @Test("an id that is used again and again counts once among the finished jobs")
    func usedAgain() {
        let storage = MemoryStorage(maximumFinished: 3)
        storage.open(StorageOwner(name: "worker_1")) { _ in }
        func finish(_ number: UInt64) {
            var job = Job(
                id: JobID(high: number, low: number), name: "a", args: [:], createdAt: Timestamp(microseconds: 0))
            storage.save([job]) { #expect((try? $0.get())?.count == 1) }
            job.status = .failed
            storage.apply([.update(job)]) { _ in }
        }
        func expectKept(_ numbers: [UInt64]) {
            storage.jobs(after: nil, limit: 10) { #expect((try? $0.get())?.map(\.id.high) == numbers) }
        }
        finish(1)
        finish(2)
        for _ in 0..<5000 { finish(3) }
        expectKept([1, 2, 3])
        finish(1)
        finish(4)
        // The first was finished again after the second.
        expectKept([1, 3, 4])
    }
}
