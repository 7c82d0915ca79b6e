internal import JobReactor
internal import JobReactorCore
internal import JobReactorLua
internal import Logging
internal import NIOCore

/// A storage whose records are gone under the node, as when its database was emptied: it is opened again, and whoever waits
/// for a job is answered.
extension NodeCore {
    /// What waited is gone: who waits for it is told. What runs, or is about to, is known here: it goes on, and what comes of
    /// it is stored when the storage is open again.
    func storageEmptied(_ error: StorageError) {
        guard life.emptied() else { return }
        let count = runs.count
        let gone = runs.loseRecords()
        logger.critical(
            "the storage has lost the jobs of this node; running jobs continue, and waiting jobs have failed",
            metadata: ["reason": "\(error)", "jobs": "\(count)", "failed": "\(gone.count)"])
        failGone(gone)
        reopenEmptied()
    }

    private func reopenEmptied() {
        guard !life.isStopping else { return }
        let (loop, storage, bound) = (loop, storage, NIOLoopBound(self, eventLoop: loop))
        let owner = storageOwner
        let closed = loop.makePromise(of: Void.self)
        storage.close { closed.succeed() }
        closed.futureResult.flatMap { loop.answer { storage.open(owner, done: $0) } }.whenComplete { result in
            let core = bound.value
            switch result {
            case .success:
                core.life.opened()
                core.logger.notice("the storage is open again", metadata: ["jobs": "\(core.runs.count)"])
                core.storeUnstored(core.runs.turns)
                core.runReady()
            case .failure(let error as StorageError) where error.code == .held:
                core.life.lostAfterEmptied()
                core.storageLost(StorageError("\(error)", code: .lost))
            case .failure(let error):
                core.logger.error("the storage cannot be opened again", metadata: ["reason": "\(error)"])
                core.loop.assumeIsolated().scheduleTask(in: .seconds(1)) { core.reopenEmptied() }
            }
        }
    }

    /// Puts records back that went with all others, before they are changed.
    func storeUnstored(_ jobs: @autoclosure () -> [Job]) {
        guard runs.hasUnstored else { return }
        let missing = runs.missing(of: jobs())
        guard !missing.isEmpty else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        storage.save(missing) { result in
            guard case .success = result else { return }
            bound.eventLoop.runOrExecute { bound.value.runs.putBack(missing) }
        }
    }

    /// Jobs whose records are not there any more, and that nobody has ended: their distributors are told.
    func failGone(_ ids: [JobID]) {
        let args = JobArguments([
            ("error", .string("the record of the job is gone from the storage of the node \(configuration.name)"))
        ])
        for (id, known) in runs.fail(gone: ids) {
            cancelled(id, .success(false))
            guard let destination = destinations.numbered(known.giver) else { continue }
            // Of the name and the number of the run only the record knew.
            deliver(
                JobReport(id: id, name: "", feedback: Feedback(.error, args: args), status: .failed, run: Int32.max),
                to: destination)
            if known.usesCredit { destination.settled(onLink: known.link) }
        }
        flushDestinations()
    }
}
