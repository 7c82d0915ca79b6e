/// A storage in memory: the fastest one, and the reference for all others. Its content ends with the process.
public final class MemoryStorage: AuditStorage, ControlStorage {
    private struct State {
        var owner: StorageOwner?
        var jobs = JobTable<Job>()
        /// Finished jobs that are kept, oldest first, each with a number of its own; and those that are gone since.
        var finished = FIFO<(id: JobID, number: Int)>()
        /// The number of each that is kept.
        var finishes = JobTable<Int>()
        var lastFinish = 0
        var reports: [JobReport.Key: StoredReport] = [:]
        var audit: [AuditEntry] = []
        var controls: [StoredControl.Key: [UInt8]] = [:]
    }

    private let state = Locked(State())
    private let maximumFinished: Int

    /// Keeps at most `maximumFinished` finished jobs that their policy does not remove; the oldest go first.
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
        done(whenOpen { add(new, in: &$0) })
    }

    private func add(_ new: [Job], in state: inout State) -> Set<JobID> {
        var added = Set<JobID>(minimumCapacity: new.count)
        for job in new {
            if let known = state.jobs[job.id] {
                guard known.status.isFinished else { continue }
                state.finishes.removeValue(forKey: job.id)
                state.jobs[job.id] = job
            } else {
                state.jobs.insert(job, forNew: job.id)
            }
            added.insert(job.id)
        }
        return added
    }

    public func apply(_ changes: [JobChange], done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        done(
            whenOpen { state in
                for change in changes {
                    switch change {
                    case .update(let job, let report):
                        guard let before = state.jobs[job.id]?.become(job) else { continue }
                        noteUpdate(of: job, before: before, in: &state)
                        keep(report, in: &state)
                    case .remove(let id, let report):
                        guard let removed = state.jobs.removeValue(forKey: id) else { continue }
                        if removed.status.isFinished { state.finishes.removeValue(forKey: id) }
                        keep(report, in: &state)
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
        done(whenOpen { state in page(state.jobs.ids(after: id, limit: limit), limit, of: state.jobs) })
    }

    public func jobs(
        before id: JobID?, limit: Int, done: @escaping @Sendable (Result<[Job], StorageError>) -> Void
    ) {
        done(whenOpen { state in page(state.jobs.ids(before: id, limit: limit), limit, of: state.jobs) })
    }

    private func page(_ ids: [JobID], _ limit: Int, of jobs: JobTable<Job>) -> [Job] {
        var page = RecordPage<Job>(limit: limit)
        for id in ids { guard let job = jobs[id], page.add(job) else { break } }
        return page.records
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

    public func note(_ entries: [AuditEntry], done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        done(
            whenOpen { state in
                state.audit += entries
                let excess = state.audit.count - AuditEntry.most
                // Not with each new one: the others move.
                if excess > 1000 { state.audit.removeFirst(excess) }
            })
    }

    public func audit(limit: Int, done: @escaping @Sendable (Result<[AuditEntry], StorageError>) -> Void) {
        done(whenOpen { Array($0.audit.suffix(max(0, limit)).reversed()) })
    }

    public func change(
        _ changes: [ControlChange], saving jobs: [Job],
        done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void
    ) {
        done(
            whenOpen { state in
                for change in changes {
                    switch change {
                    case .set(let control): state.controls[control.key] = control.value
                    case .remove(let key): state.controls[key] = nil
                    }
                }
                return add(jobs, in: &state)
            })
    }

    public func controls(done: @escaping @Sendable (Result<[StoredControl], StorageError>) -> Void) {
        done(whenOpen { $0.controls.map { StoredControl($0.key, $0.value) }.sorted { $0.key < $1.key } })
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

    private func noteUpdate(of job: Job, before: JobStatus, in state: inout State) {
        guard job.status.isFinished else {
            if before.isFinished { state.finishes.removeValue(forKey: job.id) }
            return
        }
        guard !before.isFinished else { return }
        state.lastFinish += 1
        state.finishes[job.id] = state.lastFinish
        state.finished.append((job.id, state.lastFinish))
        while state.finishes.count > maximumFinished, let (oldest, number) = state.finished.popFirst() {
            guard state.finishes[oldest] == number else { continue }
            state.finishes.removeValue(forKey: oldest)
            state.jobs[oldest] = nil
        }
        // Those that are gone do not add up.
        if state.finished.count > 2 * state.finishes.count + 1000 {
            let finishes = state.finishes
            state.finished.removeAll { finishes[$0.id] != $0.number }
        }
    }
}

extension Job {
    /// Is that record from now on. Returns the status of before.
    fileprivate mutating func become(_ record: Job) -> JobStatus {
        defer { self = record }
        return status
    }
}
