internal import DequeModule
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
        ownsJobs = false
        let ready = Set(lanes.lazy.flatMap { $0.turns.map(\.id) })
        let gone = live.elements.filter { id, known in
            switch known.stage {
            case .waiting: true
            case .ready: !ready.contains(id)
            case .running, .ending: false
            }
        }.map(\.key)
        logger.critical(
            "what this node had stored is gone; what runs goes on, and what waited has failed",
            metadata: ["reason": "\(error)", "jobs": "\(live.count)", "failed": "\(gone.count)"])
        failGone(gone)
        unstored = Set(live.elements.lazy.map(\.key))
        takenUp.subtract(gone)
        reopenEmptied()
    }

    private func reopenEmptied() {
        guard !isStopping else { return }
        let (loop, storage, bound) = (loop, storage, NIOLoopBound(self, eventLoop: loop))
        let owner = storageOwner
        let closed = loop.makePromise(of: Void.self)
        storage.close { closed.succeed() }
        closed.futureResult.flatMap { loop.answer { storage.open(owner, done: $0) } }.whenComplete { result in
            let core = bound.value
            switch result {
            case .success:
                core.ownsJobs = true
                core.logger.notice("the storage is open again", metadata: ["jobs": "\(core.live.count)"])
                core.storeUnstored(core.lanes.flatMap { $0.turns })
                core.runReady()
            case .failure(let error as StorageError) where error.code == .held:
                core.ownsJobs = true
                core.storageLost(StorageError("\(error)", code: .lost))
            case .failure(let error):
                core.logger.error("the storage cannot be opened again", metadata: ["reason": "\(error)"])
                core.loop.assumeIsolated().scheduleTask(in: .seconds(1)) { core.reopenEmptied() }
            }
        }
    }

    /// Puts records back that went with all others, before they are changed.
    func storeUnstored(_ jobs: [Job]) {
        guard !unstored.isEmpty else { return }
        let missing = jobs.filter { unstored.contains($0.id) }
        guard !missing.isEmpty else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        storage.save(missing) { result in
            guard case .success = result else { return }
            bound.eventLoop.runOrExecute { bound.value.unstored.subtract(missing.lazy.map(\.id)) }
        }
    }

    /// Jobs whose records are not there any more, and that nobody has ended: their distributors are told.
    func failGone(_ ids: [JobID]) {
        let args = JobArguments([
            ("error", .string("the record of the job is gone from the storage of the node \(configuration.name)"))
        ])
        for id in ids {
            guard let known = live[id] else { continue }
            live[id] = nil
            guard let destination = destinations.values.first(where: { $0.number == known.giver }) else { continue }
            // Of the name and the number of the run only the record knew.
            destination.outbox.append(
                JobReport(
                    id: id, name: "", feedback: Feedback(.error, args: args), status: .failed, run: Int32.max))
            if known.usesCredit { destination.settled(onLink: known.link) }
        }
        flushDestinations()
    }

    /// Their beginnings could not be stored, and there is no other copy of them.
    func keepUnstored(_ jobs: [Job], _ error: StorageError) {
        for job in jobs.reversed() where live[job.id] != nil {
            live[job.id]?.stage = .ready
            lane(for: job).ready.prepend(JobLifecycle.withdraw(job))
        }
        if error.code == .emptied { return storageLost(error) }
        loop.assumeIsolated().scheduleTask(in: .seconds(1)) { self.runReady() }
    }
}
