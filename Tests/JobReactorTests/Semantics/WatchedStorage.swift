import JobReactor
import JobReactorCore
import JobReactorTesting

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A memory storage that tells when each record was stored, and takes its time: `done` is called on another thread,
/// `delay` seconds later.
final class WatchedStorage: JobStorage {
    /// Lines as `ID status, attempt 1, run_at`, and what a test adds.
    let events = Collector<String>()
    private let storage = MemoryStorage()
    private let delay: Double
    private let failure = Locked<StorageError?>(nil)

    init(delay: Double) { self.delay = delay }

    /// Every save fails from now on, or is good again.
    func failSaves(_ error: StorageError?) { failure.withLock { $0 = error } }

    func note(_ event: String) { events.append(event) }

    private func note(_ job: Job) {
        var parts = ["\(job.id) \(job.status.rawValue), attempt \(job.attempt)"]
        if job.runAt != nil { parts.append("run_at") }
        if job.failedAt != nil { parts.append("failed_at: \(job.lastError ?? "")") }
        events.append(parts.joined(separator: ", "))
    }

    private func later(_ body: @escaping @Sendable () -> Void) {
        Task {
            try? await Task.sleep(for: .seconds(delay))
            body()
        }
    }

    var isDurable: Bool { false }

    func open(_ owner: StorageOwner, done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        storage.open(owner, done: done)
    }

    func close(done: @escaping @Sendable () -> Void) { storage.close(done: done) }

    func reports(
        after key: JobReport.Key?, limit: Int, done: @escaping @Sendable (Result<[StoredReport], StorageError>) -> Void
    ) {
        storage.reports(after: key, limit: limit, done: done)
    }

    func save(_ jobs: [Job], done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void) {
        if let error = failure.withLock({ $0 }) { return later { done(.failure(error)) } }
        storage.save(jobs) { result in
            self.later {
                for job in jobs { self.note(job) }
                done(result)
            }
        }
    }

    func apply(_ changes: [JobChange], done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        storage.apply(changes) { result in
            self.later {
                for change in changes { if case .update(let job, _) = change { self.note(job) } }
                done(result)
            }
        }
    }

    func load(_ id: JobID, done: @escaping @Sendable (Result<Job?, StorageError>) -> Void) {
        storage.load(id, done: done)
    }

    func jobs(after id: JobID?, limit: Int, done: @escaping @Sendable (Result<[Job], StorageError>) -> Void) {
        storage.jobs(after: id, limit: limit, done: done)
    }
}
