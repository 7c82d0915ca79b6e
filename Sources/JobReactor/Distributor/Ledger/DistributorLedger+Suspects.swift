internal import JobReactorCore
internal import JobReactorWire

/// Jobs with which nodes ended, as ``Suspects`` judges them, and those that have failed here for it.
extension DistributorLedger {
    // MARK: To nodes

    /// Whether a suspect may be sent now; else it is held for the node.
    mutating func isAdmitted(_ entry: LedgerEntry, _ job: Job, to node: Node) -> Bool {
        // A durable node counts by itself, and what waits for its time is not in danger before.
        guard nodes[node]?.isDurable == false, entry.due.isPast(at: now) else { return true }
        return suspects.admit(job.id, strikes: entry.strikes, to: node)
    }

    /// A suspect is not under way at its node any more: others may be sent that were held for it.
    mutating func suspectLeft(_ entry: LedgerEntry, _ id: JobID) {
        guard case .node(let node, _) = entry.place else { return }
        handOver(released: suspects.left(id, node), to: node)
    }

    private mutating func handOver(released: [JobID], to node: Node) {
        var released = released
        while let next = released.popLast() {
            guard let held = entries[next], let job = held.job, case .node(node, 0) = held.place else {
                released += suspects.left(next, node)
                continue
            }
            handOver(held, job, to: node, isAgain: false)
        }
    }

    /// The run of a suspect begins.
    mutating func began(_ handOver: HandOver, attempt: Int32, of most: Int32, at node: Node) {
        guard let entry = entry(of: handOver, at: node), entry.strikes > 0, nodes[node]?.isDurable == false else {
            return
        }
        let released = suspects.began(handOver.id, attempt: attempt, of: most, at: node)
        self.handOver(released: released, to: node)
    }

    mutating func paused(_ handOver: HandOver, at node: Node) {
        if entry(of: handOver, at: node) != nil { suspects.paused(handOver.id, at: node) }
    }

    /// An attempt has failed at the node, and it waits there for the next: another node would have to know.
    mutating func failed(_ handOver: HandOver, attempt: Int32, at node: Node) {
        guard let entry = entry(of: handOver, at: node), entry.strikes > 0 else { return }
        entry.job?.attempt = attempt
        storeAttempt(of: entry)
        suspectLeft(entry, handOver.id)
    }

    // MARK: Losses

    /// The jobs of a volatile node that was lost go to others, but for those that have failed. `isExpected`: it said that it
    /// stops, and what it had did not end it.
    mutating func giveBackLost(_ ids: [JobID], of gone: ConnectedNodes.Connected, isExpected: Bool) {
        let loss = suspects.lost(gone.node)
        var counted: [JobID] = []
        var struck: [JobID] = []
        for id in ids {
            givenBefore.insert(id, gone.name)
            guard let entry = entries[id] else { continue }
            guard !isExpected, !cancelling.contains(id) else {
                giveBack(entry, id)
                continue
            }
            switch loss.verdict(on: id, strikes: entry.strikes, isDue: entry.due.isPast(at: now)) {
            case .innocent: break
            case .strike:
                struck.append(id)
                entry.strikes = min(entry.strikes + 1, Suspects.alone)
            case .ended(let attempt, let most):
                counted.append(id)
                let reason = "the node \(gone.name) ended during attempt \(attempt)"
                if count(attempt, of: Int(most), entry, because: reason) { continue }
            case .unread:
                counted.append(id)
                let attempt = (entry.job?.attempt ?? 0) + 1
                let reason = "the content of the job broke the link to the node \(gone.name), attempt \(attempt)"
                // What the scripts say of it only nodes know.
                let most = entry.job?.maxAttempt ?? JobPolicy().maxAttempt
                if count(attempt, of: most, entry, because: reason) { continue }
            }
            giveBack(entry, id)
        }
        if !counted.isEmpty || !struck.isEmpty {
            losses.note(counted, struck: struck, node: gone.name, gone.instance)
        }
    }

