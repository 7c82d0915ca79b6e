internal import JobReactorCore
internal import Logging
internal import NIOCore

/// What a distributor has in its storage: the jobs that it has accepted and that no node owns, and those of producers until
/// their outcome. Everything that comes in one turn of the loop goes to the storage at once.
///
/// In this storage the `distributor` of a record tells whose the job is: see ``KeptFor``.
final class JobKeeper {
    /// So many jobs go to the storage at once, at most: a storage may have a limit, and others want their turn.
    private static let batchLimit = 5_000

    private typealias Unsaved = (job: Job?, saved: () -> Void, failed: (StorageError) -> Void)

    private let storage: any JobStorage
    private let loop: any EventLoop
    private let logger: Logger
    /// To be saved, each with what is to be done when it is; without a job, what waits for those before it.
    private var unsaved: [Unsaved] = []
    private var changes: [JobChange] = []
    /// Those that the storage has refused, until they are tried again.
    private var refused: [JobChange] = []
    private var isScheduled = false
    /// One save at a time: what comes meanwhile goes together into the next, and nothing overtakes what has to be tried
    /// again.
    private var isSaving = false
    private var isOver = false
    /// What was stored is gone, and the storage is being opened again; nothing is given to it meanwhile.
    private var isReopening = false
    private var owner: StorageOwner?
    /// Jobs that cannot be stored now: says of each whether it is to be tried again.
    var triesAgain: (Job, StorageError) -> Bool = { _, _ in true }
    /// Another distributor of this name has taken the storage over.
    var onLost: (StorageError) -> Void = { _ in }
    /// What was stored is gone, as in a database that was emptied, and the storage is open again: returns what is to be
    /// stored anew.
    var onEmptied: () -> [Job] = { [] }

    init(_ storage: any JobStorage, on loop: any EventLoop, logger: Logger) {
        self.storage = storage
        self.loop = loop
        self.logger = logger
    }

    // MARK: Life

    /// Opens the storage and hands out what is in it, page by page.
    func open(
        _ name: String, address: String, _ visit: @escaping ([Job]) -> Void
    ) -> EventLoopFuture<Void> {
        let (loop, bound) = (loop, NIOLoopBound((self, visit), eventLoop: loop))
        let owner = StorageOwner(role: .distributor, name: name, address: address) { error in
            loop.execute { bound.value.0.lose(error) }
        }
        self.owner = owner
        return loop.answer { storage.open(owner, done: $0) }.flatMap {
            bound.value.0.load(after: nil, bound.value.1)
        }
    }

    private func load(after id: JobID?, _ visit: @escaping ([Job]) -> Void) -> EventLoopFuture<Void> {
        let bound = NIOLoopBound((self, visit), eventLoop: loop)
        let (loop, limit) = (loop, 1000)
        return loop.answer { storage.jobs(after: id, limit: limit, done: $0) }.flatMap { jobs in
            bound.value.1(jobs)
            guard let last = jobs.last, jobs.count == limit else { return loop.makeSucceededVoidFuture() }
            return bound.value.0.load(after: last.id, bound.value.1)
        }
    }

    /// Done when all that was given before is stored, or cannot be, and the storage is closed.
    func close() -> EventLoopFuture<Void> {
        isSaving = false
        tryRefusedAgain()
        while !unsaved.isEmpty, !isReopening, !isOver { saveNext() }
        isOver = true
        if !refused.isEmpty { noteUnstored(refused.count) }
        refused = []
        failWaiting(.notOpen)
        let promise = loop.makePromise(of: Void.self)
        storage.close { promise.succeed() }
        return promise.futureResult
    }

    private func failWaiting(_ error: StorageError) {
        let waiting = unsaved
        unsaved = []
        waiting.forEach { $0.failed(error) }
    }

    private func lose(_ error: StorageError) {
        guard !isOver, !isReopening else { return }
        guard error.code == .emptied else {
            isOver = true
            failWaiting(error)
            return onLost(error)
        }
        logger.critical(
            "what was stored is gone; it is stored again, as far as it is known here", metadata: ["reason": "\(error)"])
        isReopening = true
        reopen()
    }

    private func reopen() {
        guard let owner, !isOver else { return }
        let (storage, loop, bound) = (storage, loop, NIOLoopBound(self, eventLoop: loop))
        let closed = loop.makePromise(of: Void.self)
        storage.close { closed.succeed() }
        closed.futureResult.flatMap { loop.answer { storage.open(owner, done: $0) } }.whenComplete { result in
            bound.value.reopened(result)
        }
    }

