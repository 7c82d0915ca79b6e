internal import JobReactorCore
internal import JobReactorWire

/// Limits: which runs may begin. A job that is due asks when a node would take it; what waits at a node asks by itself.
extension DistributorLedger {
    // MARK: Jobs that are here

    /// Whether the job may go to the node, whose credit it has used: where it may not, the credit is given back, and the job waits
    /// for a place in its limits, or has ended.
    mutating func isPermitted(_ entry: LedgerEntry, _ job: Job, for node: Node) -> Bool {
        let now = now
        // What is not due yet asks at its node when it is.
        guard !entry.isPermitted, entry.due.isPast(at: now), let needs = limits.needs(of: job) else { return true }
        let priority = dispatcher.state(of: node).priority(of: job)
        switch limits.request(job.id, needs: needs, priority: priority, at: now.steady) {
        case .granted:
            entry.isPermitted = true
            keepStartsSoon()
            return true
        case .waits:
            dispatcher.refund(node)
            move(entry, to: .waiting)
            lookAtLimitsSoon()
            // Many may wait for one limit. Of one that a node has had more is known than the storage has.
            if entry.isNew || entry.isTakenUp { pageOut(entry, job) }
        case .full(let limit):
            dispatcher.refund(node)
            var ended = job
            ended.lastError = "limit \(limit) is full"
            did(.log(.discarded(job.id, name: job.name, limit: limit)))
            finishCancelled(entry, ended)
        }
        return false
    }

    /// A job that waits here, for a node or for a limit, does so no more.
    mutating func stopWaiting(_ entry: LedgerEntry, _ job: Job) {
        guard !limits.isEmpty else { return dispatcher.withdraw(job) }
        let waitsForLimit = limits.isWaitingHere(job.id)
        releasePlace(job.id, entry)
        if !waitsForLimit { dispatcher.withdraw(job) }
    }

    /// The run of the job is over, or is not to be: its place is free.
    mutating func releasePlace(_ id: JobID, _ entry: LedgerEntry?) {
        entry?.isPermitted = false
        if limits.release(id, at: now.steady) { lookAtLimitsSoon() }
    }

    // MARK: Runs at nodes

    mutating func permit(_ id: JobID, priority: Int, _ needs: [LimitNeed], at node: Node) {
        guard let name = nodes[node]?.name, has(id, node) else { return }
        switch limits.request(id, needs: needs, priority: priority, of: name, at: now.steady) {
        case .granted:
            did(.permit(id, at: node))
            keepStartsSoon()
        case .waits: lookAtLimitsSoon()
        case .full(let limit): did(.discard(id, limit: limit, at: node))
        }
    }

    /// Whether the node, which asks for a job, has it. One whose link was lost goes on with what has begun there: while the job waits
    /// here again, it is that node's once more. Where another has it by now, the node's copy ends, and nobody hears of that.
    private mutating func has(_ id: JobID, _ node: Node) -> Bool {
        guard let entry = entries[id] else { return leavePaged(id, to: node) }
        switch entry.place {
        case .waiting:
            guard !entry.isNew, mayReport(node, id, entry), let job = entry.job, let name = nodes[node]?.name else {
                return true
            }
            stopWaiting(entry, job)
            if nodes.isDurable(node) {
                own(entry, id, name)
            } else {
                // It was handed over on a link that is gone: no answer is about it.
                move(entry, to: .node(node, number: Self.handedOverBefore))
            }
            return true
        case .node(node, _), .saving, .inDoubt: return true
        case .owned(let owner) where isNode(node, orHeirOf: owner): return true
        case .owned, .node:
            // Of one that an earlier process has given to others, too, it is not known whose it is.
            if entry.isTakenUp { return true }
            if let name = nodes[node]?.name { givenBefore.remove(id, name) }
            did(.cancel(id, at: node))
            return false
        }
    }

    /// Of no hand-over on the link of now.
    private static let handedOverBefore = -1

    /// A place that the job has elsewhere, or waits for here, is not the node's to give back: the job may have left it.
    mutating func released(_ id: JobID, by node: Node) {
        guard !limits.isEmpty, let name = nodes[node]?.name, limits.isAt(name, id) else { return }
        releasePlace(id, entries[id])
    }

