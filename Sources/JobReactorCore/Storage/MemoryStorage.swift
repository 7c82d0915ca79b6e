/// Keeps jobs in memory: the fastest storage, and the reference for all others. Nothing survives the process.
public final class MemoryStorage: JobStorage {
    private struct State {
        var owner: StorageOwner?
        var jobs = JobTable<Job>()
        /// Finished jobs that are kept, oldest first.
        var finished = FIFO<JobID>()
        var reports: [JobReport.Key: StoredReport] = [:]
    }

    private let state = Locked(State())
    private let maximumFinished: Int

    /// Keeps the last `maximumFinished` of the finished jobs whose policy does not remove them.
    public init(maximumFinished: Int = 10_000) {
        self.maximumFinished = max(0, maximumFinished)
    }

    public var isDurable: Bool { false }

    public func open(_ owner: StorageOwner, done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        let holder = state.withLock { state in
            if state.owner == nil {
                state.owner = owner
                return nil as StorageOwner?
            }
            return state.owner
        }
        done(holder.map { .failure(.held(by: $0.name, address: $0.address)) } ?? .success(()))
    }

    public func save(_ new: [Job], done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void) {
        done(
            whenOpen { state in
                var added = Set<JobID>(minimumCapacity: new.count)
                for job in new where !state.jobs.contains(job.id) {
                    state.jobs[job.id] = job
                    added.insert(job.id)
                }
                return added
            })
    }

    public func apply(_ changes: [JobChange], done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        done(
            whenOpen { state in
                for change in changes {
                    switch change {
                    case .update(let job, let report):
                        guard let before = state.jobs[job.id]?.status else { continue }
                        update(job, before: before, in: &state)
                        keep(report, in: &state)
                    case .remove(let id, let report):
                        if state.jobs.removeValue(forKey: id) != nil { keep(report, in: &state) }
                    case .taken(let key): state.reports[key] = nil
                    }
                }
            })
    }

    public func load(_ id: JobID, done: @escaping @Sendable (Result<Job?, StorageError>) -> Void) {
        done(whenOpen { $0.jobs[id] })
    }

    public func jobs(
        after id: JobID?, limit: Int, done: @escaping @Sendable (Result<[Job], StorageError>) -> Void
    ) {
        done(
            whenOpen { state in
                let rest = state.jobs.elements.lazy.map(\.value).filter { job in id.map { job.id > $0 } ?? true }
                return rest.sorted { $0.id < $1.id }.page(limit: limit)
            })
    }

    public func reports(
        after key: JobReport.Key?, limit: Int, done: @escaping @Sendable (Result<[StoredReport], StorageError>) -> Void
    ) {
        done(
            whenOpen { state in
                let rest = state.reports.filter { report in key.map { report.key > $0 } ?? true }
                return rest.sorted { $0.key < $1.key }.lazy.map(\.value).page(limit: limit)
            })
    }

    public func close(done: @escaping @Sendable () -> Void) {
        state.withLock { $0.owner = nil }
        done()
    }

    private func whenOpen<Value>(_ body: (inout State) -> Value) -> Result<Value, StorageError> {
        state.withLock { state in
            guard state.owner != nil else { return .failure(.notOpen) }
            return .success(body(&state))
        }
    }

    private func keep(_ report: StoredReport?, in state: inout State) {
        if let report { state.reports[report.report.key] = report }
    }

    private func update(_ job: Job, before: JobStatus, in state: inout State) {
        state.jobs[job.id] = job
        guard job.status.isFinished, !before.isFinished else { return }
        state.finished.append(job.id)
        while state.finished.count > maximumFinished, let oldest = state.finished.popFirst() {
            if state.jobs[oldest]?.status.isFinished == true { state.jobs[oldest] = nil }
        }
    }
}
