internal import JobReactorCore
internal import Logging
internal import NIOCore

/// What decides when jobs run, as a distributor keeps it: here, and in its storage where that can. Everything that changes in one
/// turn of the loop goes there at once; one call at a time, and what is refused is tried again.
final class ControlKeeper {
    private struct Change {
        var changes: [ControlChange]
        var jobs: [Job]
        let done: () -> Void
    }

    private let storage: (any ControlStorage)?
    /// The same, where others share its place.
    private let sharedStorage: (any SharedControlStorage)?
    private let loop: any EventLoop
    private let logger: Logger
    private var current: [StoredControl.Key: [UInt8]] = [:]
    private var waiting: [Change] = []
    /// What waits in the order of jobs with keys, where others share the place.
    private struct Keyed {
        /// Nil for who only waits for those before it.
        let job: Job?
        let done: (JobID?) -> Void
        let failed: (StorageError) -> Void
    }

    /// Jobs with keys, and keys that are free, where others share the place.
    private var unsaved: [Keyed] = []
    /// Those that the storage has been given.
    private var underWay: [Keyed] = []
    private var freed: [(key: UniqueKey, job: JobID)] = []
    private var isSaving = false
    private var isStoring = false
    private var isScheduled = false
    private var isOver = false
    private var saysThatItFails = false
    /// Another leads: what is kept of schedules could not be changed, and these jobs are not stored.
    var onFollowing: (_ jobs: [Job]) -> Void = { _ in }

    /// So many changes and jobs go to the storage at once, at most.
    private static let batchLimit = 1000

    init(_ storage: (any JobStorage)?, on loop: any EventLoop, logger: Logger) {
        self.storage = storage as? any ControlStorage
        sharedStorage = storage as? any SharedControlStorage
        self.loop = loop
        self.logger = logger
    }

    /// Whether jobs can be stored in one step with what is kept.
    var savesJobs: Bool { storage != nil }

    subscript(key: StoredControl.Key) -> [UInt8]? { current[key] }

    /// All of a kind, in the order of their names.
    func all(_ kind: StoredControl.Kind) -> [StoredControl] {
        current.filter { $0.key.kind == kind }.map { StoredControl($0.key, $0.value) }.sorted { $0.key < $1.key }
    }

    /// Reads what an earlier process has left, and what others who share the place have; the storage is open.
    func open() -> EventLoopFuture<Void> {
        guard let storage else { return loop.makeSucceededVoidFuture() }
        let bound = NIOLoopBound(self, eventLoop: loop)
        return loop.answer { storage.controls(done: $0) }.map { controls in
            let keeper = bound.value
            // What is the place's may have been changed by others; of its own nobody else changes anything.
            keeper.current = keeper.current.filter { !$0.key.kind.isShared }
            for control in controls where keeper.current[control.key] == nil {
                keeper.current[control.key] = control.value
            }
        }
    }

    /// Whether others may lead.
    var isShared: Bool { sharedStorage != nil }

    /// Takes the lead where nobody has it. Nil when this one has it, else the name of the one that has.
    func lead() -> EventLoopFuture<String?> {
        guard let sharedStorage else { return loop.makeSucceededFuture(nil) }
        return loop.answer { sharedStorage.lead(done: $0) }
    }

    /// Those of the jobs that are unfinished at the place, a part at a time.
    func unfinished(_ ids: ArraySlice<JobID>, _ found: Set<JobID> = []) -> EventLoopFuture<Set<JobID>> {
        let batch = Array(ids.prefix(Self.batchLimit))
        guard let sharedStorage, !batch.isEmpty else { return loop.makeSucceededFuture(found) }
        let (rest, bound) = (ids.dropFirst(batch.count), NIOLoopBound(self, eventLoop: loop))
        return loop.answer { sharedStorage.unfinished(batch, done: $0) }.flatMap {
            bound.value.unfinished(rest, found.union($0))
        }
    }

    /// Keeps it, and stores the jobs in the same step. `done` is called when that is stored; at once where the storage cannot.
    /// Never when the process ends before.
    func change(_ changes: [ControlChange], saving jobs: [Job] = [], done: @escaping () -> Void = {}) {
        for change in changes {
            switch change {
            case .set(let control): current[control.key] = control.value
            case .remove(let key): current[key] = nil
            }
        }
        guard storage != nil, !isOver else { return done() }
        waiting.append(Change(changes: changes, jobs: jobs, done: done))
        storeSoon()
    }

    /// What was stored is gone, and the storage is open again: all of it is stored anew.
    func emptied() {
        guard !current.isEmpty else { return }
        let all = current.map { ControlChange.set(StoredControl($0.key, $0.value)) }
        waiting.insert(Change(changes: all, jobs: [], done: {}), at: 0)
        storeSoon()
    }

    /// Nothing more is stored.
    func close() {
        store(isLast: true)
        let unsaved = underWay + unsaved
        self.unsaved.removeAll { $0.job == nil }
        saveKeyed()
        isOver = true
        (waiting, self.unsaved, underWay) = ([], [], [])
        for keyed in unsaved { keyed.failed(.notOpen) }
    }