    /// A run goes on at the node that was permitted over an earlier link.
    mutating func holds(_ id: JobID, secondsAgo: Double, _ needs: [LimitNeed], at node: Node) {
        guard let name = nodes[node]?.name else { return }
        nodes.noteHeld(id, at: node)
        limits.restore(id, needs: needs, of: name, startedAt: now.steady.advanced(bySeconds: -secondsAgo))
    }

    /// The node has said what its scripts define, and, over a new link, which of its runs go on.
    mutating func defineLimits(_ jobs: Set<String>, _ definitions: NodeDefinitions, of node: Node) {
        guard let name = nodes[node]?.name else { return }
        let now = now
        if let held = nodes.takeHeld(at: node) { freePlaces(of: name, but: held) }
        limits.define(jobs, definitions, of: name, at: now)
        if !limits.isEmpty { lookAtLimitsSoon() }
    }

    /// Of all jobs of the node but these the places are free: those that are sent again there ask anew.
    mutating func freePlaces(of name: String, but held: Set<JobID>) {
        let freed = limits.reconcile(name, held: held, at: now.steady)
        for id in freed { entries[id]?.isPermitted = false }
        if !freed.isEmpty { lookAtLimitsSoon() }
    }

    /// Jobs that have their places and wait for a node do not keep them from others where they may go to none: as they are paused, or
    /// no node that is connected may run them any more.
    mutating func freeUnusablePlaces() {
        for id in limits.unsent {
            guard let entry = entries[id], case .waiting = entry.place, let job = entry.job, !mayBeSent(job) else {
                continue
            }
            releasePlace(id, entry)
        }
    }

    /// Whether the job, which waits for a node, may go to one that is connected, now or when that has room.
    func mayBeSent(_ job: Job) -> Bool { !dispatcher.isPaused(job: job.name) && dispatcher.canBeServed(job) }

    /// Starts that a rate counts are kept, as a window must not begin anew with the process.
    private mutating func keepStartsSoon() {
        guard isDurable, limits.hasNewStarts, !keepsStarts else { return }
        keepsStarts = true
        did(.keepStarts)
    }

    /// What is to be kept of them now.
    mutating func takeStarts() -> [(limit: String, json: [UInt8])] {
        keepsStarts = false
        return limits.takeStarts(at: now)
    }

    // MARK: Turns

    /// Room may have come, or comes with time: it is looked for when all else is done that belongs to this.
    private mutating func lookAtLimitsSoon() {
        guard !looksAtLimits else { return }
        looksAtLimits = true
        did(.lookAtLimits(after: 0))
    }

    /// So many runs begin in one turn of the loop at most.
    private static let atOnce = 1000

    /// Those go on that have waited for a place and have one now.
    mutating func lookAtLimits() {
        looksAtLimits = false
        let now = now.steady
        var count = 0
        var wanted: [JobID] = []
        while count < Self.atOnce, let next = limits.takeNext(at: now) {
            count += 1
            switch next {
            case .atNode(let id, let name):
                if let node = nodes.named(name) { did(.permit(id, at: node)) } else { limits.release(id, at: now) }
            case .here(let id):
                guard let entry = entries[id], let job = entry.job else {
                    // It may wait in the storage alone: it keeps its place till it is read.
                    if beginLoading(id) { wanted.append(id) } else { limits.release(id, at: now) }
                    continue
                }
                let node = dispatcher.giveBack(job)
                // One that is paused, or that no node runs any more, asks again when it may run.
                entry.isPermitted = node != nil || mayBeSent(job)
                if !entry.isPermitted { limits.release(id, at: now) }
                if let node { send(entry, job, to: node) }
            }
        }
        if !wanted.isEmpty { load(wanted, for: nil) }
        if count > 0 { keepStartsSoon() }
        if count == Self.atOnce { return lookAtLimitsSoon() }
        if let seconds = limits.arm(at: now) { did(.lookAtLimits(after: seconds)) }
    }
}
