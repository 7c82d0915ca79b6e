internal import JobReactorCore

/// Cancelling and finding a job, wherever it is.
extension DistributorLedger {
    /// Whether there is a job of this id, or a durable node is known to have one.
    func isKnown(_ id: JobID) -> Bool { entries[id] != nil || paged.contains(id) || owned.node(of: id) != nil }

    /// The producer that waits for the outcome of the job.
    func producer(of id: JobID) -> Producer? {
        if case .producer(let producer)? = entries[id]?.sink { producer } else { nil }
    }

    /// Returns whether the job is not finished; nil when there is no entry of it: a node may have it, or it waits in the
    /// storage alone.
    mutating func cancel(_ id: JobID) -> Bool? {
        guard let entry = entries[id] else { return nil }
        switch entry.place {
        case .saving: cancelling.insert(id)
        case .inDoubt: note(cancelled: entry, id)
        case .waiting:
            guard let job = entry.job else { return false }
            stopWaiting(entry, job)
            finishCancelled(entry, job)
        case .node(let node, 0):
            // It was held, and has used credit.
            guard let job = entry.job else { return false }
            suspectLeft(entry, id)
            finishCancelled(entry, job)
            granted(node, credit: 1)
        case .node(let node, _):
            note(cancelled: entry, id)
            did(.cancel(id, at: node))
        case .owned(let name):
            note(cancelled: entry, id)
            if let node = nodes.named(name) { did(.cancel(id, at: node)) } else { release(entry, id, at: name) }
        }
        return true
    }

    /// The node that owns the cancelled job is away, and may never come back: neither its key nor its schedule waits for that.
    private mutating func release(_ entry: LedgerEntry, _ id: JobID, at node: String) {
        let tick = ticks.isEmpty ? nil : endTick(id)
        let hasKey = !keys.isEmpty && keys[id] != nil
        if hasKey, keys.end(id, isCancelledFromOutside: true, at: now.steady) { armKeys() }
        guard hasKey || tick != nil else { return }
        did(.log(.released(id, name: entry.name, node: node)))
        if let tick { did(.endTick(id, tick)) }
    }

    /// Whether a node owns the job that is away.
    func isAway(_ id: JobID) -> Bool {
        if case .owned(let name)? = entries[id]?.place { nodes.named(name) == nil } else { false }
    }

    /// A node has the job, or may: it is cancelled there, and by the next process should this one end before.
    private mutating func note(cancelled entry: LedgerEntry, _ id: JobID) {
        guard cancelling.insert(id).inserted, entry.isStored else { return }
        switch entry.place {
        case .saving, .waiting: break
        case .node: if let job = entry.record(at: now) { store(.update(record(of: job, entry, at: nil))) }
        case .owned(let node): store(.update(ownedRecord(of: entry, id, at: node)))
        case .inDoubt(let node):
            guard let job = entry.record(at: now) else { return }
            store(.update(record(of: job, entry, at: node, isInDoubt: true)))
        }
    }

    /// A node that is connected has a job of which there is no entry, and was told that it is cancelled: should the node go
    /// before it has ended the job, it is told again.
    mutating func cancelled(_ id: JobID, at node: Node) {
        guard let name = nodes[node]?.name, cancelling.count < Self.cancellingLimit else { return }
        owned.note(id, at: name)
        cancelling.insert(id)
    }

    /// Whether somebody was told, or will be, that the unfinished job of that id is cancelled.
    func isBeingCancelled(_ id: JobID) -> Bool { !cancelling.isEmpty && cancelling.contains(id) }

    /// The record of a job that waits in the storage alone is read, to cancel it. Followed by ``cancelPaged(_:_:)``, or by
    /// ``cannotCancelPaged(_:)``.
    mutating func beginCancelPaged(_ id: JobID) { cancelling.insert(id) }

    /// The record cannot be read: nobody is told that the job is cancelled.
    mutating func cannotCancelPaged(_ id: JobID) { cancelling.remove(id) }

    /// Whether the job is being stored, and not accepted yet.
    func isSaving(_ id: JobID) -> Bool {
        if case .saving? = entries[id]?.place { true } else { false }
    }

    /// A job of which there is no entry, and which no node that is connected has, is to be cancelled: it may be at one that is
    /// away. Returns whether that is so.
    mutating func cancelLater(_ id: JobID) throws(JobError) -> Bool {
        guard let owner = owned.node(of: id), nodes.named(owner) == nil else { return false }
        guard cancelling.count < Self.cancellingLimit else {
            throw JobError(.unreachable, "too many cancellations wait for nodes that are away")
        }
        cancelling.insert(id)
        return true
    }

    static let cancellingLimit = 10_000

    /// The node that as a rule has a job of which there is no entry.
    func likelyOwner(of id: JobID) -> Node? { owned.node(of: id).flatMap { nodes.named($0) } }

    /// Ends a job here that no node has.
    mutating func finishCancelled(_ entry: LedgerEntry, _ job: Job) {
        if !limits.isEmpty { releasePlace(job.id, entry) }
        counters.succeeded += 1
        metrics?.cancelled(job.name)
        let ended = JobLifecycle.cancel(job, policy: JobPolicy())
        let feedback = ended.feedback ?? Feedback(.success, args: job.args)
        // A run of its own, as far as those are concerned who tell reports apart by their runs.
        let report = JobReport(
            id: job.id, name: job.name, feedback: feedback, status: ended.job.status, run: entry.lastRun &+ 1)
        let outcome = kept(report, for: entry.sink)
        if keys.isEmpty || !endUnique(job.id, entry, outcome, isCancelledFromOutside: true) {
            entries.remove(job.id)
            if entry.isStored { store(.remove(job.id, outcome)) }
        }
        did(.deliver(report, name: entry.name, to: entry.sink))
    }

    /// A `PERFORM` is no longer waited for; the job goes on.
    mutating func forget(_ id: JobID, waiter isWaiter: (Sink) -> Bool) {
        if let entry = entries[id], isWaiter(entry.sink) { entries.setSink(.none, of: entry) }
    }

    /// What is known of a job here: its record, but of one that a durable node owns its name and the node's; and the node
    /// that is linked and may know more.
    func find(_ id: JobID) -> (name: String, job: Job?, owner: String?, node: Node?)? {
        guard let entry = entries[id] else { return nil }
        let job = entry.record(at: now)
        switch entry.place {
        case .saving, .waiting, .inDoubt: return (entry.name, job, nil, nil)
        case .node(let node, _): return (entry.name, job, nil, node)
        case .owned(let owner): return (entry.name, job, owner, nodes.named(owner))
        }
    }
}
