internal import JobReactorCore
internal import JobReactorWire
internal import Logging
internal import NIOCore

/// What the ``DistributorLedger`` decides, carried out.
extension DistributorCore {
    func carryOut(_ action: DistributorLedger.Action, _ now: Timestamp?) {
        switch action {
        case .send(let entry, let node, let number, let isAgain):
            guard let job = entry.job else { return }
            links[node]?.send(job, number: number, isAgain: isAgain, now: now ?? clock.now)
        case .deliver(let report, let name, let sink): deliver(report, name: name, to: sink)
        case .store(let change): keeper?.apply(change)
        case .cancel(let id, let node): links[node]?.sendCancel(id)
        case .adopt(let name, let node): links[node]?.sendAdopt(name)
        case .wake(let timer, let seconds):
            loop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(seconds * 1000))) { [weak self] in
                self?.change { $0.wake(timer, isStopping: self?.isStopping == true) }
            }
        case .log(let event): log(event)
        }
    }

    private func log(_ event: DistributorLedger.Event) {
        switch event {
        case .disconnected(let node, let reason, let givenBack):
            logger.info(
                "node disconnected",
                metadata: ["node": "\(node)", "reason": "\(reason)", "jobs given back": "\(givenBack)"])
        case .refused(let id, let name, let reason):
            logger.error("\(reason)", metadata: ["job": "\(name)", "id": "\(id)"])
        case .takenOver(let node, let heir):
            logger.notice(
                "a node has not come back: another takes over its jobs", metadata: ["node": "\(node)", "by": "\(heir)"])
        case .notBack(let node, let jobs):
            logger.warning(
                "a node has not come back: jobs that it may have go to others",
                metadata: ["node": "\(node)", "jobs": "\(jobs)"])
        }
    }
}
