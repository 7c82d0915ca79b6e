/// Keeps jobs in memory: the fastest storage, and the reference for all others. Nothing survives the process.
public final class MemoryStorage: JobStorage {
    private struct State {
        var jobs = JobTable<Job>()
        /// Finished jobs that are kept, oldest first.
        var finished = FIFO<JobID>()
    }

    private let state = Locked(State())
    private let maximumFinished: Int

    /// Keeps the last `maximumFinished` of the finished jobs whose policy does not remove them.
    public init(maximumFinished: Int = 10_000) {
        self.maximumFinished = max(0, maximumFinished)
    }

    public var isDurable: Bool { false }

    public func save(_ new: [Job], done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void) {
        var added = Set<JobID>(minimumCapacity: new.count)
        state.withLock { state in
            for job in new where state.jobs[job.id] == nil {
                state.jobs[job.id] = job
                added.insert(job.id)
            }
        }
        done(.success(added))
    }

    public func apply(_ changes: [JobChange], done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        state.withLock { state in
            for change in changes {
                switch change {
                case .update(let job): update(job, in: &state)
                case .remove(let id): state.jobs[id] = nil
                }
            }
        }
        done(.success(()))
    }

    public func load(_ id: JobID, done: @escaping @Sendable (Result<Job?, StorageError>) -> Void) {
        done(.success(state.withLock { $0.jobs[id] }))
    }

    public func jobs(
        after id: JobID?, limit: Int, done: @escaping @Sendable (Result<[Job], StorageError>) -> Void
    ) {
        let page = state.withLock { state in
            let rest = state.jobs.elements.lazy.map(\.value).filter { job in id.map { job.id > $0 } ?? true }
            return rest.sorted { $0.id < $1.id }.prefix(max(0, limit))
        }
        done(.success(Array(page)))
    }

    private func update(_ job: Job, in state: inout State) {
        guard let before = state.jobs[job.id]?.status else { return }
        state.jobs[job.id] = job
        guard job.status.isFinished, !before.isFinished else { return }
        state.finished.append(job.id)
        while state.finished.count > maximumFinished, let oldest = state.finished.popFirst() {
            if state.jobs[oldest]?.status.isFinished == true { state.jobs[oldest] = nil }
        }
    }
}
