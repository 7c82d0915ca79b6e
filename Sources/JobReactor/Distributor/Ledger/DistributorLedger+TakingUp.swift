internal import JobReactorCore
internal import JobReactorWire

/// What one process of a distributor leaves to the next in the storage.
extension DistributorLedger {
    /// What an earlier process has stored. `sink` is who waits for the outcome. Followed by ``tookUp()`` when it was all.
    mutating func takeUp(_ stored: Job, _ kept: KeptFor, for sink: Sink) {
        guard entries[stored.id] == nil, !paged.contains(stored.id), !takeUpHeld(stored, kept) else { return }
        var job = stored
        job.distributor = ""
        if job.status == .failed { return keep(job) }
        let place: LedgerEntry.Place? = kept.node.map { kept.isInDoubt ? .inDoubt(at: $0) : .owned(by: $0) }
        let entry = LedgerEntry(job, sink, place ?? .waiting, due: .date(job.dueAt))
        (entry.isStored, entry.isNew, entry.isTakenUp) = (true, false, true)
        // A node ended with it, at an earlier process.
        if job.attempt > 0 { entry.strikes = Suspects.alone }
        if kept.owner != nil { entry.job = nil }
        entries.add(entry, job.id)
        if kept.isCancelled, kept.owner != nil {
            takeUpKey(ofCancelled: job, entry)
        } else {
            if let tick = job.tick { ticks.add(job.id, tick, hasBegun: kept.node != nil || job.attempt > 0) }
            if job.unique != nil { job = takeUpKey(of: job, entry, isAtNode: kept.node != nil) }
        }
        if kept.isCancelled {
            guard kept.node != nil else { return finishCancelled(entry, job) }
            cancelling.insert(job.id)
        }
        if let node = kept.node {
            if kept.isInDoubt { doubtsTakenUp[node, default: []].append(job.id) }
            return
        }
        // There is no node yet that it could go to.
        do throws(JobError) {
            try JobLimits.check(stored: job)
            _ = dispatcher.enqueue(job)
            pageOut(entry, job)
        } catch {
            // No node takes it.
            reported(.refusal(of: job.id, name: job.name, reason: error.message))
        }
    }

    /// All that an earlier process has stored is here: nodes that may have some of it get their time to come.
    mutating func tookUp() {
        for (node, jobs) in doubtsTakenUp {
            if let (timer, seconds) = takeovers.doubt(jobs, at: node) { did(.wake(timer, after: seconds)) }
        }
        doubtsTakenUp = [:]
    }

    /// What a storage that has nothing any more is to have: the jobs that no node owns, and whose the others are.
    func recordsOfAll() -> [Job] {
        let records: [Job] = entries.elements.compactMap { id, entry in
            guard entry.isStored else { return nil }
            switch entry.place {
            case .saving: return nil
            case .waiting, .node: return entry.record(at: now).map { record(of: $0, entry, at: nil) }
            case .inDoubt(let node):
                return entry.record(at: now).map { record(of: $0, entry, at: node, isInDoubt: true) }
            case .owned(let node): return ownedRecord(of: entry, id, at: node)
            }
        }
        return records + kept.jobs.map { $0.record(for: .none, at: nil) } + (keys.isEmpty ? [] : heldRecords)
    }

    /// Whose a job is that a node owns: the node has all else.
    func ownedRecord(of entry: LedgerEntry, _ id: JobID, at node: String) -> Job {
        var options = keys.isEmpty ? JobOptions() : JobOptions(unique: keys[id]?.unique)
        if !ticks.isEmpty { options.tick = ticks[id] }
        let job = Job(id: id, name: entry.name, args: JobArguments(), options: options, createdAt: now.wall)
        return record(of: job, entry, at: node)
    }

    /// The distributor ends. Returns those whose end somebody in this process waits for. Of jobs that durable nodes have been
    /// sent, and have not said that they have, the next process is to ask those first: they may have run.
    mutating func removeAll() -> [LedgerEntry] {
        for id in takeovers.allInDoubt { if let entry = entries[id] { storeDoubt(of: entry) } }
        paged = PagedJobs()
        for node in nodes.durable { for entry in entries.sent(to: node) { storeDoubt(of: entry) } }
        return entries.removeAll()
    }

    private mutating func storeDoubt(of entry: LedgerEntry) {
        guard entry.isStored, let job = entry.record(at: now) else { return }
        let name: String?
        switch entry.place {
        case .inDoubt(let node): name = node
        case .node(let node, _): name = nodes[node]?.name
        case .saving, .waiting, .owned: name = nil
        }
        if let name { store(.update(record(of: job, entry, at: name, isInDoubt: true))) }
    }
}
