internal import JobReactor
internal import JobReactorCore
internal import NIOCore

/// What a monitor asks for, beside ``NodeCore/cancel(_:)``.
extension NodeCore {
    /// Runs a job now: one that waits before its time, one that is finished from its first attempt. False for one that
    /// runs, or that is not here.
    func retry(_ id: JobID, _ done: @escaping (Result<Bool, StorageError>) -> Void) {
        switch live[id]?.stage {
        case .running, .ending, .ready: return done(.success(false))
        case .waiting, nil: break
        }
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
        switch live[job.id]?.stage {
        case .running, .ending, .ready: return
        case .waiting, nil: break
        }
        if live[job.id] == nil {
            live[job.id] = Live(stage: .waiting, giver: destination(job.distributor).number)
        }
        wait(job.id, until: .now)
        armTimer()
    }

    /// Cancels a job that is not finished, and removes its record. False when there is none.
    func destroy(_ id: JobID, _ done: @escaping (Result<Bool, StorageError>) -> Void) {
        if live[id] != nil {
            live[id]?.isDestroyed = true
            return done(.success(cancel(id)))
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
