internal import DequeModule
internal import JobReactor
internal import JobReactorCore
internal import JobReactorLua
internal import JobReactorWire
internal import Logging
internal import NIOCore

/// The graceful stop: no new jobs, those not begun go back, those that run may finish.
extension NodeCore {
    /// Takes nothing more. Done when what runs has ended and been told, at the latest after `grace` seconds.
    func drain(grace: Double) -> EventLoopFuture<Void> {
        isStopping = true
        if let startStep {
            logger.notice("the node was stopped before it had started", metadata: ["while": "\(startStep)"])
        }
        for lane in lanes { lane.lua.announceStop() }
        stopReloading()
        watchdog.timer?.cancel()
        listener?.stopAccepting()
        armed?.timer.cancel()
        for destination in destinations.values { destination.link?.sendDrain() }
        handBack()
        let promise = loop.makePromise(of: Void.self)
        drained = promise
        let timer = loop.assumeIsolated().scheduleTask(in: .seconds(clamping: grace)) {
            if self.drained != nil, self.running > 0 {
                self.logger.warning(
                    "stopping with jobs that still run: they count as cut short", metadata: ["jobs": "\(self.running)"])
            }
            if self.drained != nil, self.endsUnderWay > 0 {
                self.logger.warning("stopping with ends of runs that are not stored: those jobs may run again")
            }
            self.finishDraining()
        }
        promise.futureResult.assumeIsolated().whenComplete { _ in timer.cancel() }
        noteProgress()
        return promise.futureResult
    }

    /// Returns to their distributors the jobs that have not begun. A durable node keeps them.
    private func handBack() {
        var withdrawn: [Job] = []
        for lane in lanes {
            let runs = lane.lua.withdraw()
            lane.running -= runs.count
            withdrawn += runs.map(\.job)
        }
        guard !storage.isDurable else {
            // Their beginnings are stored, but did not take place.
            let waiting = withdrawn.map { JobLifecycle.withdraw($0) }
            for job in waiting { live[job.id]?.stage = .waiting }
            if !waiting.isEmpty { storage.apply(waiting.map { .update($0) }) { _ in } }
            return
        }
        for lane in lanes { withdrawn += lane.takeTurns() }
        // Jobs that wait for their time go back with their connection: their distributor has a copy of each.
        for job in withdrawn {
            guard let known = live.removeValue(forKey: job.id) else { continue }
            destinations[job.distributor]?.returned(job.id, known)
        }
        storage.apply(withdrawn.map { .remove($0.id) }) { _ in }
        flushDestinations()
    }

    /// A run, or the end of one, is through.
    func noteProgress() {
        guard drained != nil || reopensWhenIdle, running == 0, endsUnderWay == 0 else { return }
        if reopensWhenIdle { reopen() }
        // What is being saved may have begun.
        guard drained != nil, savesUnderWay == 0 else { return }
        // A report to a distributor that is away cannot arrive now.
        if destinations.values.allSatisfy({ $0.link == nil || $0.outbox.isEmpty }) { finishDraining() }
    }

    private func finishDraining() {
        drained?.succeed()
        drained = nil
    }

    /// Closes the lanes, the connections and the storage; what is under way with them ends.
    func close() -> EventLoopFuture<Void> {
        for lane in lanes { lane.lua.stop() }
        for dialer in dialers { dialer.stop() }
        let links = destinations.values.compactMap(\.link)
        for link in links { link.connection.close(reason: "the node stops") }
        let closing =
            dialers.map(\.closed) + clients.values.map { $0.stopped(grace: 1) }
            + [listener?.closeConnections(on: loop), starting, reloading.current?.map { _ in }].compactMap { $0 }
        let closed = loop.makePromise(of: Void.self)
        storage.close { closed.succeed() }
        return EventLoopFuture.andAllComplete(closing + [closed.futureResult], on: loop)
    }
}
