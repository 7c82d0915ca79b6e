internal import JobReactorCore
internal import JobReactorWire

/// Jobs with keys: one of each key and name at a time.
extension DistributorLedger {
    /// As ``submit(_:_:by:isAgain:)``, of a job that has a key and that is not known.
    mutating func submitUnique(
        _ job: Job, _ unique: JobUnique, _ sink: Sink, by account: MemoryShares.Account, isAgain: Bool
    ) -> Acceptance {
        guard let key = UniqueKey(job) else { return accept(job, sink, by: account, isAgain: isAgain) }
        let now = now
        // The id of a job that is finished, and holds another key, is used again.
        if let held = keys[job.id], held.key != key { dropHeld(job.id) }
        let isUsedAgain = keys[job.id] != nil
        switch keys.submit(job.id, key, unique, at: now.steady) {
        case .accepted(let notBefore, let releasing):
            let releasing = releasing ?? (isUsedAgain ? job.id : nil)
            // One that is cancelled, and whose node is away, is still to be told there.
            if let releasing, entries[releasing] == nil { store(.remove(releasing)) }
            var job = job
            if let notBefore { job.wait(until: notBefore, at: now) }
            return accept(job, sink, by: account, isAgain: isAgain)
        case .kept(let holder): return .held(by: holder, isRefused: false)
        case .conflict(let holder): return .held(by: holder, isRefused: true)
        case .replaced(let holder, let notBefore):
            replace(holder, by: job, notBefore: notBefore, at: now)
            return .held(by: holder, isRefused: false)
        case .again(let holder):
            replace(holder, by: job, notBefore: nil, at: now)
            return .held(by: holder, isRefused: false)
        }
    }

    // MARK: Replacing

    /// The job that stands gets the args, options and due time of the newer. One that a node has gets them there, if it waits or
    /// is to run again; until the node has said so they are kept here.
    private mutating func replace(_ id: JobID, by newer: Job, notBefore: Timestamp?, at now: Moment) {
        guard let entry = entries[id] else { return }
        let old = entry.job ?? Job(id: id, name: entry.name, args: JobArguments(), createdAt: now.wall)
        var job = old.replaced(by: newer)
        if let notBefore { job.wait(until: notBefore, at: now) }
        let due = job.due(countedFrom: now)
        switch entry.place {
        case .saving:
            put(job, due, in: entry)
            keys.storeAgain(id)
        case .waiting:
            stopWaiting(entry, old)
            put(job, due, in: entry)
            storeRecord(of: entry, id)
            if let node = dispatcher.enqueue(job) { send(entry, job, to: node) }
        case .node(_, 0):
            put(job, due, in: entry)
            storeRecord(of: entry, id)
        case .node(let node, _): tell(node, entry, job, due)
        case .owned(let name): tell(nodes.named(name), entry, job, due)
        case .inDoubt: tell(nil, entry, job, due)
        }
    }

    private mutating func put(_ job: Job, _ due: DueTime, in entry: LedgerEntry) {
        entry.job = job
        entry.due = due
        entries.measure(entry)
        entries.recount(entry)
    }

    private mutating func tell(_ node: Node?, _ entry: LedgerEntry, _ job: Job, _ due: DueTime) {
        keys.replace(job.id, by: job, due: due)
        storeRecord(of: entry, job.id)
        if let node { did(.replace(job.id, at: node)) }
    }

    /// The node is there, or has taken over from the one of that name: it is told again of what is to be replaced.
    mutating func replaceAgain(at node: Node, _ name: String) {
        for id in keys.replacing {
            switch entries[id]?.place {
            case .owned(name), .node(node, _): did(.replace(id, at: node))
            case .owned, .node, .inDoubt, .saving, .waiting, nil: break
            }
        }
    }

    /// What ``Action/replace(_:at:)`` tells; nil where it is not needed any more.
    func replacement(of id: JobID) -> UniqueJobs.Replacement? { keys[id]?.replacement }

