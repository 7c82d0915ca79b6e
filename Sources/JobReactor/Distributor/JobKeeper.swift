internal import JobReactorCore
internal import Logging
internal import NIOCore

/// What a distributor has in its storage: the jobs that it has accepted and that no node owns, and those of producers until
/// their outcome. Everything that comes in one turn of the loop goes to the storage at once.
///
/// In this storage the `distributor` of a record tells whose the job is: see ``KeptFor``.
final class JobKeeper {
    private struct Waiter {
        let saved: () -> Void
        let failed: (StorageError) -> Void
    }

    private typealias Queue = KeeperQueue<Waiter>

    private let storage: any JobStorage
    private let loop: any EventLoop
    private let logger: Logger
    private var queue = Queue()
    private var batches = ChangeBatches<Waiter>()
    /// Changes that the storage has refused, until they are tried again.
    private var refused: [(number: Int, changes: [JobChange])] = []
    /// The ids in ``refused``: each job that comes meanwhile is looked up there.
    private var refusedIDs: Set<JobID> = []
    private var isScheduled = false
    /// When the storage has last refused what it was given; nil when it has taken something since.
    private var refusedAt: NIODeadline?
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

    /// Whether the storage refuses: something waits for it, or it has refused what nobody tries again a moment ago.
    var isRefusing: Bool {
        guard let refusedAt else { return false }
        return !refused.isEmpty || !queue.isSaved || loop.now - refusedAt < .seconds(30)
    }

    // MARK: Life

    /// Opens the storage and hands out what is in it, page by page.
    func open(
        _ name: String, address: String, _ visit: @escaping ([Job]) -> Void,
        reports visitReports: @escaping ([StoredReport]) -> Void
    ) -> EventLoopFuture<Void> {
        let (loop, bound) = (loop, NIOLoopBound((self, visit, visitReports), eventLoop: loop))
        let owner = StorageOwner(role: .distributor, name: name, address: address) { error in
            loop.execute { bound.value.0.lose(error) }
        }
        self.owner = owner
        return loop.answer { storage.open(owner, done: $0) }.flatMap {
            bound.value.0.load(after: nil, bound.value.1)
        }.flatMap { bound.value.0.loadReports(after: nil, bound.value.2) }
    }

    private func loadReports(
        after key: JobReport.Key?, _ visit: @escaping ([StoredReport]) -> Void
    ) -> EventLoopFuture<Void> {
        let bound = NIOLoopBound((self, visit), eventLoop: loop)
        let loop = loop
        return loop.answer { storage.reports(after: key, limit: 1000, done: $0) }.flatMap { reports in
            guard let last = reports.last else { return loop.makeSucceededVoidFuture() }
            bound.value.1(reports)
            return bound.value.0.loadReports(after: last.report.key, bound.value.1)
        }
    }

    private func load(after id: JobID?, _ visit: @escaping ([Job]) -> Void) -> EventLoopFuture<Void> {
        let bound = NIOLoopBound((self, visit), eventLoop: loop)
        let loop = loop
        return loop.answer { storage.jobs(after: id, limit: 1000, done: $0) }.flatMap { jobs in
            guard let last = jobs.last else { return loop.makeSucceededVoidFuture() }
            bound.value.1(jobs)
            return bound.value.0.load(after: last.id, bound.value.1)
        }
    }

    /// Done when all that was given before is stored, or cannot be, and the storage is closed.
    func close() -> EventLoopFuture<Void> {
        applyRefused()
        for _ in 0...queue.hurry() {
            flush()
            _ = queue.hurry()
        }
        noteUnstored(refused.reduce(0) { $0 + $1.changes.count })
        (refused, refusedIDs) = ([], [])
        queue.end().forEach { $0.waiter.failed(.notOpen) }
        let promise = loop.makePromise(of: Void.self)
        storage.close { promise.succeed() }
        let bound = NIOLoopBound(self, eventLoop: loop)
        // Changes under way are stored, or not, before it is closed.
        return promise.futureResult.map { bound.value.batches.end().forEach { $0.failed(.notOpen) } }
    }

    private func end(_ error: StorageError) {
        queue.end().forEach { $0.waiter.failed(error) }
        batches.end().forEach { $0.failed(error) }
    }

    private func lose(_ error: StorageError) {
        guard error.code == .emptied else {
            guard !queue.isOver, !queue.isReopening else { return }
            end(error)
            return onLost(error)
        }
        guard queue.beginReopening() else { return }
        logger.critical(
            "the storage has lost its jobs; the jobs known here are stored again", metadata: ["reason": "\(error)"])
        reopen()
    }

    private func reopen() {
        guard let owner, !queue.isOver else { return }
        let (storage, loop, bound) = (storage, loop, NIOLoopBound(self, eventLoop: loop))
        let closed = loop.makePromise(of: Void.self)
        storage.close { closed.succeed() }
        closed.futureResult.flatMap { loop.answer { storage.open(owner, done: $0) } }.whenComplete { result in
            bound.value.reopened(result)
        }
    }

    private func reopened(_ result: Result<Void, any Error>) {
        guard !queue.isOver else { return }
        switch result {
        case .success:
            let jobs = onEmptied()
            logger.notice("the jobs known here are stored again", metadata: ["jobs": "\(jobs.count)"])
            queue.reopened(jobs.map { Queue.Item(job: $0, waiter: Waiter(saved: {}, failed: { _ in })) })
            schedule()
        case .failure(let error as StorageError) where error.code == .held:
            queue.reopened([])
            lose(StorageError("\(error)", code: .lost))
        case .failure(let error):
            logger.error("the storage cannot be opened again", metadata: ["reason": "\(error)"])
            loop.assumeIsolated().scheduleTask(in: .seconds(1)) { self.reopen() }
        }
    }

