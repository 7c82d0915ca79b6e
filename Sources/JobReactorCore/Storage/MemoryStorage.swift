internal import Synchronization

/// Keeps jobs in memory: the fastest storage, and the reference for all others. Nothing survives the process.
public final class MemoryStorage: JobStorage {
    private let jobs = Mutex<[JobID: Job]>([:])

    public init() {}

    public var isDurable: Bool { false }

    public func save(_ new: [Job], done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void) {
        var added = Set<JobID>(minimumCapacity: new.count)
        jobs.withLock { jobs in
            for job in new where jobs[job.id] == nil {
                jobs[job.id] = job
                added.insert(job.id)
            }
        }
        done(.success(added))
    }

    public func apply(_ changes: [JobChange], done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        jobs.withLock { jobs in
            for change in changes {
                switch change {
                case .update(let job): if jobs[job.id] != nil { jobs[job.id] = job }
                case .remove(let id): jobs[id] = nil
                }
            }
        }
        done(.success(()))
    }

    public func load(_ id: JobID, done: @escaping @Sendable (Result<Job?, StorageError>) -> Void) {
        done(.success(jobs.withLock { $0[id] }))
    }

    public func jobs(
        after id: JobID?, limit: Int, done: @escaping @Sendable (Result<[Job], StorageError>) -> Void
    ) {
        let page = jobs.withLock { jobs in
            jobs.values.filter { job in id.map { job.id > $0 } ?? true }.sorted { $0.id < $1.id }.prefix(limit)
        }
        done(.success(Array(page)))
    }
}
