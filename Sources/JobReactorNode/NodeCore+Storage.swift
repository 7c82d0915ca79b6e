internal import DequeModule
internal import JobReactor
internal import JobReactorCore
internal import JobReactorWire
internal import Logging
internal import NIOCore

/// The storage from its opening to its loss: what an earlier process of this node left there is taken up.
extension NodeCore {
    private static let page = 1000

    /// Done when the storage is this node's and what it kept is taken up.
    func openStorage() -> EventLoopFuture<Void> {
        let (loop, bound) = (loop, NIOLoopBound(self, eventLoop: loop))
        let owner = storageOwner
        return loop.answer { storage.open(owner, done: $0) }.flatMap {
            bound.value.ownsJobs = true
            return bound.value.takeUpJobs(after: nil, TakenUp())
        }.flatMap { bound.value.takeUpReports(after: nil) }
            .map { bound.value.isStarted = true }
            .flatMapError { error in
                // Not half open: the next try, or another, is to find it closed.
                let core = bound.value
                core.ownsJobs = false
                core.forgetJobs()
                let closed = loop.makePromise(of: Void.self)
                if (error as? StorageError)?.code == .held {
                    closed.succeed()
                } else {
                    core.storage.close { closed.succeed() }
                }
                return closed.futureResult.flatMapThrowing { throw error }
            }
    }

    var storageOwner: StorageOwner {
        let (loop, bound) = (loop, NIOLoopBound(self, eventLoop: loop))
        return StorageOwner(name: configuration.name, address: introduction.server) { error in
            loop.runOrExecute { bound.value.storageLost(error) }
        }
    }

    private func forgetJobs() {
        unstored = []
        live.removeAll()
        takenUp = []
        agenda = Agenda()
        for lane in lanes { _ = lane.takeTurns() }
        for destination in destinations.values { _ = destination.outbox.removeAll() }
    }

    /// What was found.
    private struct TakenUp {
        var waiting = 0
        var cutShort = 0
        var failed = 0
        var left = 0
    }

    private func takeUpJobs(after id: JobID?, _ found: TakenUp) -> EventLoopFuture<Void> {
        let bound = NIOLoopBound(self, eventLoop: loop)
        return loop.answer { storage.jobs(after: id, limit: Self.page, done: $0) }.flatMap { jobs in
            var found = found
            return bound.value.takeUp(jobs, &found).flatMap { [found] in
                let core = bound.value
                guard let last = jobs.last else {
                    core.tell(found)
                    return core.loop.makeSucceededVoidFuture()
                }
                return core.takeUpJobs(after: last.id, found)
            }
        }
    }

    /// Jobs that are not live, as nothing is at the start.
    private func takeUp(_ jobs: [Job], _ found: inout TakenUp) -> EventLoopFuture<Void> {
        let now = now
        var transitions: [JobLifecycle.Transition] = []
        for job in jobs where !job.status.isFinished && live[job.id] == nil {
            guard configuration.retryJobsAtStart || ownsJobs && isStarted else {
                found.left += 1
                continue
            }
            let giver = destination(job.distributor).number
            live[job.id] = Live(stage: .waiting, giver: giver)
            let transition = JobLifecycle.takeUp(job, policy: policy(for: job), now: now.wall)
            if let transition { transitions.append(transition) }
            if transition?.job.status == .failed {
                found.failed += 1
                live[job.id]?.stage = .ending
                continue
            }
            takenUp.insert(job.id)
            if transition == nil {
                found.waiting += 1
                wait(job.id, until: .date(job.dueAt))
            } else {
                found.cutShort += 1
            }
        }
        return storeTakenUp(transitions, madeAt: now)
    }

    private func tell(_ found: TakenUp) {
        guard found.waiting + found.cutShort + found.failed + found.left > 0 else { return armTimer() }
        logger.info(
            "jobs of an earlier process taken up",
            metadata: [
                "waiting": "\(found.waiting)", "cut short": "\(found.cutShort)", "failed": "\(found.failed)",
                "left": "\(found.left)",
            ])
        armTimer()
    }

    // MARK: Adoption

    /// Takes over the jobs of a node that does not come back, or of all of them.
    func adopt(_ node: String?, _ done: @escaping (Bool) -> Void) {
        guard ownsJobs, !isStopping, let shared = storage as? any SharedJobStorage else { return done(false) }
        let bound = NIOLoopBound((self, done), eventLoop: loop)
        let nodes = node.map { loop.makeSucceededFuture([$0]) } ?? loop.answer { shared.abandoned(done: $0) }
        nodes.flatMap { nodes in
            let core = bound.value.0
            let others = nodes.filter { $0 != core.configuration.name }
            if others.isEmpty { return core.loop.makeSucceededVoidFuture() }
            return core.linkedNodes().flatMap { linked in
                let core = bound.value.0
                return EventLoopFuture.andAllSucceed(
                    others.map { name in
                        linked.contains(name)
                            ? core.loop.makeFailedFuture(
                                StorageError("\(name) is linked to a distributor, and so alive", code: .held))
                            : core.adopt(name, from: shared, after: nil)
                    }, on: core.loop)
            }
        }.whenComplete { result in
            let (core, done) = bound.value
            if case .failure(let error) = result {
                core.logger.notice(
                    "the jobs of another node are not taken over",
                    metadata: ["node": "\(node ?? "any")", "reason": "\(error)"])
            }
            core.flushDestinations()
            if case .success = result { done(true) } else { done(false) }
        }
    }

