internal import JobReactor
internal import JobReactorCore
internal import JobReactorLua
internal import Logging
internal import NIOCore

/// Cancelling from outside.
extension NodeCore {
    /// Cancels a job from outside. Returns whether it is here and not finished.
    func cancel(_ id: JobID) -> Bool {
        guard let known = live[id] else {
            if cancelParked(id) { return true }
            // It may be on its way into the storage.
            if savesUnderWay > 0 { earlyCancellations.insert(id) }
            return false
        }
        live[id]?.isCancelled = true
        switch known.stage {
        case .ending: break
        case .running:
            for lane in lanes {
                guard let run = lane.lua.cancel(id) else { continue }
                if let raised = run.raised {
                    end([LuaLane.Outcome(run.job, raised)], on: lane)
                } else {
                    // It had not begun, and does not.
                    lane.running -= 1
                    endCancelled([run.job])
                    runReady()
                }
            }
        case .waiting, .ready:
            live[id]?.stage = .ending
            loadCancelled(id)
        }
        return true
    }

    /// Ends a job that no script defines, where it waits for one.
    private func cancelParked(_ id: JobID) -> Bool {
        guard let name = parked.first(where: { $0.value.contains(id) })?.key else { return false }
        parked[name]?.remove(id)
        // Its record knows its distributor.
        var known = Live(stage: .ending, giver: 0)
        known.isCancelled = true
        live[id] = known
        loadCancelled(id)
        return true
    }

    private func loadCancelled(_ id: JobID) {
        let bound = NIOLoopBound(self, eventLoop: loop)
        storage.load(id) { result in
            bound.eventLoop.runOrExecute { bound.value.endCancelled(id, result) }
        }
    }

    func endCancelled(_ id: JobID, _ result: Result<Job?, StorageError>) {
        guard case .ending = live[id]?.stage else { return }
        switch result {
        case .success(.some(let job)): endCancelled([job])
        case .success(.none): failGone([id])
        case .failure(let error):
            logger.error(
                "the storage fails; a cancelled job waits", metadata: ["reason": "\(error)", "id": "\(id)"])
            waitForStorage(id)
        }
    }

    func endCancelled(_ jobs: [Job]) {
        for job in jobs { live[job.id]?.stage = .ending }
        store(jobs.map { JobLifecycle.cancel($0, policy: policy(for: $0)) }, madeAt: now)
    }
}
