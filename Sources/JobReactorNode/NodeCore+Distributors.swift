internal import JobReactor
internal import JobReactorCore
internal import JobReactorWire
internal import Logging
internal import NIOCore

/// Links to distributors: their beginning and end, and the reports that wait for them.
extension NodeCore {
    /// Whether a job that comes again is here, or its end is on its way.
    func knows(_ id: JobID, of distributor: String) -> Bool {
        runs[id] != nil || destinations.known(distributor)?.containsEnd(of: id) == true
    }

    /// A link to the distributor is up.
    func linked(_ link: DistributorLink) {
        let destination = destinations[link.distributor]
        forget(destination.linked(link))
        gauges?.noteChange()
        if life.ownsJobs { greet(destination) }
        logger.info("linked to a distributor", metadata: ["address": "\(link.connection.peer)"])
        for promise in awaitingLink { promise.succeed() }
        awaitingLink = []
    }

    /// Fails when the node is closed before there is a link.
    func whenLinked() -> EventLoopFuture<Void> {
        if destinations.all.contains(where: { $0.link != nil }) { return loop.makeSucceededVoidFuture() }
        let promise = loop.makePromise(of: Void.self)
        awaitingLink.append(promise)
        return promise.futureResult
    }

    /// What is done first, so that the distributor knows of it before it sends again what we may have had.
    func greet(_ destination: Destination) {
        guard let link = destination.link else { return }
        destination.flush(asksForMore: false)
        link.sendGreeting(
            jobs: announcedJobs, definitions, holds: holds(of: link), storageError: storageHealth.error)
        destination.settled(configuration.window, onLink: link.number)
        destination.flush(asksForMore: asksForJobs)
        if storageHealth.isRefusing { destination.ask(forAtMost: storageHealth.trialSize) }
    }

    func unlinked(_ link: DistributorLink, reason: String?) {
        guard let destination = destinations.known(link.distributor), destination.link === link else { return }
        destination.unlinked()
        metrics?.linkLost()
        gauges?.noteChange()
        logger.info(
            "link to a distributor lost",
            metadata: ["address": "\(link.connection.peer)", "reason": "\(reason ?? "closed")"])
        expectReturn(of: destination)
        if !storage.isDurable { forgetJobs(of: destination) }
        noteProgress()
    }

    /// Reports to a distributor that is away are kept for so long.
    private func expectReturn(of destination: Destination) {
        let time = TimeAmount.milliseconds(Int64(configuration.reportTTL * 1000))
        destination.expire(
            loop.assumeIsolated().scheduleTask(in: time) {
                self.forget(destination.removeReports())
                if let waiting = self.runs.permits.askedOf[destination.number] {
                    self.logger.warning(
                        "a distributor stays away, and jobs wait for the places in limits that it gives",
                        metadata: ["distributor": "\(destination.name)", "jobs": "\(waiting)"])
                }
                self.destinations.forget(destination.name)
            })
    }

    /// What a distributor is told with the next flush, or when it is there.
    func deliver(_ report: JobReport, to destination: Destination) {
        destination.append(report)
        metrics?.reported()
        // Away for so long that it was forgotten: so is this report in time.
        if !destination.isExpected { expectReturn(of: destination) }
    }

    /// Sends to all distributors what has come together for them.
    func flushDestinations() {
        noteRoom()
        for destination in destinations.all { destination.flush(asksForMore: asksForJobs) }
    }

    /// A hand-over is answered and leaves nothing behind.
    func settled(over link: DistributorLink) {
        let destination = destinations[link.distributor]
        destination.settled(onLink: link.number)
        destination.flush(asksForMore: asksForJobs)
    }

    /// Whether credit that comes free is granted at once.
    var asksForJobs: Bool { life.takesJobs && !storageHealth.isRefusing && !isFull }

    /// So many jobs may wait for their time that no more are asked for.
    func noteRoom() {
        gauges?.noteChange()
        let waiting = runs.waitingCount
        if isFull {
            guard waiting < mostWaiting - mostWaiting / 10 else { return }
            isFull = false
            logger.notice("jobs are asked for again")
        } else if waiting >= mostWaiting {
            isFull = true
            logger.warning(
                """
                jobs that wait for their due time use all of \(SettingName.maxMemory): no more are asked for until some have run
                """, metadata: ["waiting": "\(waiting)"])
        }
    }

    /// Reports that need not be kept any more.
    private func forget(_ reports: [JobReport.Key]) {
        guard storage.isDurable, !reports.isEmpty else { return }
        // Were this lost, they would go out again: the distributor knows them.
        storage.apply(reports.map { .taken($0) }) { _ in }
    }

    func closeLink(to distributor: String, reason: String) {
        destinations.known(distributor)?.link?.connection.close(reason: reason)
    }

    func taken(through number: Int, by distributor: String) {
        if let keys = destinations.known(distributor)?.taken(through: number) { forget(keys) }
        noteProgress()
    }

    /// Without a durable storage the distributor owns what has not begun here, and sends it elsewhere.
    private func forgetJobs(of destination: Destination) {
        storage.apply(runs.forget(givenBy: destination.number).map { .remove($0) }) { _ in }
    }
}