    /// Counts an attempt that ended with its node. Returns whether it was the last: then the job has failed.
    private mutating func count(
        _ attempt: Int32, of most: Int, _ entry: LedgerEntry, because reason: String
    ) -> Bool {
        guard var job = entry.job else { return false }
        job.attempt = attempt
        job.failedAt = now.wall
        job.lastError = reason
        job.lastTraceback = nil
        entry.job = job
        entry.strikes = Suspects.alone
        guard attempt >= most else {
            did(.log(.endedWithNode(job, isLast: false)))
            storeAttempt(of: entry)
            return false
        }
        did(.log(.endedWithNode(job, isLast: true)))
        let failed = JobLifecycle.exhaust(job, policy: JobPolicy()).job
        if entry.isStored { store(.update(failed.record(for: .none, at: nil))) }
        keep(failed)
        entry.isStored = false
        reported(Self.report(of: failed, run: entry.lastRun &+ 1))
        return true
    }

    private mutating func storeAttempt(of entry: LedgerEntry) {
        guard entry.isStored, let job = entry.job else { return }
        store(.update(record(of: job, entry, at: nil)))
    }

    /// The node's process has not ended: only its connection was lost. What was counted for that does not count.
    mutating func forgetLoss(of name: String, _ instance: String) {
        let loss = losses.takeBack(name, instance)
        for id in loss.counted {
            guard let entry = entries[id], let attempt = entry.job?.attempt, attempt > 0 else { continue }
            entry.job?.attempt = attempt - 1
            storeAttempt(of: entry)
        }
        for id in loss.struck {
            guard let entry = entries[id], entry.strikes > 0 else { continue }
            // One that is at a node as a suspect stays one until it is through.
            let least: UInt8 = if case .node = entry.place { 1 } else { 0 }
            entry.strikes = max(least, entry.strikes - 1)
        }
    }

    // MARK: Kept

    static func report(of failed: Job, run: Int32) -> JobReport {
        let feedback = JobLifecycle.exhaust(failed, policy: JobPolicy()).feedback
        return JobReport(
            id: failed.id, name: failed.name, feedback: feedback ?? Feedback(.error, args: failed.args),
            status: .failed, run: run)
    }

    /// Keeps the record of a job that has failed here.
    mutating func keep(_ failed: Job) {
        let gone = kept.insert(failed)
        guard !gone.isEmpty else { return }
        if !saidThatFailuresGo {
            saidThatFailuresGo = true
            did(.log(.failuresGo(kept: kept.count)))
        }
        for id in gone { store(.remove(id)) }
    }

    /// A producer sends a job again that has failed here: tells it so. False when that is not the case.
    mutating func tellAgain(_ id: JobID, _ sink: Sink) -> Bool {
        guard let failed = kept[id] else { return false }
        did(.deliver(Self.report(of: failed, run: 1), name: failed.name, to: sink))
        return true
    }

    /// Runs a job that is kept here as failed again, from its first attempt. False when there is none, or another has its key by now.
    mutating func retry(_ id: JobID) -> Bool {
        let now = now
        guard let failed = kept[id], let job = JobLifecycle.retry(failed, now: now.wall) else { return false }
        if let key = UniqueKey(job), !keys.restore(job, key, holds: false, at: now) { return false }
        if let tick = job.tick { ticks.add(id, tick) }
        leaves(.kept, id)
        kept.remove(id)
        recentReports.forget(id)
        let entry = LedgerEntry(job, .none, due: .now)
        entry.isStored = isDurable
        entries.add(entry, id)
        storeAttempt(of: entry)
        if let node = dispatcher.enqueue(job) { send(entry, job, to: node) }
        return true
    }

    /// Forgets a job that is kept here as failed. False when there is none.
    mutating func destroy(_ id: JobID) -> Bool {
        guard kept.remove(id) != nil else { return false }
        store(.remove(id))
        return true
    }
}

/// The attempts that were last counted for the loss of each node, and the strikes that were given. A value without I/O.
struct CountedLosses {
    private struct Loss {
        let instance: String
        let counted: [JobID]
        let struck: [JobID]
    }

    private var last: [String: Loss] = [:]

    mutating func note(_ counted: [JobID], struck: [JobID], node name: String, _ instance: String) {
        // Names come from outside.
        if last.count >= 1000 { last = [:] }
        last[name] = Loss(instance: instance, counted: counted, struck: struck)
    }

    /// A node is there: returns the jobs for which its loss was counted, and those that got a strike, if it is the same
    /// process.
    mutating func takeBack(_ name: String, _ instance: String) -> (counted: [JobID], struck: [JobID]) {
        guard let loss = last.removeValue(forKey: name), loss.instance == instance else { return ([], []) }
        return (loss.counted, loss.struck)
    }
}
