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
            bound.value.life.opened()
            return bound.value.takeUpJobs(after: nil, NodeRuns.Found())
        }.flatMap { bound.value.takeUpReports(after: nil) }
            .map { bound.value.life.tookUp() }
            .flatMapError { error in
                // Not half open: the next try, or another, is to find it closed.
                let core = bound.value
                core.life.openingFailed()
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
        return StorageOwner(name: configuration.name, address: introduction(token: "").server) { error in
            loop.runOrExecute { bound.value.storageLost(error) }
        }
    }

    private func forgetJobs() {
        runs.forgetAll()
        tracing?.dropAll()
        forgetCancellations(StorageError("the node has lost its storage: check the job again", code: .lost))
        for destination in destinations.all { _ = destination.removeReports() }
    }

    private func takeUpJobs(after id: JobID?, _ found: NodeRuns.Found) -> EventLoopFuture<Void> {
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

    /// What the start of the node decides about jobs that it finds is stored before anything else is done.
    private func takeUp(_ jobs: [Job], _ found: inout NodeRuns.Found) -> EventLoopFuture<Void> {
        let now = now
        let leavesThem = !configuration.retryJobsAtStart && !life.hasStarted
        let endings = runs.takeUp(jobs, leavingThem: leavesThem, now: now, &found) { destinations[$0].number }
        guard !endings.isEmpty else { return loop.makeSucceededVoidFuture() }
        let changes = runs.changes(ofTakenUp: endings, madeAt: now)
        let bound = NIOLoopBound(self, eventLoop: loop)
        return loop.answer { storage.apply(changes, done: $0) }.map {
            for ending in endings { bound.value.finish(ending, madeAt: now) }
        }
    }

    private func tell(_ found: NodeRuns.Found) {
        guard !found.isEmpty else { return armTimer() }
        logger.info(
            "jobs of an earlier process recovered",
            metadata: [
                "waiting": "\(found.waiting)", "cut short": "\(found.cutShort)", "failed": "\(found.failed)",
                "left": "\(found.left)",
            ])
        armTimer()
    }

    // MARK: Adoption

    /// Takes over the jobs of a node that does not come back, or of all of them.
    func adopt(_ node: String?, _ done: @escaping (Bool) -> Void) {
        guard life.takesJobs, let shared = configuration.storage as? any SharedJobStorage else { return done(false) }
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
                                StorageError("\(name) is linked to a distributor, so it is alive", code: .held))
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
            at: Set(configuration.distributors).union(directory.addresses.values), security: configuration.security,
            on: loop)
    }

    private func adopt(
        _ node: String, from shared: any SharedJobStorage, after id: JobID?
    ) -> EventLoopFuture<Void> {
        let bound = NIOLoopBound(self, eventLoop: loop)
        let names = Set(runs.jobNames)
        return loop.answer { shared.adopt(node, defining: names, after: id, limit: Self.page, done: $0) }
            .flatMap { adopted in
                let core = bound.value
                var found = NodeRuns.Found()
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

    func keep(_ stored: StoredReport) {
        deliver(stored.report, to: destinations[stored.distributor])
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
        if error.code == .emptied { return storageEmptied(error) }
        guard life.lost() else { return }
        logger.critical(
            "another process has taken over the jobs of this node; the runs here are abandoned",
            metadata: ["reason": "\(error)", "jobs": "\(runs.count)"])
        for id in runs.running {
            for lane in lanes where lane.lua.cancel(id) != nil { runs.gaveUpRun(on: lane.kind) }
        }
        forgetJobs()
        for destination in destinations.all {
            destination.link?.connection.close(reason: "the node has lost its storage")
        }
        reopenStorage()
    }

    private func reopenStorage() {
        let bound = NIOLoopBound(self, eventLoop: loop)
        let closed = loop.makePromise(of: Void.self)
        storage.close { closed.succeed() }
        closed.futureResult.whenComplete { _ in
            bound.value.life.closed()
            bound.value.noteProgress()
        }
    }

    /// What ran when the storage was lost has ended.
    func reopen() {
        guard !life.isStopping else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        openStorage().whenComplete { result in
            let core = bound.value
            switch result {
            case .success:
                core.logger.info("this node owns the storage again")
                for destination in core.destinations.all { core.greet(destination) }
            case .failure(let error):
                core.logger.error("the storage cannot be opened again", metadata: ["reason": "\(error)"])
                core.loop.assumeIsolated().scheduleTask(in: .seconds(10)) { core.reopen() }
            }
        }
    }
}
