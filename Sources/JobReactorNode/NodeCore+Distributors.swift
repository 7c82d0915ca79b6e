internal import JobReactorCore
internal import JobReactorWire
internal import Logging
internal import NIOCore

/// Links to distributors: their beginning and end, and the reports that wait for them.
extension NodeCore {
    func destination(_ distributor: String) -> Destination {
        if let known = destinations[distributor] { return known }
        lastDestination += 1
        let made = Destination(number: lastDestination)
        destinations[distributor] = made
        return made
    }

    func nextLinkNumber() -> UInt32 {
        lastLink += 1
        return lastLink
    }

    /// A link to the distributor is up.
    func linked(_ link: DistributorLink) {
        let destination = destination(link.distributor)
        destination.expiry?.cancel()
        destination.link?.connection.close(reason: "the distributor connected again")
        destination.use(link)
        forget(destination.outbox.restart(received: destination.process == link.process ? link.received : nil))
        destination.process = link.process
        if ownsJobs { greet(destination) }
        logger.info("linked to a distributor", metadata: ["address": "\(link.connection.peer)"])
    }

    /// What is done first, so that the distributor knows of it before it sends again what we may have had.
    func greet(_ destination: Destination) {
        guard let link = destination.link else { return }
        destination.flush(asksForMore: false)
        link.sendGreeting(jobs: announcedJobs, storageError: storageHealth.error)
        destination.settled(configuration.window, onLink: link.number)
        destination.flush(asksForMore: asksForJobs)
        if storageHealth.isRefusing { destination.ask(forAtMost: storageHealth.trialSize) }
    }

    func unlinked(_ link: DistributorLink, reason: String?) {
        guard let destination = destinations[link.distributor], destination.link === link else { return }
        destination.use(nil)
        logger.info(
            "link to a distributor lost",
            metadata: ["address": "\(link.connection.peer)", "reason": "\(reason ?? "closed")"])
        expectReturn(of: link.distributor)
        if !storage.isDurable { forgetJobs(of: destination) }
        noteProgress()
    }

    /// Reports to a distributor that is away are kept for so long.
    func expectReturn(of distributor: String) {
        let destination = destination(distributor)
        destination.expiry?.cancel()
        destination.expiry = loop.assumeIsolated().scheduleTask(
            in: .milliseconds(Int64(configuration.reportTTL * 1000))
        ) {
            self.forget(destination.outbox.removeAll())
            self.destinations[distributor] = nil
        }
    }

    /// Sends to all distributors what has come together for them.
    func flushDestinations() {
        for destination in destinations.values { destination.flush(asksForMore: asksForJobs) }
    }

    /// A hand-over is answered and leaves nothing behind.
    func settled(over link: DistributorLink) {
        let destination = destination(link.distributor)
        destination.settled(onLink: link.number)
        destination.flush(asksForMore: asksForJobs)
    }

    /// Whether credit that comes free is granted at once.
    var asksForJobs: Bool { ownsJobs && !isStopping && !storageHealth.isRefusing }

    /// Reports that need not be kept any more.
    private func forget(_ reports: [JobReport.Key]) {
        guard storage.isDurable, !reports.isEmpty else { return }
        // Were this lost, they would go out again: the distributor knows them.
        storage.apply(reports.map { .taken($0) }) { _ in }
    }

    func closeLink(to distributor: String, reason: String) {
        destinations[distributor]?.link?.connection.close(reason: reason)
    }

    func taken(through number: Int, by distributor: String) {
        if let keys = destinations[distributor]?.outbox.taken(through: number) { forget(keys) }
        noteProgress()
    }

    /// Without a durable storage the distributor owns what has not begun here, and sends it elsewhere.
    func forgetJobs(of destination: Destination) {
        let forgotten = live.elements.filter { $0.value.giver == destination.number && $0.value.stage != .running }.map(
            \.key)
        for id in forgotten { live[id] = nil }
        storage.apply(forgotten.map { .remove($0) }) { _ in }
        for lane in lanes { lane.removeTurns { live[$0.id] == nil } }
    }
}
