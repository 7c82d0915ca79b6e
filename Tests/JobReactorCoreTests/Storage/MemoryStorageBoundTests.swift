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
}
