internal import JobReactorCore
internal import JobReactorWire

/// What reports of nodes come to: who is told, what is stored, what is counted.
extension DistributorLedger {
    /// A node has reported. Says who is told, when what else is to be done is done; nil for a report that has come before, or
    /// that is not the node's to make.
    mutating func settle(_ report: JobReport, from node: Node) -> (name: String, sink: Sink)? {
        metrics?.reported(by: nodes[node]?.name)
        guard let entry = entries[report.id], !entry.isNew else {
            let owner = owned.node(of: report.id)
            if owner.map({ !isNode(node, orHeirOf: $0) }) ?? isNobodys(report.id, node) {
                return refuse(report, from: node)
            }
            if !paged.isEmpty, endPaged(report) {
                _ = recentReports.note(report)
                count(report)
                return (report.name, .none)
            }
            return settleStranger(report)
        }
        guard mayReport(node, report.id, entry) else { return refuse(report, from: node) }
        return settle(report, entry)
    }

    private mutating func settle(_ report: JobReport, _ entry: LedgerEntry) -> (name: String, sink: Sink)? {
        guard report.run > entry.lastRun else {
            counters.repeatedReports += 1
            return nil
        }
        // Where it is told again there may be no entry any more: by a durable node that starts again, and by any that has not
        // heard that it is stored here.
        if isDurable {
            _ = recentReports.note(report)
        } else if case .owned = entry.place {
            _ = recentReports.note(report)
        }
        if !limits.isEmpty {
            if case .waiting = entry.place {} else { releasePlace(report.id, entry) }
        }
        count(report)
        if let metrics { measure(report, entry, metrics) }
        let wasCancelled =
            !cancelling.isEmpty && report.status.isFinished && cancelling.remove(report.id) != nil
        if entry.strikes > 0 { suspectLeft(entry, report.id) }
        let sink = entry.sink
        if report.status.isFinished {
            // It was taken up from the storage, and a node that had it from an earlier process was first with its outcome.
            if case .waiting = entry.place, let job = entry.job { stopWaiting(entry, job) }
            if !keys.isEmpty,
                endUnique(report.id, entry, kept(report, for: sink), isCancelledFromOutside: wasCancelled)
            {
                return (entry.name, sink)
            }
            entries.remove(report.id)
            if entry.isStored { store(.remove(report.id, kept(report, for: sink))) }
        } else {
            goesOn(entry, after: report)
        }
        return (entry.name, sink)
    }

    /// How long it took from when it was due.
    private func measure(_ report: JobReport, _ entry: LedgerEntry, _ metrics: DistributorMetrics) {
        let now = now
        guard let due = entry.job?.dueAt ?? entry.due.date(at: now) else { return }
        metrics.took(entry.name, from: due, to: now.wall)
    }

    /// The outcome for a producer, which may be away: it is kept until the producer has it.
    func kept(_ report: JobReport, for sink: Sink) -> StoredReport? {
        guard case .producer(let producer) = sink else { return nil }
        return StoredReport(report.limited, distributor: producer.id, madeAt: now.wall)
    }

    /// As ``settle(_:from:)``, for what is decided here.
    mutating func reported(_ report: JobReport) {
        let told = entries[report.id].map { settle(report, $0) } ?? settleStranger(report)
        if let told { did(.deliver(report, name: told.name, to: told.sink)) }
    }

    /// A periodic job keeps its state in its args: so must the copy that another node would get.
    private mutating func goesOn(_ entry: LedgerEntry, after report: JobReport) {
        entry.lastRun = report.run
        entry.due = .never
        if let job = entry.job {
            // One without a period runs once more with newer args, which are here.
            if job.period != nil { entry.job?.args = report.feedback.args }
            entries.measure(entry)
            entry.job?.attempt = 0
            let next = now.advanced(bySeconds: job.period ?? 0)
            entry.due = .steady(next.steady)
            entry.job?.dueAt = next.wall
            if entry.isStored, let job = entry.job {
                store(.update(record(of: job, entry, at: nil), kept(report, for: entry.sink)))
            }
        } else if entry.isStored, case .owned(let node) = entry.place, let outcome = kept(report, for: entry.sink) {
            store(.update(ownedRecord(of: entry, report.id, at: node), outcome))
        }
        // A command waits for the first outcome.
        if case .command = entry.sink { entries.setSink(.none, of: entry) } else { entries.recount(entry) }
    }

    /// The outcome of a job that this process does not wait for: a durable node has it, or an earlier process accepted it;
    /// or it has had its outcome.
    private mutating func settleStranger(_ report: JobReport) -> (name: String, sink: Sink)? {
        if report.status.isFinished {
            owned.remove(report.id)
            if !cancelling.isEmpty { cancelling.remove(report.id) }
        }
        guard !givenBefore.contains(report.id), recentReports.note(report) else {
            counters.repeatedReports += 1
            return nil
        }
        if !limits.isEmpty, !limits.isWaitingHere(report.id) { releasePlace(report.id, nil) }
        count(report)
        return (report.name, .none)
    }

    private mutating func count(_ report: JobReport) {
        metrics?.ended(report.name, report)
        switch report.feedback.kind {
        case .success: counters.succeeded += 1
        case .error: counters.failed += 1
        }
    }

    /// A run says how far it is. Returns the job's name and who is told; nil when that is outdated, or not the node's to say.
    func progressed(_ progress: Progress, from node: Node) -> (name: String, sink: Sink)? {
        guard let entry = entries[progress.id], !entry.isNew, progress.run > entry.lastRun,
            mayReport(node, progress.id, entry)
        else { return nil }
        return (entry.name, entry.sink)
    }
}
