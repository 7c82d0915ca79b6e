internal import JobReactorCore
internal import JobReactorWire

/// What nodes answer to hand-overs.
extension DistributorLedger {
    /// The job of a hand-over to the node that no answer has ended, and after which it was not sent again; nil when there is
    /// none.
    func entry(of handOver: HandOver, at node: Node) -> LedgerEntry? {
        guard let entry = entries[handOver.id], case .node(node, handOver.number) = entry.place else { return nil }
        return entry
    }

    /// A durable node has saved the jobs of these hand-overs and owns them now.
    mutating func saved(_ first: Int, through last: Int, by node: Node) {
        guard let name = nodes[node]?.name else { return }
        for handOver in nodes.answer(first, through: last, by: node) {
            if let entry = entry(of: handOver, at: node) { own(entry, handOver.id, name) }
        }
    }

    mutating func own(_ entry: LedgerEntry, _ id: JobID, _ name: String) {
        entry.isNew = false
        let isFollowed = !keys.isEmpty && keys[id] != nil || !ticks.isEmpty && ticks[id] != nil
        switch entry.sink {
        case _ where isFollowed:
            // Until its end it is known here.
            if entry.isStored, let job = entry.job { store(.update(record(of: job, entry, at: name))) }
        case .none, .acknowledgement:
            // Nobody here waits for the outcome.
            entries.remove(id)
            owned.note(id, at: name)
            if entry.isStored { store(.remove(id)) }
            return
        case .producer:
            if entry.isStored, let job = entry.job { store(.update(record(of: job, entry, at: name))) }
        case .application, .command:
            // They do not outlive this process.
            if entry.isStored { store(.remove(id)) }
            entry.isStored = false
        }
        if metrics != nil { keepDueTime(of: entry) }
        entries.move(entry, to: .owned(by: name))
        entry.job = nil
        entries.measure(entry)
    }

    /// Its job, which knows when it was due, goes.
    private func keepDueTime(of entry: LedgerEntry) {
        guard case .now = entry.due, let job = entry.job else { return }
        let now = now
        let age = max(0, now.wall.elapsed(since: job.dueAt))
        entry.due = .steady(now.steady.advanced(byMicroseconds: -age))
    }

    mutating func returned(_ handOvers: [HandOver], by node: Node) {
        for handOver in handOvers where nodes.answer(handOver, by: node) {
            if let entry = entry(of: handOver, at: node) { giveBack(entry, handOver.id) }
        }
    }

    /// No node can run the job: it has failed.
    mutating func refused(_ handOver: HandOver, by node: Node, because reason: String) {
        guard nodes.answer(handOver, by: node), let entry = entry(of: handOver, at: node), let job = entry.job,
            let name = nodes[node]?.name
        else { return }
        let message = "the node \(name) cannot take the job: \(reason)"
        did(.log(.refused(job.id, name: job.name, reason: message)))
        var report = JobReport.refusal(of: job.id, name: job.name, reason: message)
        report.run = entry.lastRun &+ 1
        reported(report)
    }
}
