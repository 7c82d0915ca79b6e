internal import JobReactorCore

/// Runs of jobs that have limits: their distributor says when each may begin. A job that waits for that takes neither a place on a
/// lane nor a credit.
extension NodeRuns {
    /// The job is due: whether it may begin in its turn. Else its place is asked for, and it waits for that.
    mutating func mayTakeTurn(_ job: Job, of giver: UInt32) -> Bool {
        // What is held back has no place, which others could use, and asks when it is released.
        guard !holds.holds(job.name) else {
            permits.end(job.id, isReported: false)
            return true
        }
        guard maker.haveLimits, !permits.isGiven(job.id), !silent.contains(giver) else { return true }
        let needs = maker.needs(of: job)
        guard !needs.isEmpty else { return true }
        permits.ask(job.id, priority: maker.priority(of: job), needs, of: giver)
        return false
    }

    /// Jobs are not held back any more: those of them that need places ask. Returns them.
    mutating func askForReleased() -> [JobID] {
        guard maker.haveLimits else { return [] }
        let released = turns.sorted { $0.id < $1.id }.filter { !holds.holds($0.name) }
        let asking = released.filter { job in
            guard let known = live[job.id], known.stage == .ready else { return false }
            return !mayTakeTurn(job, of: known.giver)
        }
        guard !asking.isEmpty else { return [] }
        for job in asking { live[job.id]?.stage = .asking }
        for kind in NodeTurns.kinds { lanes[kind].removeTurns { live[$0.id]?.stage == .asking } }
        return asking.map(\.id)
    }

    /// The place of a run is given: the record is to be loaded. False where nobody waits for it.
    mutating func permitted(_ id: JobID, by giver: UInt32) -> Bool {
        guard permits.permitted(id, by: giver), live[id]?.stage == .asking else { return false }
        live[id]?.stage = .ready
        return true
    }

    /// A job that is here comes again, with its place. True where it has waited for that: the record is to be loaded.
    mutating func cameAgain(_ job: Job, by giver: UInt32) -> Bool {
        guard live[job.id]?.stage == .running else { return permitted(job.id, by: giver) }
        // It is that of the run which goes on.
        if !permits.isGiven(job.id) { permits.give(job.id, maker.needs(of: job), by: giver) }
        return false
    }

    /// The job is not to run: the record is to be loaded, and it ends as cancelled. False where nobody waits for it.
    mutating func discarded(_ id: JobID, _ reason: String, by giver: UInt32) -> Bool {
        guard permits.discarded(id, reason, by: giver), live[id]?.stage == .asking else { return false }
        live[id]?.isCancelled = true
        live[id]?.stage = .ending
        return true
    }

    /// A link to the distributor is up, which gives places.
    mutating func askAgain(_ giver: UInt32) {
        silent.remove(giver)
        permits.askAgain(giver)
    }

    /// A link to a distributor is up that knows of no limits. Returns the jobs that waited: their records are to be loaded.
    mutating func askNoMore(_ giver: UInt32) -> [JobID] {
        silent.insert(giver)
        return permits.giveAll(of: giver).filter { id in
            guard live[id]?.stage == .asking else { return false }
            live[id]?.stage = .ready
            return true
        }
    }
}
