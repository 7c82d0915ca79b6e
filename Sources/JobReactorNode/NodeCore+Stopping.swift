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
        let startStep = life.startStep
        life.drain()
        if let startStep {
            logger.notice("the node was stopped before it had started", metadata: ["while": "\(startStep)"])
        }
        for lane in lanes { lane.lua.announceStop() }
        stopReloading()
        watchdog.timer?.cancel()
        listener?.stopAccepting()
        armed?.timer.cancel()
        for destination in destinations.all { destination.link?.sendDrain() }
        handBack()
        let promise = loop.makePromise(of: Void.self)
        drained = promise
        let timer = loop.assumeIsolated().scheduleTask(in: .seconds(clamping: grace)) { self.graceIsOver() }
        promise.futureResult.assumeIsolated().whenComplete { _ in timer.cancel() }
        noteProgress()
        return promise.futureResult
    }

    private func graceIsOver() {
        guard drained != nil else { return }
        if runs.runningCount > 0 {
            logger.warning(
                "stopping while jobs run: their runs count as attempts",
                metadata: ["jobs": "\(runs.runningCount)"])
        }
        if runs.endsUnderWay > 0 {
            logger.warning("stopping before the ends of some runs are stored: those jobs may run again")
        }
        finishDraining()
    }

    /// Returns to their distributors the jobs that have not begun. A durable node keeps them. Jobs that wait for their time
    /// go back with their connection: their distributor has a copy of each.
    private func handBack() {
        guard storage.isDurable else {
            for kind in NodeTurns.kinds { handBack(from: kind) }
            return
        }
        // Their beginnings are stored, but did not take place.
        let waiting = lanes.flatMap { runs.withdrawn($0.lua.withdraw(), from: $0.kind) }
        tracing?.drop(waiting.lazy.map(\.id))
        if !waiting.isEmpty { storage.apply(waiting.map { .update($0) }) { _ in } }
    }

    /// Returns what waits for its turn on a lane, or has not begun there.
    func handBack(from kind: LaneKind) {
        let withdrawn = lanes.first { $0.kind == kind }?.lua.withdraw() ?? []
        tracing?.drop(withdrawn.lazy.map(\.job.id))
        let returned = runs.handBack(withdrawn, from: kind)
        guard !returned.isEmpty else { return }
        for (id, known) in returned { destinations.numbered(known.giver)?.giveBack(id, known) }
        storage.apply(returned.map { .remove($0.id) }) { _ in }
        flushDestinations()
    }

    /// A run, or the end of one, is through.
    func noteProgress() {
        replaceLater()
        guard life.awaitsRest, runs.isAtRest else { return }
        switch life.cameToRest() {
        case .goesOn: break
        case .reopens: reopen()
        case .mayStop:
            // What is being saved may have begun. A report to a distributor that is away cannot arrive now.
            guard !runs.saves, destinations.all.allSatisfy({ $0.link == nil || !$0.delivery.hasReports }) else {
                return
            }
            finishDraining()
        }
    }

    private func finishDraining() {
        guard life.stop() else { return }
        drained?.succeed()
        drained = nil
    }

    /// Closes the lanes, the connections and the storage; what is under way with them ends.
    func close() -> EventLoopFuture<Void> {
        gauges?.stop()
        tracing?.dropAll()
        for promise in awaitingLink { promise.fail(Self.stopped) }
        awaitingLink = []
        for lane in lanes { lane.lua.stop() }
        for dialer in dialers { dialer.stop() }
        let links = destinations.all.compactMap(\.link)
        for link in links { link.connection.close(reason: "the node stops") }
        let closing =
            dialers.map(\.closed) + clients.values.map { $0.stopped(grace: 1) }
            + [listener?.closeConnections(on: loop), starting, reloading.current?.map { _ in }].compactMap { $0 }
        let closed = loop.makePromise(of: Void.self)
        audit.finish {}
        storage.close { closed.succeed() }
        let bound = NIOLoopBound(self, eventLoop: loop)
        let stored = closed.futureResult.map { bound.value.forgetCancellations(Self.stopped) }
        return EventLoopFuture.andAllComplete(closing + [stored], on: loop)
    }
}