    /// The nodes that are linked to a distributor of ours.
    private func linkedNodes() -> EventLoopFuture<Set<String>> {
        LinkedNodes.names(
            at: Set(configuration.distributors).union(addresses.values), security: configuration.security, on: loop)
    }

    private func adopt(
        _ node: String, from shared: any SharedJobStorage, after id: JobID?
    ) -> EventLoopFuture<Void> {
        let bound = NIOLoopBound(self, eventLoop: loop)
        let names = Set(jobNames)
        return loop.answer { shared.adopt(node, defining: names, after: id, limit: Self.page, done: $0) }
            .flatMap { adopted in
                let core = bound.value
                var found = TakenUp()
                for report in adopted.reports { core.keep(report) }
                return core.takeUp(adopted.jobs, &found).flatMap { [found] in
                    let core = bound.value
                    if !adopted.jobs.isEmpty || !adopted.reports.isEmpty {
                        core.logger.notice(
                            "jobs of another node taken over",
                            metadata: [
                                "node": "\(node)", "waiting": "\(found.waiting)", "cut short": "\(found.cutShort)",
                                "failed": "\(found.failed)", "reports": "\(adopted.reports.count)",
                            ])
                    }
                    core.armTimer()
                    guard let next = adopted.next else { return core.loop.makeSucceededVoidFuture() }
                    return core.adopt(node, from: shared, after: next)
                }
            }
    }

    private func keep(_ stored: StoredReport) {
        let destination = destination(stored.distributor)
        destination.outbox.append(stored.report)
        if destination.link == nil, destination.expiry == nil { expectReturn(of: stored.distributor) }
    }

    private func takeUpReports(after key: JobReport.Key?) -> EventLoopFuture<Void> {
        guard storage.isDurable else { return loop.makeSucceededVoidFuture() }
        let bound = NIOLoopBound(self, eventLoop: loop)
        return loop.answer { storage.reports(after: key, limit: Self.page, done: $0) }.flatMap { reports in
            let core = bound.value
            let oldest = core.clock.now.advanced(bySeconds: -core.configuration.reportTTL)
            let expired = reports.filter { $0.madeAt < oldest }
            if !expired.isEmpty { core.storage.apply(expired.map { .taken($0.report.key) }) { _ in } }
            for stored in reports where stored.madeAt >= oldest { core.keep(stored) }
            guard let last = reports.last else {
                core.flushDestinations()
                return core.loop.makeSucceededVoidFuture()
            }
            return core.takeUpReports(after: last.report.key)
        }
    }

    // MARK: Loss

    /// Another has taken the jobs over, believing this process dead: nothing that still runs here counts. When all of it
    /// has ended the storage is opened again.
    func storageLost(_ error: StorageError) {
        guard ownsJobs, !isStopping else { return }
        if error.code == .emptied { return storageEmptied(error) }
        ownsJobs = false
        logger.critical(
            "another process has taken over the jobs of this node; what runs here is given up",
            metadata: ["reason": "\(error)", "jobs": "\(live.count)"])
        for (id, known) in live.elements where known.stage == .running {
            for lane in lanes where lane.lua.cancel(id) != nil { lane.running -= 1 }
        }
        forgetJobs()
        for destination in destinations.values {
            destination.link?.connection.close(reason: "the node has lost its storage")
        }
        reopenStorage()
    }

    private func reopenStorage() {
        let bound = NIOLoopBound(self, eventLoop: loop)
        let closed = loop.makePromise(of: Void.self)
        storage.close { closed.succeed() }
        closed.futureResult.whenComplete { _ in
            bound.value.reopensWhenIdle = true
            bound.value.noteProgress()
        }
    }

    /// What ran when the storage was lost has ended.
    func reopen() {
        reopensWhenIdle = false
        guard !isStopping else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        openStorage().whenComplete { result in
            let core = bound.value
            switch result {
            case .success:
                core.logger.info("the storage is this node's again")
                for destination in core.destinations.values { core.greet(destination) }
            case .failure(let error):
                core.logger.error("the storage cannot be opened again", metadata: ["reason": "\(error)"])
                core.loop.assumeIsolated().scheduleTask(in: .seconds(10)) { core.reopen() }
            }
        }
    }
}
