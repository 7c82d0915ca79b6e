internal import JobReactorCore
internal import JobReactorWire
internal import Logging
internal import NIOCore

/// The graceful stop: nothing new, the ends that somebody waits for, the last words.
extension DistributorCore {
    /// Takes nothing more. Done when the ends that are waited for have come and what was accepted is stored, at the latest
    /// after `grace` seconds.
    func drain(grace: Double) -> EventLoopFuture<Void> {
        isStopping = true
        if let startStep {
            logger.notice("the distributor was stopped before it had started", metadata: ["while": "\(startStep)"])
        }
        listener?.stopAccepting()
        let seconds = hasOpened ? max(0, grace) : 0
        drainDeadline = loop.now + .seconds(clamping: seconds)
        let promise = loop.makePromise(of: Void.self)
        drained = promise
        guard seconds > 0 else {
            noteUnanswered()
            finishDraining()
            return promise.futureResult
        }
        change { $0.beginDrain(until: now.advanced(bySeconds: seconds)) }
        let timer = loop.assumeIsolated().scheduleTask(deadline: drainDeadline) {
            self.noteUnanswered()
            self.finishDraining()
        }
        promise.futureResult.assumeIsolated().whenComplete { _ in timer.cancel() }
        noteProgress()
        return promise.futureResult
    }

    /// An end, a node, or something else that was waited for has come or gone.
    func noteProgress() {
        guard drained != nil, isIdle else { return }
        // When all is done that belongs to it: the outcome is counted before it is told.
        loop.assumeIsolated().execute { self.finishWhenIdle() }
    }

    /// No more ends come when no node is connected, and none is let in any more.
    private var isIdle: Bool { ledger.awaitedCount == 0 || hasNoNodes }

    private func finishWhenIdle() {
        guard drained != nil, isIdle else { return }
        guard let keeper else { return finishDraining() }
        let isOver: (StorageError) -> Void = { _ in self.finishDraining() }
        whenSaved(
            {
                keeper.whenApplied(
                    { self.audit.finish { if self.isIdle { self.finishDraining() } } }, failed: isOver)
            }, failed: isOver)
    }

    /// The next process finds them waiting in its storage, and gives them to a node again.
    private func noteUnanswered() {
        let count = ledger.entries.sentCount
        guard keeper != nil, drained != nil, count > 0 else { return }
        logger.warning(
            "stopping before nodes have confirmed all jobs: those jobs may run again",
            metadata: ["jobs": "\(count)"])
    }

    private func finishDraining() {
        drained?.succeed()
        drained = nil
    }

    /// Tells those who still wait that they get nothing, and closes the storage and the connections; what was said before
    /// goes out first.
    func close() -> EventLoopFuture<Void> {
        gauges?.stop()
        scheduleAlarm?.timer.cancel()
        for entry in change({ $0.removeAll() }) { abandon(entry) }
        handlers.removeAll().tell { $0.onStop?() }
        controls.close()
        let kept = keeper?.close() ?? loop.makeSucceededVoidFuture()
        closeRegistrations()
        let closed = listener?.closeConnections(on: loop, within: drainDeadline - loop.now)
        let opened = starting ?? loop.makeSucceededVoidFuture()
        let all = [kept, closed, opened].compactMap(\.self)
        return EventLoopFuture.andAllComplete(all, on: loop)
    }

    private func abandon(_ entry: LedgerEntry) {
        switch entry.sink {
        case .application(let feedback): feedback.onStop?()
        case .command(let session, let ticket, let deadline):
            deadline?.cancel()
            session.pay(ticket) { $0.writeRESPError("ERR the distributor stopped before the outcome was known") }
        case .acknowledgement(let session, let ticket):
            session.pay(ticket) { $0.writeRESPError("ERR the distributor stopped before the job was stored") }
        case .producer, .none: break
        }
    }
}
