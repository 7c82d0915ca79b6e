internal import JobReactor
internal import JobReactorCore
internal import JobReactorLua
internal import JobReactorWire
internal import NIOCore

/// The places of runs in limits, as distributors give them.
extension NodeCore {
    func permitted(_ id: JobID, over link: DistributorLink) {
        if runs.permitted(id, by: destinations[link.distributor].number) { load(id, at: .ready) }
        sendPermits()
    }

    func discarded(_ id: JobID, _ reason: String, over link: DistributorLink) {
        if runs.discarded(id, reason, by: destinations[link.distributor].number) { load(id, at: .ending) }
    }

    /// The distributor takes what came later, limits among it.
    func givesPermits(_ link: DistributorLink) {
        runs.askAgain(destinations[link.distributor].number)
        sendPermits()
    }

    /// The distributor is one of an earlier release.
    func givesNoPermits(_ link: DistributorLink) {
        for id in runs.askNoMore(destinations[link.distributor].number) { load(id, at: .ready) }
    }

    func load(_ id: JobID, at stage: LiveJob.Stage) {
        let bound = NIOLoopBound(self, eventLoop: loop)
        storage.load(id) { result in bound.eventLoop.runOrExecute { bound.value.loaded(id, at: stage, result) } }
    }

    /// What distributors are asked for and given back. Of one that is away nothing need be said: all of it is said anew.
    func sendPermits() {
        guard !runs.permits.messages.isEmpty else { return }
        let messages = runs.permits.takeMessages { destinations.numbered($0)?.link?.hasSpoken == false }
        for (giver, message) in messages {
            guard let link = destinations.numbered(giver)?.link, link.givesPermits else { continue }
            switch message {
            case .permit(let id, let priority, let needs):
                link.connection.write { LinkMessage.writePermit(id, priority: priority, needs, to: &$0) }
            case .release(let id): link.connection.write { LinkMessage.writeRelease(id, to: &$0) }
            }
        }
    }

    /// Whether jobs that came over that link with their places still have them. What was being saved when a newer link
    /// began was not among the runs that ``holds(of:)`` named: the distributor has freed its places for others.
    func keepsPlaces(givenOver link: DistributorLink) -> Bool {
        guard let newest = destinations[link.distributor].link else { return true }
        return newest === link
    }

    /// Runs begin, some of them with places.
    func noteBegun(_ begun: [LuaLane.Run]) {
        guard !runs.permits.isEmpty else { return }
        let now = now.steady
        for run in begun where run.raised == nil { runs.permits.began(run.job.id, at: now) }
    }

    /// The runs that have their place over an earlier link.
    func holds(of link: DistributorLink) -> [Permits.Held] {
        let giver = destinations[link.distributor].number
        runs.permits.greet(giver)
        return runs.permits.held(of: giver, at: now.steady)
    }
}