    /// The node has stored the args that were to replace those of the job.
    mutating func replaced(_ message: HandOver, by node: Node) {
        guard let entry = entries[message.id], mayReport(node, message.id, entry),
            let replacement = keys[message.id]?.replacement, replacement.number == message.number
        else { return }
        keys.forgetReplacement(message.id)
        if let job = entry.job { put(job.replaced(by: replacement.job), replacement.due, in: entry) }
        storeRecord(of: entry, message.id)
    }

    /// The node has not taken them: the job runs, or ends. What one says from which another has taken over by now does not count.
    mutating func kept(_ message: HandOver, by node: Node) {
        guard let entry = entries[message.id], isAt(node, entry),
            let replacement = keys[message.id]?.replacement, replacement.number == message.number,
            // Else they follow its end.
            !replacement.runsAgain
        else { return }
        keys.forgetReplacement(message.id)
        storeRecord(of: entry, message.id)
    }

    private func isAt(_ node: Node, _ entry: LedgerEntry) -> Bool {
        switch entry.place {
        case .node(node, _): true
        case .owned(let name): nodes[node]?.name == name
        case .node, .saving, .waiting, .inDoubt: false
        }
    }

    /// The job is here again: it has what was to replace it from now on.
    mutating func useReplacement(of entry: LedgerEntry, _ id: JobID) {
        guard let replacement = keys.forgetReplacement(id) else { return }
        put(entry.job?.replaced(by: replacement.job) ?? replacement.job, replacement.due, in: entry)
        storeRecord(of: entry, id)
    }

    /// The record of a job whose key, or what is to replace it, has changed.
    private mutating func storeRecord(of entry: LedgerEntry, _ id: JobID) {
        guard entry.isStored else { return }
        let now = now
        switch entry.place {
        case .saving: break
        case .owned(let node): store(.update(ownedRecord(of: entry, id, at: node)))
        case .inDoubt(let node):
            if let job = entry.record(at: now) { store(.update(record(of: job, entry, at: node, isInDoubt: true))) }
        case .waiting, .node: if let job = entry.record(at: now) { store(.update(record(of: job, entry, at: nil))) }
        }
    }

    /// The job was not stored, as one of another distributor has its key. Who waits is told of that one.
    mutating func isHeldElsewhere(_ id: JobID) {
        guard let entry = entries[id], case .saving = entry.place else { return }
        entries.remove(id)
        keys.remove(id)
        ticks.remove(id)
        if !cancelling.isEmpty { cancelling.remove(id) }
    }

    // MARK: The end

    /// A job has ended that may have a key; `outcome` is kept for its producer. True when its entry is gone and what is to be
    /// stored of it is said: it holds its key yet, or runs again.
    mutating func endUnique(
        _ id: JobID, _ entry: LedgerEntry, _ outcome: StoredReport?, isCancelledFromOutside: Bool
    ) -> Bool {
        guard keys[id] != nil else { return false }
        if !isCancelledFromOutside, let replacement = keys[id]?.replacement, replacement.runsAgain {
            keys.forgetReplacement(id)
            runAgain(entry, replacement, outcome)
            return true
        }
        let now = now
        guard keys.end(id, isCancelledFromOutside: isCancelledFromOutside, at: now.steady) else { return false }
        entries.remove(id)
        if entry.isStored, let keyed = keys[id] {
            store(.update(Self.heldRecord(id, keyed, at: now.wall), outcome))
        }
        armKeys()
        return true
    }

    /// A job of the same id, as it holds the key.
    private mutating func runAgain(
        _ ended: LedgerEntry, _ replacement: UniqueJobs.Replacement, _ outcome: StoredReport?
    ) {
        var job = replacement.job
        (job.attempt, job.runs, job.status) = (0, 0, .new)
        (job.runAt, job.failedAt, job.lastError, job.lastTraceback) = (nil, nil, nil, nil)
        recentReports.forget(job.id)
        givenBefore.forget(job.id)
        counters.enqueued += 1
        let entry = LedgerEntry(job, .none, due: replacement.due, account: ended.account)
        entry.isStored = ended.isStored
        entries.remove(job.id)
        entries.addNew(entry, job.id)
        if entry.isStored { store(.update(job.record(for: .none, at: nil), outcome)) }
        if let node = dispatcher.enqueue(job) { send(entry, job, to: node) }
    }