    private func storeSoon() {
        guard !isScheduled, !isStoring else { return }
        isScheduled = true
        loop.assumeIsolated().execute {
            self.isScheduled = false
            self.store()
        }
    }

    /// `isLast`: the storage is about to close, and carries its calls out in order.
    private func store(isLast: Bool = false) {
        guard let storage, !isOver, isLast || !isStoring, !waiting.isEmpty else { return }
        isStoring = true
        var (batch, size) = ([Change](), 0)
        while let next = waiting.first, isLast || batch.isEmpty || size < Self.batchLimit {
            size += next.changes.count + next.jobs.count
            batch.append(next)
            waiting.removeFirst()
        }
        let bound = NIOLoopBound((self, batch), eventLoop: loop)
        storage.change(batch.flatMap(\.changes), saving: batch.flatMap(\.jobs)) { result in
            bound.eventLoop.runOrExecute { bound.value.0.stored(bound.value.1, result) }
        }
    }

    /// Another leads. What is this one's own is stored without the rest.
    private func follow(_ batch: [Change]) {
        isStoring = false
        let all = batch + waiting
        waiting = all.map { change in
            Change(changes: change.changes.filter { !$0.key.kind.isShared }, jobs: [], done: change.done)
        }
        onFollowing(all.flatMap(\.jobs))
        store()
    }

    private func stored(_ batch: [Change], _ result: Result<Set<JobID>, StorageError>) {
        guard !isOver else { return }
        switch result {
        case .success:
            (isStoring, saysThatItFails) = (false, false)
            for change in batch { change.done() }
            store()
        case .failure(let error):
            if error.code == .lost { return close() }
            if error.code == .held { return follow(batch) }
            if !saysThatItFails {
                logger.error(
                    "schedules, pauses or limits could not be stored; storing is retried",
                    metadata: ["reason": "\(error)"])
            }
            saysThatItFails = true
            waiting = batch + waiting
            loop.assumeIsolated().scheduleTask(in: .seconds(1)) { [weak self] in
                self?.isStoring = false
                self?.store()
            }
        }
    }

    // MARK: Keys

    /// Stores jobs with keys, where others share the place: `done` gets the id of the job that has the key, elsewhere; nil when the job
    /// is stored. What is refused is tried again.
    func saveUnique(_ job: Job, done: @escaping (JobID?) -> Void) {
        unsaved.append(Keyed(job: job, done: done, failed: { _ in }))
        saveSoon()
    }

    /// Calls `body` when every job that came before to ``saveUnique(_:done:)`` is stored, here or elsewhere: at once when there is
    /// none. Calls `failed` instead when the storage is lost or closed before.
    func whenSaved(_ body: @escaping () -> Void, failed: @escaping (StorageError) -> Void) {
        guard !unsaved.isEmpty || !underWay.isEmpty else { return body() }
        unsaved.append(Keyed(job: nil, done: { _ in body() }, failed: failed))
        saveSoon()
    }

    /// The job does not hold the key any more.
    func free(_ key: UniqueKey, of job: JobID) {
        guard sharedStorage != nil else { return }
        freed.append((key, job))
        saveSoon()
    }

    private func saveSoon() {
        guard !isSaving, !isOver else { return }
        isSaving = true
        loop.assumeIsolated().execute { self.saveKeyed() }
    }

    private func saveKeyed() {
        guard let sharedStorage, !isOver else { return }
        if !freed.isEmpty {
            // What fails is free as soon as the record is gone.
            sharedStorage.freeKeys(freed) { _ in }
            freed = []
        }
        let batch = Array(unsaved.prefix(Self.batchLimit))
        guard !batch.isEmpty else { return isSaving = false }
        unsaved.removeFirst(batch.count)
        underWay += batch
        let jobs = batch.compactMap(\.job)
        guard !jobs.isEmpty else { return savedKeyed(batch, .success([:])) }
        let bound = NIOLoopBound((self, batch), eventLoop: loop)
        sharedStorage.saveUnique(jobs) { result in
            bound.eventLoop.runOrExecute { bound.value.0.savedKeyed(bound.value.1, result) }
        }
    }

    private func savedKeyed(_ batch: [Keyed], _ result: Result<[JobID: JobID], StorageError>) {
        guard !isOver else { return }
        underWay.removeFirst(batch.count)
        switch result {
        case .success(let held):
            for keyed in batch { keyed.done(keyed.job.flatMap { held[$0.id] }) }
            saveKeyed()
        case .failure(let error):
            unsaved = batch + unsaved
            if error.code == .lost { return close() }
            logger.error(
                "jobs with unique keys could not be stored; storing is retried", metadata: ["reason": "\(error)"])
            loop.assumeIsolated().scheduleTask(in: .seconds(1)) { [weak self] in self?.saveKeyed() }
        }
    }
}
