internal import JobReactorCore
internal import JobReactorWire
internal import NIOCore

/// Cancelling and showing a job, wherever it is.
extension DistributorCore {
    /// Returns whether the job is known and not finished.
    func cancel(_ id: JobID) -> Bool {
        guard let entry = entries[id] else { return false }
        switch entry.place {
        case .saving, .inDoubt:
            cancelling.insert(id)
        case .waiting:
            guard let job = entry.job else { return false }
            entries[id] = nil
            dispatcher.withdraw(job)
            finishCancelled(entry, job)
        case .node(let node, _):
            cancelling.insert(id)
            links[node]?.sendCancel(id)
        case .owned(let name):
            cancelling.insert(id)
            link(toNode: name)?.sendCancel(id)
        }
        return true
    }

    /// Ends a job here that no node has.
    func finishCancelled(_ entry: Entry, _ job: Job) {
        entries[job.id] = nil
        if entry.isStored { keeper?.apply(.remove(job.id)) }
        counters.succeeded += 1
        let ended = JobLifecycle.cancel(job, policy: JobPolicy())
        guard let feedback = ended.feedback else { return }
        // A run of its own, as far as those are concerned who tell reports apart by their runs.
        let report = JobReport(
            id: job.id, name: job.name, feedback: feedback, status: ended.job.status, run: entry.lastRun &+ 1)
        deliver(report, name: entry.name, to: entry.sink)
        noteProgress()
    }

    func resendCancellations(to link: NodeLink) {
        for id in cancelling {
            if case .owned(link.introduction.name) = entries[id]?.place { link.sendCancel(id) }
        }
    }

    func link(toNode name: String) -> NodeLink? {
        links.values.first { $0.introduction.name == name }
    }

    /// The record of a job, name and value in turn: the node's when one has it. Empty when it is not known.
    func show(_ id: JobID) -> EventLoopFuture<[String]> {
        guard let entry = entries[id] else { return loop.makeSucceededFuture([]) }
        let link: NodeLink?
        switch entry.place {
        case .saving, .waiting, .inDoubt: link = nil
        case .node(let node, _): link = links[node]
        case .owned(let name): link = self.link(toNode: name)
        }
        let known = entry.record(at: now).map { job in
            var job = job
            job.distributor = name
            return job.shownFields
        }
        guard let link else { return loop.makeSucceededFuture(known ?? []) }
        let node = link.introduction.name
        return link.show(id).map { fields in (fields.isEmpty ? known ?? [] : fields) + ["on_node", node] }
    }

    /// A `PERFORM` is no longer waited for; the job goes on.
    func forgetSink(of id: JobID, ticket: CommandSession.Ticket) {
        if case .command(_, ticket, _) = entries[id]?.sink { entries[id]?.sink = .none }
    }
}

extension DistributorCore.Entry {
    /// Our copy of the job, with its due time as the wall clock tells it now.
    func record(at now: Moment) -> Job? {
        var record = job
        if let dueAt = due.date(at: now) { record?.dueAt = dueAt }
        return record
    }
}
