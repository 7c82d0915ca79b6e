internal import JobReactorCore
internal import JobReactorWire
internal import Logging
internal import NIOCore

/// Jobs with which nodes ended: carries out what ``Suspects`` decides.
extension DistributorCore {
    // MARK: To nodes

    /// Whether a suspect may be sent now; else it is held for the node.
    func isAdmitted(_ entry: Entry, _ job: Job, to node: Dispatcher.NodeHandle, now: Timestamp) -> Bool {
        // A durable node counts by itself, and what waits for its time is not in danger before.
        guard links[node]?.introduction.isDurable == false, job.dueAt <= now else { return true }
        return suspects.admit(job.id, strikes: entry.strikes, to: node)
    }

    /// A suspect is not under way at its node any more: others may be sent that were held for it.
    func suspectLeft(_ entry: Entry, _ id: JobID) {
        guard case .node(let node, _) = entry.place else { return }
        var released = suspects.left(id, node)
        let now = clock.now
        while let next = released.popLast() {
            guard let held = entries[next], let job = held.job, case .node(node, 0) = held.place else {
                released += suspects.left(next, node)
                continue
            }
            send(held, job, to: node, now: now)
        }
    }

    func node(_ node: Dispatcher.NodeHandle, began handOver: HandOver, attempt: Int32, of most: Int32) {
        guard let entry = entry(of: handOver, at: node), entry.strikes > 0,
            links[node]?.introduction.isDurable == false
        else { return }
        suspects.began(handOver.id, attempt: attempt, of: most, at: node)
    }

    func node(_ node: Dispatcher.NodeHandle, paused handOver: HandOver) {
        if entry(of: handOver, at: node) != nil { suspects.paused(handOver.id, at: node) }
    }

    /// An attempt has failed at the node, and it waits there for the next: another node would have to know.
    func node(_ node: Dispatcher.NodeHandle, failed handOver: HandOver, attempt: Int32) {
        guard let entry = entry(of: handOver, at: node), entry.strikes > 0 else { return }
        entry.job?.attempt = attempt
        storeAttempt(of: entry)
        suspectLeft(entry, handOver.id)
    }

    // MARK: Losses

    /// The jobs of a volatile node that was lost go to others, but for those that have failed.
    func giveBackLost(_ ids: [JobID], of node: Dispatcher.NodeHandle, _ introduction: NodeIntroduction) {
        let loss = suspects.lost(node)
        // It said that it stops: what it had did not end it.
        let isExpected = dispatcher.state(of: node).isDraining
        let now = clock.now
        var counted: [JobID] = []
        for id in ids {
            givenTwice.insert(id)
            guard let entry = entries[id] else { continue }
            guard !isExpected, !cancelling.contains(id) else {
                giveBack(entry, id)
                continue
            }
            switch loss.verdict(on: id, strikes: entry.strikes, isDue: entry.dueAt <= now) {
            case .innocent: break
            case .strike: entry.strikes = min(entry.strikes + 1, Suspects.alone)
            case .ended(let attempt, let most):
                counted.append(id)
                let reason = "the node \(introduction.name) ended during attempt \(attempt)"
                if count(attempt, of: Int(most), entry, because: reason) { continue }
            case .unread:
                counted.append(id)
                let attempt = (entry.job?.attempt ?? 0) + 1
                let reason = "the link to the node \(introduction.name) broke on its content, attempt \(attempt)"
                // What the scripts say of it only nodes know.
                let most = entry.job?.maxAttempt ?? JobPolicy().maxAttempt
                if count(attempt, of: most, entry, because: reason) { continue }
            }
            giveBack(entry, id)
        }
        if !counted.isEmpty { losses.note(counted, node: introduction) }
    }

    /// Counts an attempt that ended with its node. Returns whether it was the last: then the job has failed.
    private func count(_ attempt: Int32, of most: Int, _ entry: Entry, because reason: String) -> Bool {
        guard var job = entry.job else { return false }
        job.attempt = attempt
        job.failedAt = clock.now
        job.lastError = reason
        job.lastTraceback = nil
        entry.job = job
        entry.strikes = Suspects.alone
        let metadata: Logger.Metadata = ["job": "\(job.name)", "id": "\(job.id)", "args": "\(job.args.shortened)"]
        guard attempt >= most else {
            logger.warning("\(reason)", metadata: metadata)
            storeAttempt(of: entry)
            return false
        }
        logger.error("\(reason), its last: the job has failed, and is kept here", metadata: metadata)
        let failed = JobLifecycle.exhaust(job, policy: JobPolicy()).job
        keep(failed, stores: entry.isStored)
        entry.isStored = false
        reported(Self.report(of: failed, run: entry.lastRun &+ 1))
        return true
    }

    private func storeAttempt(of entry: Entry) {
        guard entry.isStored, let job = entry.job else { return }
        keeper?.apply(.update(Self.record(job, of: entry.sink, at: nil)))
    }

    /// The node's process has not ended: only its connection was lost. What was counted for that does not count.
    func forgetLoss(of introduction: NodeIntroduction) {
        for id in losses.takeBack(introduction) {
            guard let entry = entries[id], let attempt = entry.job?.attempt, attempt > 0 else { continue }
            entry.job?.attempt = attempt - 1
            storeAttempt(of: entry)
        }
    }

    // MARK: Kept

    static func report(of failed: Job, run: Int32) -> JobReport {
        let feedback = JobLifecycle.exhaust(failed, policy: JobPolicy()).feedback
        return JobReport(
            id: failed.id, name: failed.name, feedback: feedback ?? Feedback(.error, args: failed.args),
            status: .failed, run: run)
    }

    /// Keeps the record of a job that has failed here; in the storage, too, where there is one.
    func keep(_ failed: Job, stores: Bool) {
        if stores { keeper?.apply(.update(Self.record(failed, of: .none, at: nil))) }
        let gone = kept.insert(failed)
        guard !gone.isEmpty else { return }
        if !saidThatFailuresGo {
            saidThatFailuresGo = true
            logger.warning(
                "many jobs have failed here: the oldest of those are not kept any longer",
                metadata: ["kept": "\(kept.count)"])
        }
        for id in gone { keeper?.apply(.remove(id)) }
    }

    /// Runs a job that is kept here as failed again, from its first attempt. False when there is none.
    func retry(_ id: JobID) -> Bool {
        guard !isStopping, let failed = kept[id], let job = JobLifecycle.retry(failed, now: clock.now) else {
            return false
        }
        kept.remove(id)
        recentReports.forget(id)
        let entry = Entry(job, .none)
        entries[id] = entry
        entry.isStored = keeper != nil
        storeAttempt(of: entry)
        if let node = dispatcher.enqueue(job) { place(entry, job, at: node) }
        return true
    }

    /// Forgets a job that is kept here as failed. False when there is none.
    func destroy(_ id: JobID) -> Bool {
        guard kept.remove(id) != nil else { return false }
        keeper?.apply(.remove(id))
        return true
    }
}

/// The attempts that were last counted for the loss of each node. A value without I/O.
struct CountedLosses {
    private var last: [String: (instance: String, jobs: [JobID])] = [:]

    mutating func note(_ jobs: [JobID], node: NodeIntroduction) {
        // Names come from outside.
        if last.count >= 1000 { last = [:] }
        last[node.name] = (node.instance, jobs)
    }

    /// A node is there: returns the jobs for which its loss was counted, if it is the same process.
    mutating func takeBack(_ node: NodeIntroduction) -> [JobID] {
        guard let counted = last.removeValue(forKey: node.name), counted.instance == node.instance else { return [] }
        return counted.jobs
    }
}
