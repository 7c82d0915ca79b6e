internal import JobReactor
internal import JobReactorCore
internal import JobReactorLua
internal import NIOCore

/// What is ordered from outside about a job that is here: to cancel it, to run it again, to destroy it.
extension NodeCore {
    // MARK: Cancelling

    /// Cancels a job from outside. Says whether it is here and not finished; of one that does not run, when that is stored.
    @discardableResult
    func cancel(_ id: JobID) -> EventLoopFuture<Bool> {
        switch runs.cancel(id) {
        case .unknown: return loop.makeSucceededFuture(false)
        case .interrupt: interrupt(id)
        case .ends where cancellations[id] == nil: break
        case .ends: return cancelled(id)
        case .load:
            let bound = NIOLoopBound(self, eventLoop: loop)
            let end = cancelled(id)
            storage.load(id) { result in
                bound.eventLoop.runOrExecute { bound.value.loaded(id, at: .ending, result) }
            }
            return end
        }
        return loop.makeSucceededFuture(true)
    }

    /// Followed by ``cancelled(_:_:)`` or ``forgetCancellations(_:)``.
    private func cancelled(_ id: JobID) -> EventLoopFuture<Bool> {
        let promise = loop.makePromise(of: Bool.self)
        cancellations[id, default: []].append(promise)
        return promise.futureResult
    }

    /// The end of a job that was cancelled is stored, or does not come.
    func cancelled(_ id: JobID, _ result: Result<Bool, any Error>) {
        for promise in cancellations.removeValue(forKey: id) ?? [] { promise.completeWith(result) }
    }

    /// None of their ends is stored any more.
    func forgetCancellations(_ error: any Error) {
        let all = cancellations.values
        cancellations = [:]
        for promise in all.joined() { promise.fail(error) }
    }

    /// A distributor cancels a job. Those that came over another are none of its business.
    func cancel(_ id: JobID, for distributor: String) {
        if let known = runs[id], known.giver == destinations.known(distributor)?.number {
            cancel(id)
        } else if runs[id] == nil, !runs.isParked(id) {
            // It may be on its way into the storage.
            _ = runs.cancel(id, for: distributor)
        } else {
            load(id) { result in
                if case .success(let job?) = result, job.distributor == distributor { self.cancel(id) }
            }
        }
    }

    private func interrupt(_ id: JobID) {
        for lane in lanes {
            guard let run = lane.lua.cancel(id) else { continue }
            if let raised = run.raised {
                end([LuaLane.Outcome(run.job, raised)], on: lane.kind)
            } else {
                store([runs.tookBack(run, from: lane.kind)], madeAt: now)
                runReady()
            }
        }
    }

    // MARK: Again

    /// Runs a job now: one that waits before its time, one that is finished from its first attempt. False for one that
    /// runs, or that is not here.
    func retry(_ id: JobID, _ done: @escaping (Result<Bool, StorageError>) -> Void) {
        guard runs.mayRunNow(id) else { return done(.success(false)) }
        let bound = NIOLoopBound((self, done), eventLoop: loop)
        let loop = loop
        loop.answer { storage.load(id, done: $0) }.flatMap { job -> EventLoopFuture<Job?> in
            let core = bound.value.0
            guard let job, let again = JobLifecycle.retry(job, now: core.clock.now) else {
                return loop.makeSucceededFuture(nil)
            }
            return loop.answer { core.storage.apply([.update(again)], done: $0) }.map { again }
        }.whenComplete { result in
            let (core, done) = bound.value
            switch result {
            case .success(let job?):
                core.takeTurn(job)
                done(.success(true))
            case .success(nil): done(.success(false))
            case .failure(let error): done(.failure(error as? StorageError ?? StorageError("\(error)")))
            }
        }
    }

    /// A job that is stored, and not run, is to run now.
    func takeTurn(_ job: Job) {
        let giver = destinations[job.distributor].number
        runs.takeTurn(job.id, giver: giver)
        armTimer()
    }

    /// Cancels a job that is not finished, and removes its record. False when there is none.
    func destroy(_ id: JobID, _ done: @escaping (Result<Bool, StorageError>) -> Void) {
        if runs.markDestroyed(id) {
            return cancel(id).assumeIsolated().whenComplete { result in
                done(result.mapError { $0 as? StorageError ?? StorageError("\($0)") })
            }
        }
        let bound = NIOLoopBound((self, done), eventLoop: loop)
        let loop = loop
        loop.answer { storage.load(id, done: $0) }.flatMap { job -> EventLoopFuture<Bool> in
            guard job != nil else { return loop.makeSucceededFuture(false) }
            return loop.answer { bound.value.0.storage.apply([.remove(id)], done: $0) }.map { true }
        }.whenComplete { result in
            bound.value.1(result.mapError { $0 as? StorageError ?? StorageError("\($0)") })
        }
    }
}
