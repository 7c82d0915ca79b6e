internal import JobReactor
internal import JobReactorCore
internal import Logging
internal import NIOCore

/// Jobs that wait for their time: one queue, one armed timer.
extension NodeCore {
    func armTimer() {
        guard let due = timers.nextDue, !isStopping else { return }
        if let armed, armed.due <= due { return }
        armed?.timer.cancel()
        let wait = max(0, due.microseconds - clock.now.microseconds)
        // No longer than a day at once, so that a wall clock that is set forward is noticed at last.
        let delay = TimeAmount.microseconds(min(wait, 86_400_000_000))
        armed = (due, loop.assumeIsolated().scheduleTask(in: delay) { self.timerFired() })
    }

    private func timerFired() {
        armed = nil
        let now = clock.now
        let bound = NIOLoopBound(self, eventLoop: loop)
        while let id = timers.popDue(at: now) {
            guard case .waiting = live[id]?.stage else { continue }
            live[id]?.stage = .ready
            storage.load(id) { result in
                bound.eventLoop.runOrExecute { bound.value.due(id, result) }
            }
        }
        runReady()
        armTimer()
    }

    func due(_ id: JobID, _ result: Result<Job?, StorageError>) {
        guard case .ready = live[id]?.stage else { return }
        switch result {
        case .success(.some(let job)) where live[id]?.isCancelled == true:
            endCancelled([job])
        case .success(.some(let job)) where job.dueAt > clock.now:
            // The entry was of an earlier life of this id.
            live[id]?.stage = .waiting
            timers.insert(id, due: job.dueAt)
            armTimer()
        case .success(.some(let job)):
            let lane = lane(for: job)
            lane.enter(job, isSuspect: live[id]?.isSuspect == true)
            if !isStopping { runReady(on: lane) }
        case .success(.none): failGone([id])
        case .failure(let error):
            logger.error("the storage fails; a job waits", metadata: ["reason": "\(error)", "id": "\(id)"])
            live[id]?.stage = .waiting
            timers.insert(id, due: clock.now.advanced(bySeconds: 1))
            armTimer()
        }
    }
}