    private func reopened(_ result: Result<Void, any Error>) {
        guard !isOver else { return }
        switch result {
        case .success:
            isReopening = false
            let jobs = onEmptied()
            logger.notice("what is known here is stored again", metadata: ["jobs": "\(jobs.count)"])
            // Before what came meanwhile: a change of theirs may be among that.
            let again: [Unsaved] = jobs.map { ($0, {}, { _ in }) }
            unsaved = again + unsaved
            if !isSaving { saveNext() }
            schedule()
        case .failure(let error as StorageError) where error.code == .held:
            isReopening = false
            lose(StorageError("\(error)", code: .lost))
        case .failure(let error):
            logger.error("the storage cannot be opened again", metadata: ["reason": "\(error)"])
            loop.assumeIsolated().scheduleTask(in: .seconds(1)) { self.reopen() }
        }
    }

    // MARK: Jobs

    /// Stores a job, or finds it stored; then calls `saved`.
    func save(_ job: Job, saved: @escaping () -> Void) {
        unsaved.append((job, saved, { _ in }))
        schedule()
    }

    func apply(_ change: JobChange) {
        changes.append(change)
        schedule()
    }

    /// Calls `body` when every job that came before is stored: at once when there is none. Calls `failed` instead when the
    /// storage is lost or closed before.
    func whenSaved(_ body: @escaping () -> Void, failed: @escaping (StorageError) -> Void = { _ in }) {
        if isOver { return failed(.notOpen) }
        if unsaved.isEmpty, !isSaving { return body() }
        unsaved.append((nil, body, failed))
        schedule()
    }

    private func schedule() {
        guard !isScheduled else { return }
        isScheduled = true
        loop.assumeIsolated().execute {
            self.isScheduled = false
            self.flush()
        }
    }

    private func flush() {
        guard !isOver, !isReopening else { return }
        if !isSaving { saveNext() }
        while !changes.isEmpty {
            apply(Self.takeFirst(of: &changes))
        }
    }

    /// As many as may go to the storage at once: as a rule all there are.
    private static func takeFirst<Element>(of waiting: inout [Element]) -> [Element] {
        guard waiting.count > batchLimit else {
            defer { waiting = [] }
            return waiting
        }
        defer { waiting.removeFirst(batchLimit) }
        return Array(waiting.prefix(batchLimit))
    }

    private func saveNext() {
        guard !unsaved.isEmpty, !isOver, !isReopening else { return }
        let batch = Self.takeFirst(of: &unsaved)
        isSaving = true
        let bound = NIOLoopBound((self, batch), eventLoop: loop)
        storage.save(batch.compactMap(\.job)) { result in
            bound.eventLoop.runOrExecute { bound.value.0.saved(bound.value.1, result) }
        }
    }

    private func saved(_ batch: [Unsaved], _ result: Result<Set<JobID>, StorageError>) {
        guard case .failure(let error) = result else {
            isSaving = false
            batch.forEach { $0.saved() }
            return saveNext()
        }
        if error.endsOwnership { lose(error) }
        guard !isOver else { return batch.forEach { $0.failed(error) } }
        if isReopening || error.code == .closed {
            // Not refused: it is stored when the storage is open again.
            unsaved = batch + unsaved
            isSaving = false
            if !isReopening { saveLater() }
            return
        }
        let again = batch.filter { item in item.job.map { triesAgain($0, error) } ?? true }
        unsaved = again + unsaved
        guard again.contains(where: { $0.job != nil }) else {
            isSaving = false
            return saveNext()
        }
        logger.error("jobs could not be stored; they wait", metadata: ["reason": "\(error)", "jobs": "\(again.count)"])
        saveLater()
    }

    private func saveLater() {
        isSaving = true
        loop.assumeIsolated().scheduleTask(in: .seconds(1)) {
            self.isSaving = false
            self.saveNext()
        }
    }

    private func apply(_ batch: [JobChange]) {
        let bound = NIOLoopBound(self, eventLoop: loop)
        storage.apply(batch) { result in
            guard case .failure(let error) = result else { return }
            bound.eventLoop.runOrExecute { bound.value.applyFailed(batch, error) }
        }
    }

    /// What is gone and stays in the storage would run again after a restart.
    private func applyFailed(_ batch: [JobChange], _ error: StorageError) {
        if error.endsOwnership { lose(error) }
        guard !isOver else {
            if !error.endsOwnership { noteUnstored(batch.count) }
            return
        }
        logger.error("changes could not be stored; they wait", metadata: ["reason": "\(error)"])
        let isAlone = refused.isEmpty
        refused += batch
        guard isAlone else { return }
        loop.assumeIsolated().scheduleTask(in: .seconds(1)) { self.tryRefusedAgain() }
    }

    private func noteUnstored(_ count: Int) {
        logger.warning(
            "stopping with changes that are not stored: jobs that nodes have done may run again",
            metadata: ["changes": "\(count)"])
    }

    private func tryRefusedAgain() {
        changes = refused + changes
        refused = []
        flush()
    }
}
