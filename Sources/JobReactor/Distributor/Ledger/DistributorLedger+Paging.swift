internal import JobReactorCore
internal import JobReactorWire

/// Where many jobs wait, those that came last wait in the storage alone, and are loaded when their turn comes.
extension DistributorLedger {
    /// Jobs that are not finished, as far as they are known here.
    var count: Int { entries.count + paged.count }

    /// A job waits for a node. When many do, its entry goes, if it has nothing that the storage does not have.
    mutating func pageOut(_ entry: LedgerEntry, _ job: Job) {
        guard entries.memory.total > pagingLimit, mayPageOut(entry, job) else { return }
        let known = PagedJobs.Known(
            route: Int32(clamping: dispatcher.route(of: job)), account: entry.account, isTakenUp: entry.isTakenUp)
        leaves(entries.place(of: job.id).map { .entry($0) }, job.id)
        entries.remove(job.id)
        paged.add(job.id, known)
        entries.memory.add(PagedJobs.bytes, to: known.account)
    }

    private func mayPageOut(_ entry: LedgerEntry, _ job: Job) -> Bool {
        guard entry.isStored, case .waiting = entry.place, case .none = entry.sink else { return false }
        return entry.strikes == 0 && job.attempt == 0 && job.period == nil && job.unique == nil && job.tick == nil
            && !cancelling.contains(job.id) && entry.due.isPast(at: now)
    }

    // MARK: Loading

    /// The turn of a job has come. False when it does not wait in the storage alone.
    mutating func beginLoading(_ id: JobID) -> Bool {
        leaves(paged.place(of: id).map { .paged($0) }, id)
        return paged.beginLoading(id)
    }

    /// The records of these jobs are read, for the node whose credit they have used.
    mutating func load(_ ids: [JobID], for node: Node?) {
        did(.load(paged.load(ids, for: node), ids, after: 0))
    }

    /// The batch of that number was read: each record, nil where there is none, or why it cannot be read.
    mutating func loaded(_ number: Int, _ records: [(id: JobID, result: Result<Job?, StorageError>)]) {
        guard let load = paged.answered(number) else { return }
        var unread: [JobID] = []
        var missing = 0
        var reason: StorageError?
        for (id, result) in records {
            // It has ended meanwhile, or was given up.
            guard paged.contains(id) else {
                refund(load.node)
                continue
            }
            switch result {
            case .failure(let error):
                reason = error
                unread.append(id)
            case .success(nil):
                missing += 1
                forgetPaged(id)
                if !limits.isEmpty { releasePlace(id, nil) }
                refund(load.node)
            case .success(let job?): arrived(job, for: load.node)
            }
        }
        if missing > 0 { did(.log(.recordsGone(missing))) }
        if let reason {
            if !load.isRepeated { did(.log(.unreadable(unread.count, reason))) }
            did(.load(paged.load(unread, for: load.node, isRepeated: true), unread, after: 1))
        }
        if let node = load.node { sendWaiting(to: node) }
    }

    private mutating func refund(_ node: Node?) {
        if let node { dispatcher.refund(node) }
    }

    private mutating func arrived(_ record: Job, for node: Node?) {
        guard let (entry, job) = takeIn(record) else { return }
        if let node { return send(entry, job, to: node) }
        if let other = dispatcher.giveBack(job) { return send(entry, job, to: other) }
        // One that was paused meanwhile, or that no node runs any more, asks again for its place when it may run, and waits as before.
        guard !limits.isEmpty, !mayBeSent(job) else { return }
        releasePlace(job.id, entry)
        pageOut(entry, job)
    }

    /// The record of a job that waited in the storage alone is here.
    private mutating func takeIn(_ record: Job) -> (LedgerEntry, Job)? {
        guard let known = forgetPaged(record.id) else { return nil }
        var job = record
        job.distributor = ""
        let entry = LedgerEntry(job, .none, due: .now, account: known.account)
        (entry.isStored, entry.isNew, entry.isTakenUp) = (true, !known.isTakenUp, known.isTakenUp)
        entries.add(entry, job.id)
        return (entry, job)
    }

    // MARK: Ending

    /// One that waits in the storage alone ends: it waits no more for a node, or for its place in a limit, which it may have
    /// while it is read.
    private mutating func stopWaiting(_ id: JobID, _ known: PagedJobs.Known) {
        if paged.isWaiting(id), !limits.isWaitingHere(id) { dispatcher.withdraw(id, from: Int(known.route)) }
        if !limits.isEmpty { releasePlace(id, nil) }
    }

    @discardableResult
    private mutating func forgetPaged(_ id: JobID) -> PagedJobs.Known? {
        guard let known = paged.remove(id) else { return nil }
        entries.memory.add(-PagedJobs.bytes, to: known.account)
        return known
    }

    /// The record of a job that waits in the storage alone was read, to cancel it; nil when it is not there any more. Nil when
    /// the job has gone elsewhere meanwhile: it is to be cancelled there.
    mutating func cancelPaged(_ id: JobID, _ record: Job?) -> Bool? {
        cancelling.remove(id)
        guard let known = paged[id] else { return nil }
        stopWaiting(id, known)
        guard let record else {
            forgetPaged(id)
            did(.log(.recordsGone(1)))
            return false
        }
        // While it is being loaded for a node, its answer finds that it has ended.
        if let (entry, job) = takeIn(record) { finishCancelled(entry, job) }
        return true
    }

    /// A node that had the job from an earlier process was first with its end. False when that is not so.
    mutating func endPaged(_ report: JobReport) -> Bool {
        guard report.status.isFinished, let known = paged[report.id], known.isTakenUp else { return false }
        stopWaiting(report.id, known)
        forgetPaged(report.id)
        store(.remove(report.id))
        return true
    }

    /// A durable node that had the job from an earlier process says so: it owns it. False where the job waits for others.
    mutating func leavePaged(_ id: JobID, to node: Node) -> Bool {
        guard let known = paged[id] else { return true }
        guard known.isTakenUp, nodes.isDurable(node), let name = nodes[node]?.name else { return false }
        stopWaiting(id, known)
        forgetPaged(id)
        store(.remove(id))
        owned.note(id, at: name)
        return true
    }

    /// What was stored is gone, and with it the jobs that were stored alone. Returns what is to be stored anew.
    mutating func emptied() -> [Job] {
        let gone = paged.removeWaiting()
        for (id, known) in gone {
            if !limits.isWaitingHere(id) { dispatcher.withdraw(id, from: Int(known.route)) }
            if !limits.isEmpty { releasePlace(id, nil) }
            entries.memory.add(-PagedJobs.bytes, to: known.account)
        }
        if !gone.isEmpty { did(.log(.recordsGone(gone.count))) }
        return recordsOfAll()
    }
}
