internal import JobReactorCore
internal import JobReactorWire
internal import Logging

/// Jobs that wait as no connected node defines them: the log says so once for each name, and who waits for one is told at once.
extension DistributorCore {
    /// Why a job of that name waits; nil where a connected node defines it.
    func parkedReason(_ name: String) -> String? {
        guard !ask({ $0.dispatcher.isDefined(name) }) else { return nil }
        return parkedNames.reason(name) {
            // Peers say how many names there are, and how long.
            var budget = 1_000_000
            let near = NearestName.find(name, among: ledger.dispatcher.definedNames, budget: &budget)
            let hint = near.map { " (did you mean '\($0)'?)" } ?? ""
            return "no connected node defines the job '\(name)'\(hint): it is parked until one does"
        }
    }

    /// The job was accepted, and was not sent.
    func tellIfParked(_ job: Job, _ sink: Sink) {
        guard !ask({ $0.dispatcher.isDefined(job.name) }) else { return }
        let telling = parkedNames.note(job.name)
        guard telling != .no || sink.hearsOfParking(job.name), let reason = parkedReason(job.name) else { return }
        switch telling {
        case .no: break
        case .name: logger.warning("\(reason)", metadata: ["job": "\(job.name)"])
        case .tooMany:
            logger.warning("many enqueued jobs are defined by no connected node: further names are not logged")
        }
        switch sink {
        case .application(let feedback):
            feedback.onProgress?(
                JobProgress(id: job.id, name: job.name, fraction: nil, text: reason, isParked: true))
        case .producer(let producer): producer.parked(job, reason)
        case .command, .acknowledgement, .none: break
        }
    }

    /// A node defines these jobs.
    func noteDefined(_ names: [String]) {
        parkedNames.forgetReasons()
        let parked = parkedNames.forget(names)
        guard !parked.isEmpty else { return }
        forEachProducer { $0.unparked(parked) }
    }

    /// A node that defined these jobs is gone.
    func noteUndefined(_ names: Set<String>) {
        parkedNames.forgetReasons()
        let parked = names.filter { name in
            ask { !$0.dispatcher.isDefined(name) && $0.dispatcher.isWaiting(name) }
                && parkedNames.note(name) == .name
        }
        guard !parked.isEmpty else { return }
        let shown = parked.sorted().prefix(10).joined(separator: " ")
        logger.warning(
            "waiting jobs are parked: no connected node defines them any more",
            metadata: ["jobs": "\(parked.count > 10 ? "\(shown) and \(parked.count - 10) more" : shown)"])
    }
}