    // MARK: Jobs

    /// Stores a job, or finds it stored; then calls `saved`.
    func save(_ job: Job, saved: @escaping () -> Void) {
        queue.add(job, Waiter(saved: saved, failed: { _ in }))
        schedule()
    }

    func apply(_ change: JobChange) {
        queue.add(change)
        schedule()
    }

    /// Reads the records of jobs that are stored: `done` gets each, nil where there is none, or why it cannot be read.
    func load(_ ids: [JobID], _ done: @escaping ([(id: JobID, result: Result<Job?, StorageError>)]) -> Void) {
        let reads = ids.map { id in
            let promise = loop.makePromise(of: (id: JobID, result: Result<Job?, StorageError>).self)
            storage.load(id) { promise.succeed((id, $0)) }
            return promise.futureResult
        }
        EventLoopFuture.whenAllSucceed(reads, on: loop).assumeIsolated().whenSuccess(done)
    }

    /// Calls `body` when every job that came before is stored: at once when there is none. Calls `failed` instead when the
    /// storage is lost or closed before.
    func whenSaved(_ body: @escaping () -> Void, failed: @escaping (StorageError) -> Void = { _ in }) {
        if queue.isOver { return failed(.notOpen) }
        if queue.isSaved { return body() }
        queue.add(nil, Waiter(saved: body, failed: failed))
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
        // Before any save, of jobs that were saved before: one may be the end of a job whose id is used again, and would end
        // that one, too.
        while let batch = queue.nextChanges() { apply(batch, batches.given()) }
        guard let batch = queue.nextSave() else { return }
        let bound = NIOLoopBound((self, batch), eventLoop: loop)
        storage.save(batch.compactMap(\.job)) { result in
            bound.eventLoop.runOrExecute { bound.value.0.saved(bound.value.1, result) }
        }
    }

    private func saved(_ batch: [Queue.Item], _ result: Result<Set<JobID>, StorageError>) {
        guard case .failure(let error) = result else {
            _ = queue.answered()
            refusedAt = nil
            batch.forEach { $0.waiter.saved() }
            return flush()
        }
        if error.endsOwnership { lose(error) }
        guard !queue.isOver else { return batch.forEach { $0.waiter.failed(error) } }
        // While it is opened again, or closed, nothing is refused: it is stored when it is open.
        let isRefused = !queue.isReopening && error.code != .closed
        let again = isRefused ? batch.filter { item in item.job.map { triesAgain($0, error) } ?? true } : batch
        guard queue.answered(again: again) else { return flush() }
        if isRefused {
            refusedAt = loop.now
            logger.error(
                "jobs could not be stored; storing is retried",
                metadata: ["reason": "\(error)", "jobs": "\(again.count)"])
        }
        loop.assumeIsolated().scheduleTask(in: .seconds(1)) {
            self.queue.pauseEnded()
            self.flush()
        }
    }

    /// Calls `body` when every change that came before is stored: at once when there is none that is not. Calls `failed`
    /// instead when the storage is lost or closed before.
    func whenApplied(_ body: @escaping () -> Void, failed: @escaping (StorageError) -> Void = { _ in }) {
        guard !queue.isOver else { return failed(.notOpen) }
        if !batches.wait(Waiter(saved: body, failed: failed), queued: queue.changeBatches) { body() }
    }

    private func apply(_ batch: [JobChange], _ number: Int) {
        let bound = NIOLoopBound(self, eventLoop: loop)
        storage.apply(batch) { result in
            bound.eventLoop.runOrExecute { bound.value.applied(batch, number, result) }
        }
    }

    private func applied(_ batch: [JobChange], _ number: Int, _ result: Result<Void, StorageError>) {
        if case .failure(let error) = result { return applyFailed(batch, number, error) }
        refusedAt = nil
        for waiter in batches.stored(number) { waiter.saved() }
    }

    /// What is gone and stays in the storage would run again after a restart.
    private func applyFailed(_ batch: [JobChange], _ number: Int, _ error: StorageError) {
        if error.endsOwnership { lose(error) }
        guard !queue.isOver else {
            if !error.endsOwnership { noteUnstored(batch.count) }
            return
        }
        refusedAt = loop.now
        logger.error("changes could not be stored; storing is retried", metadata: ["reason": "\(error)"])
        let isAlone = refused.isEmpty
        refused.append((number, batch))
        refusedIDs.formUnion(batch.lazy.compactMap(\.id))
        if isAlone { tryRefusedLater() }
    }

    /// Whether a change of the record of that id was refused, and is to be made yet.
    func isToBeChanged(_ id: JobID) -> Bool {
        !refusedIDs.isEmpty && refusedIDs.contains(id)
    }

    private func tryRefusedLater() {
        loop.assumeIsolated().scheduleTask(in: .seconds(1)) {
            // While it is opened again it is given nothing.
            if self.queue.isReopening { return self.tryRefusedLater() }
            self.applyRefused()
            self.flush()
        }
    }

    private func noteUnstored(_ count: Int) {
        guard count > 0 else { return }
        logger.warning(
            "stopping with changes that are not stored: jobs that nodes have run may run again",
            metadata: ["changes": "\(count)"])
    }

    /// In their order, and before those that have come since.
    private func applyRefused() {
        let again = refused.sorted { $0.number < $1.number }
        (refused, refusedIDs) = ([], [])
        if !queue.isOver { for batch in again { apply(batch.changes, batch.number) } }
    }
}

extension JobChange {
    /// Of the record that it changes; nil for a report.
    fileprivate var id: JobID? {
        switch self {
        case .update(let job, _): job.id
        case .remove(let id, _): id
        case .taken: nil
        }
    }
}
