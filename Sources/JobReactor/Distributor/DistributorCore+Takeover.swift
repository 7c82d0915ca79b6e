internal import JobReactorCore
internal import Logging
internal import NIOCore

/// The durable nodes that were lost, and the jobs that they may have.
struct Takeovers {
    struct LostNode {
        let place: String
        /// It has had its time: its jobs are for another.
        var isGivenUp = false
        var deadline: Scheduled<Void>?
    }

    /// Those that may not come back, by name, with where their storage is, when others share it.
    var lost: [String: LostNode] = [:]
    /// Places of which it is asked whether nodes have left jobs there.
    var askedPlaces: Set<String> = []
    /// By the name of the node that may have them, with what ends the wait for it.
    var doubts: [String: (jobs: [JobID], deadline: Scheduled<Void>)] = [:]
}

/// What becomes of the jobs of a durable node that was lost.
extension DistributorCore {
    // MARK: Adoption

    /// A node on a shared storage is gone. When it does not come back another takes over its jobs.
    func expectReturn(of name: String, at place: String, atLeast seconds: Double = 0) {
        guard !isStopping else { return }
        takeovers.lost[name]?.deadline?.cancel()
        let deadline = loop.assumeIsolated().scheduleTask(
            in: .milliseconds(Int64(max(seconds, configuration.takeoverTime) * 1000))
        ) {
            self.takeovers.lost[name]?.isGivenUp = true
            self.handOver(name)
        }
        takeovers.lost[name] = Takeovers.LostNode(place: place, deadline: deadline)
    }

    /// Who takes over from a node of that place. Every distributor chooses the same one: a job in doubt at one of them may
    /// have been taken over for another.
    private func heir(at place: String) -> NodeLink? {
        links.values.filter { $0.introduction.place == place }.min { $0.introduction.name < $1.introduction.name }
    }

    func handOver(_ name: String) {
        guard let lost = takeovers.lost[name], lost.isGivenUp, let heir = heir(at: lost.place) else { return }
        logger.notice(
            "a node has not come back: another takes over its jobs",
            metadata: ["node": "\(name)", "by": "\(heir.introduction.name)"])
        heir.sendAdopt(name)
    }

    /// A node is there: it is not lost, and may take over from those that are. The first of a place also looks whether
    /// some were lost that this process does not know.
    func nodeCameBack(_ link: NodeLink) {
        takeovers.lost.removeValue(forKey: link.introduction.name)?.deadline?.cancel()
        guard let place = link.introduction.place else { return }
        for (name, lost) in takeovers.lost where lost.place == place && lost.isGivenUp { handOver(name) }
        guard takeovers.askedPlaces.insert(place).inserted else { return }
        askForAbandoned(at: place, after: max(0.1, configuration.takeoverTime))
    }

    /// Has a node of the place look for jobs that others have left there whom nobody here knows. Again and again, at
    /// intervals that grow: a node that died may hold its lease for a while yet, for longer when the server was away, and no
    /// event tells a distributor that came later.
    private func askForAbandoned(at place: String, after seconds: Double) {
        loop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(seconds * 1000))) { [weak self] in
            guard let self, !self.isStopping else { return }
            guard let heir = self.heir(at: place) else {
                self.takeovers.askedPlaces.remove(place)
                return
            }
            heir.sendAdopt(nil)
            let longest = 16 * max(1, self.configuration.takeoverTime)
            self.askForAbandoned(at: place, after: min(2 * seconds, longest))
        }
    }

    func adopted(_ name: String?, _ isDone: Bool, by link: NodeLink) {
        guard let name, let lost = takeovers.lost[name] else { return }
        guard isDone else {
            // It lives, without a connection to us, or its lease has not ended: it has its time once more.
            return expectReturn(of: name, at: lost.place, atLeast: 1)
        }
        takeovers.lost[name] = nil
        let heir = link.introduction.name
        for entry in entries.owned(by: name) { entry.place = .owned(by: heir) }
        owned.moved(from: name, to: heir)
        resendCancellations(to: link)
        // The heir knows what it has taken over, and takes the rest.
        guard let node = link.handle else { return }
        sendInDoubt(of: name, to: node, link)
    }

    // MARK: Jobs in doubt

    /// A durable node is gone that had not said of these jobs whether it has them. It will when it comes back.
    func doubt(_ jobs: [JobID], at name: String) {
        guard !jobs.isEmpty else { return }
        let earlier = takeovers.doubts.removeValue(forKey: name)
        earlier?.deadline.cancel()
        for id in jobs { entries[id]?.place = .inDoubt(at: name) }
        let deadline = loop.assumeIsolated().scheduleTask(
            in: .milliseconds(Int64(configuration.takeoverTime * 1000))
        ) { self.endDoubt(about: name) }
        takeovers.doubts[name] = ((earlier?.jobs ?? []) + jobs, deadline)
    }

    /// The node is back, and has reported what it has done: what it has not reported it gets again, and knows by the id
    /// what it has already.
    func sendInDoubt(of name: String, to node: Dispatcher.NodeHandle, _ link: NodeLink) {
        guard link.introduction.isDurable, let (jobs, deadline) = takeovers.doubts.removeValue(forKey: name) else {
            return
        }
        deadline.cancel()
        for id in jobs {
            guard let entry = entries[id], case .inDoubt(name) = entry.place, let job = entry.job else { continue }
            dispatcher.useCredit(of: node)
            place(entry, job, at: node, isAgain: true)
            if cancelling.contains(id) { link.sendCancel(id) }
        }
    }

    /// The node has not come back in time.
    private func endDoubt(about name: String) {
        if let lost = takeovers.lost[name], links.values.contains(where: { $0.introduction.place == lost.place }) {
            // They go to the node that takes over from it.
            return
        }
        guard let (jobs, _) = takeovers.doubts.removeValue(forKey: name) else { return }
        logger.warning(
            "a node has not come back: jobs that it may have go to others",
            metadata: ["node": "\(name)", "jobs": "\(jobs.count)"])
        for id in jobs {
            guard let entry = entries[id], case .inDoubt(name) = entry.place, let job = entry.job else { continue }
            givenTwice.insert(id)
            counters.givenBack += 1
            if cancelling.remove(id) != nil {
                finishCancelled(entry, job)
                continue
            }
            entry.place = .waiting
            if let other = dispatcher.giveBack(job) { place(entry, job, at: other) }
        }
    }
}
