internal import JobReactorCore
internal import JobReactorWire
internal import Logging
internal import NIOCore

/// What the ``DistributorLedger`` decides, carried out.
extension DistributorCore {
    func carryOut(_ action: DistributorLedger.Action) {
        switch action {
        case .send(let entry, let node, let number, let isAgain):
            guard let job = entry.job else { return }
            tracing?.waited(job, from: job.dueAt, to: now.wall, at: "distributor")
            let suspect = entry.strikes > 0 ? job.attempt : nil
            links[node]?.send(
                job, due: entry.due, number: number, isAgain: isAgain, suspect: suspect,
                isPermitted: entry.isPermitted, now: self.now)
        case .deliver(let report, let name, let sink): deliver(report, name: name, to: sink)
        case .endTick(let id, let tick): tell(tick.schedule, .ended(id, .cancelled))
        case .store(let change): keeper?.apply(change)
        case .load(let number, let ids, let seconds): load(number, ids, after: seconds)
        case .cancel(let id, let node): links[node]?.sendCancel(id)
        case .rest(let node): links[node]?.connection.rest(for: .milliseconds(100))
        case .adopt(let name, let node): links[node]?.sendAdopt(name)
        case .replace(let id, let node):
            if let replacement = ask({ $0.replacement(of: id) }) { links[node]?.sendReplace(replacement, now: now) }
        case .permit(let id, let node): links[node]?.sendPermitted(id)
        case .discard(let id, let limit, let node): links[node]?.sendDiscarded(id, "limit \(limit) is full")
        case .keepStarts:
            loop.assumeIsolated().scheduleTask(in: .seconds(1)) { [weak self] in self?.keepStarts() }
        case .sendWaiting(let node):
            loop.assumeIsolated().execute { [weak self] in self?.change { $0.sendWaiting(to: node) } }
        case .lookAtLimits(0): loop.assumeIsolated().execute { [weak self] in self?.change { $0.lookAtLimits() } }
        case .lookAtLimits(let seconds):
            loop.assumeIsolated().scheduleTask(in: .seconds(clamping: min(seconds, 86_400))) { [weak self] in
                self?.change { $0.lookAtLimits() }
            }
        case .expireKeys(let seconds):
            // No key is held longer than it says, and timers are for no more than a day.
            loop.assumeIsolated().scheduleTask(in: .seconds(clamping: min(seconds, 86_400))) { [weak self] in
                self?.change { $0.expireKeys() }
            }
        case .wake(let timer, let seconds):
            loop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(seconds * 1000))) { [weak self] in
                self?.change { $0.wake(timer, isStopping: self?.isStopping == true) }
            }
        case .log(let event): log(event)
        }
    }

    private func keepStarts() {
        let starts = ask { $0.takeStarts() }
        controls.change(starts.map { .set(StoredControl(StoredControl.Key(.starts, $0.limit), $0.json)) })
    }

    /// What an earlier process has kept.
    func takeUpStarts() {
        for control in controls.all(.starts) {
            change { $0.limits.takeUpStarts(of: control.key.name, control.value) }
        }
    }

    /// Reads what waits in the storage alone.
    private func load(_ number: Int, _ ids: [JobID], after seconds: Double) {
        guard seconds == 0 else {
            loop.assumeIsolated().scheduleTask(in: .seconds(clamping: seconds)) { [weak self] in
                self?.load(number, ids, after: 0)
            }
            return
        }
        keeper?.load(ids) { records in self.change { $0.loaded(number, records) } }
    }

    private func log(_ event: DistributorLedger.Event) {
        switch event {
        case .disconnected(let node, let reason, let givenBack):
            logger.info(
                "node disconnected",
                metadata: ["node": "\(node)", "reason": "\(reason)", "jobs returned": "\(givenBack)"])
        case .refused(let id, let name, let reason):
            logger.error("\(reason)", metadata: ["job": "\(name)", "id": "\(id)"])
        case .endedWithNode(let job, let isLast):
            let metadata: Logger.Metadata = ["job": "\(job.name)", "id": "\(job.id)"]
            let reason = job.lastError ?? ""
            if isLast {
                logger.error("\(reason), its last: the job has failed and is kept here", metadata: metadata)
            } else {
                logger.warning("\(reason)", metadata: metadata)
            }
        case .keeps(let node, let jobs):
            logger.notice(
                """
                a node with a storage is away: what it has keeps its keys, and its schedules wait for it, until it is back or \
                those jobs are cancelled
                """, metadata: ["node": "\(node)", "jobs": "\(jobs)"])
        case .released(let id, let name, let node):
            logger.notice(
                "a job is cancelled whose node is away: its key and its schedule do not wait for that",
                metadata: ["job": "\(name)", "id": "\(id)", "node": "\(node)"])
        case .discarded(let id, let name, let limit):
            logger.info(
                "a job is cancelled because the limit \(limit) is full", metadata: ["job": "\(name)", "id": "\(id)"])
        case .foreignReport(let id, let name, let node):
            logger.warning(
                "a node has reported a job that it was not given: the report is ignored, and further ones are only counted",
                metadata: ["node": "\(node)", "job": "\(name)", "id": "\(id)"])
        case .recordsGone(let count):
            logger.error("jobs that waited in the storage are gone", metadata: ["jobs": "\(count)"])
        case .unreadable(let count, let error):
            logger.error(
                "jobs that wait in the storage cannot be read; reading is retried",
                metadata: ["jobs": "\(count)", "reason": "\(error)"])
        case .failuresGo(let kept):
            logger.warning(
                "many jobs have failed here: the oldest are no longer kept", metadata: ["kept": "\(kept)"]
            )
        case .takenOver(let node, let heir):
            logger.notice(
                "a node has not come back: another takes over its jobs", metadata: ["node": "\(node)", "by": "\(heir)"])
        case .notBack(let node, let jobs):
            logger.warning(
                "a node has not come back: jobs that it may have go to other nodes",
                metadata: ["node": "\(node)", "jobs": "\(jobs)"])
        }
    }
}
