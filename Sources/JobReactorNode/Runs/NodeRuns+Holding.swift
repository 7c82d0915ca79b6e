internal import JobReactorCore
internal import JobReactorLua

/// Jobs that distributors hold back.
extension NodeRuns {
    /// A distributor says what it holds back from now on.
    mutating func hold(isNode: Bool, jobs: Set<String>, by distributor: String) -> Held {
        let change = holds.set(isNode: isNode, jobs: jobs, by: distributor)
        if !change.released.isEmpty { for kind in NodeTurns.kinds { lanes[kind].release(change.released) } }
        let held = change.holdsMore ? turns.filter { holds.holds($0.name) }.map(\.id) : []
        for id in held { permits.end(id, isReported: false) }
        let asking = change.holdsLess ? askForReleased() : []
        return Held(settled: takeCredits(of: held + asking), holdsMore: change.holdsMore, holdsLess: change.holdsLess)
    }

    /// The lane gave back runs of held jobs that had not begun: they wait for their turn again. Returns their records, which are to
    /// be stored, and what was known of those that give back a credit.
    mutating func heldBack(_ runs: [LuaLane.Run], from kind: LaneKind) -> (records: [Job], settled: [LiveJob]) {
        lanes[kind].running -= runs.count
        // Others are not this node's any more.
        let ours = runs.filter { live.contains($0.job.id) }
        let records = ours.map { JobLifecycle.withdraw(withNewestArgs($0.job)) }
        for job in records.reversed() {
            live[job.id]?.stage = .ready
            permits.end(job.id, isReported: false)
            if live[job.id]?.isSuspect == true {
                lanes[kind].enter(job, isSuspect: true)
            } else {
                lanes[kind].prepend(job, priority: maker.priority(of: job))
            }
        }
        return (records, takeCredits(of: records.map(\.id)))
    }

    private mutating func takeCredits(of ids: [JobID]) -> [LiveJob] {
        ids.compactMap { id in
            guard let known = live[id], known.usesCredit else { return nil }
            live[id]?.usesCredit = false
            return known
        }
    }
}
