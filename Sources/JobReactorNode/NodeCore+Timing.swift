internal import JobReactor
internal import JobReactorCore
internal import Logging
internal import NIOCore

/// Jobs that wait for their time: one agenda, one armed timer.
extension NodeCore {
    var now: Moment { loop.moment(clock) }

    /// A job that is known here waits. What was noted of it before does not count any more.
    func wait(_ id: JobID, until due: DueTime) {
        live[id]?.stage = .waiting
        live[id]?.agendaNumber = agenda.insert(id, due)
    }

    /// Its storage, or what is to be stored of it, has failed: it is tried again.
    func waitForStorage(_ id: JobID) {
        wait(id, until: .steady(now.advanced(bySeconds: 1).steady))
        armTimer()
    }

    func armTimer() {
        guard !agenda.isEmpty, !isStopping else { return }
        let now = now
        guard let wake = agenda.wake(at: now) else { return }
        if let armed, armed.at <= wake { return }
        armed?.timer.cancel()
        // No timer of more than a day: what a wait can be in all is not what a timer can be.
        let wait = min(max(0, wake.elapsed(since: now.steady)), 86_400_000_000)
        armed = (wake, loop.assumeIsolated().scheduleTask(in: .microseconds(wait)) { self.timerFired() })
    }

    private func timerFired() {
        armed = nil
        let now = now
        let bound = NIOLoopBound(self, eventLoop: loop)
        while let (id, number) = agenda.popDue(at: now) {
            // Else the entry is one of before: the job has run meanwhile, or is another of that id.
            guard let known = live[id], known.stage == .waiting, known.agendaNumber == number else { continue }
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
        case .success(.some(let job)):
            let lane = lane(for: job)
            lane.enter(job, isSuspect: live[id]?.isSuspect == true)
            if !isStopping { runReady(on: lane) }
        case .success(.none): failGone([id])
        case .failure(let error):
            logger.error("the storage fails; a job waits", metadata: ["reason": "\(error)", "id": "\(id)"])
            waitForStorage(id)
        }
    }
}