    /// Stands for a job that is finished, and holds its key for a while yet.
    private static func heldRecord(_ id: JobID, _ keyed: UniqueJobs.Keyed, at now: Timestamp) -> Job {
        var record = Job(
            id: id, name: keyed.key.job, args: JobArguments(), options: JobOptions(unique: keyed.unique), createdAt: now
        )
        record.distributor = KeptFor.holding.text
        return record
    }

    var heldRecords: [Job] {
        let now = now.wall
        return keys.held { entries[$0] != nil }.map { Self.heldRecord($0.id, $0.keyed, at: now) }
    }

    /// Whether a job of that id is finished and holds its key: its record goes before one that uses the id again.
    func isIDHeld(_ id: JobID) -> Bool { !keys.isEmpty && keys.isHeld(id, isUnfinished: entries[id] != nil) }

    /// The id of a job that is finished and holds its key is used again, for another job.
    mutating func dropHeld(_ id: JobID) {
        guard keys.isHeld(id, isUnfinished: entries[id] != nil) else { return }
        keys.remove(id)
        store(.remove(id))
    }

    /// Keys are free whose time is over.
    mutating func expireKeys() {
        // One that has failed here is kept for its own sake.
        for id in keys.expire(at: now.steady) where kept[id] == nil && entries[id] == nil { store(.remove(id)) }
        armKeys()
    }

    mutating func armKeys() {
        if let seconds = keys.arm(at: now.steady) { did(.expireKeys(after: seconds)) }
    }

    // MARK: What an earlier process has left

    /// True for what stands for a job that is finished: it is no job any more.
    mutating func takeUpHeld(_ stored: Job, _ kept: KeptFor) -> Bool {
        guard kept.isHolding else { return false }
        let now = now
        if let key = UniqueKey(stored), let until = stored.unique?.heldUntil, until > now.wall {
            keys.restore(stored, key, holds: true, at: now)
            armKeys()
        } else {
            store(.remove(stored.id))
        }
        return true
    }

    /// A job that is taken up was cancelled, and a node owns it that is away: as in the process before, its key waits for that no
    /// longer than it says.
    mutating func takeUpKey(ofCancelled job: Job, _ entry: LedgerEntry) {
        guard let key = UniqueKey(job) else { return }
        entry.job?.again = nil
        let now = now
        guard let until = job.unique?.heldUntil, until > now.wall else { return keys.free(key, of: job.id) }
        keys.restore(job, key, holds: true, at: now)
        armKeys()
    }

    /// The key of a job that is taken up. What was to replace it does so at once where no node has it. Returns the job as it is
    /// then.
    mutating func takeUpKey(of job: Job, _ entry: LedgerEntry, isAtNode: Bool) -> Job {
        guard let key = UniqueKey(job) else { return job }
        keys.restore(job, key, holds: false, at: now)
        guard let again = job.again else { return job }
        var job = job
        (job.args, job.again) = (again, nil)
        guard isAtNode else {
            put(job, entry.due, in: entry)
            return job
        }
        entry.job?.again = nil
        keys.replace(job.id, by: job, due: .now)
        return job
    }
}

extension Job {
    /// The same job with the args, options and due time of a newer one.
    fileprivate func replaced(by newer: Job) -> Job {
        var job = Job(
            id: id, name: name, args: newer.args, options: newer.options, distributor: distributor,
            createdAt: newer.dueAt)
        (job.dueAt, job.makeAfter, job.isDated) = (newer.dueAt, newer.makeAfter, newer.isDated)
        (job.status, job.attempt, job.runs) = (status, attempt, runs)
        (job.runAt, job.failedAt, job.lastError, job.lastTraceback) = (runAt, failedAt, lastError, lastTraceback)
        job.isAwaited = isAwaited || newer.isAwaited
        return job
    }

    /// It does not run before that time of the steady clock.
    fileprivate mutating func wait(until time: Timestamp, at now: Moment) {
        let seconds = Timestamp(microseconds: time.elapsed(since: now.steady)).seconds
        let start = now.wall.advanced(bySeconds: seconds)
        guard seconds > 0, dueAt < start else { return }
        (dueAt, makeAfter, isDated) = (start, seconds, false)
    }
}
