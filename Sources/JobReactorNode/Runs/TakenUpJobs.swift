internal import JobReactorCore

/// Jobs of an earlier process of a node, or of another node, which this one has taken up and not begun since. A value without
/// I/O.
struct TakenUpJobs {
    private var unbegun: Set<JobID> = []

    /// What was found.
    struct Found {
        var waiting = 0
        var cutShort = 0
        var failed = 0
        var left = 0
        var isEmpty: Bool { waiting + cutShort + failed + left == 0 }
    }

    /// Whether its next run is one again.
    func contains(_ id: JobID) -> Bool { !unbegun.isEmpty && unbegun.contains(id) }

    /// The jobs have begun.
    mutating func begun(_ jobs: [Job]) {
        if !unbegun.isEmpty { unbegun.subtract(jobs.lazy.map(\.id)) }
    }

    /// The jobs are not here any more.
    mutating func forget(_ ids: [JobID]) { unbegun.subtract(ids) }

    /// Takes up those of the jobs that are not finished and not in `live`, unless they stay as they are. None of them runs:
    /// they wait for their time. `giver` gives the number of a distributor's destination. Returns what is to be stored of them
    /// before anything else.
    mutating func takeUp(
        _ jobs: [Job], leavingThem: Bool, now: Moment, into live: inout LiveJobs, _ found: inout Found, maker: RunMaker,
        giver: (String) -> UInt32
    ) -> [Ending] {
        var endings: [Ending] = []
        for job in jobs where !job.status.isFinished && !live.contains(job.id) {
            guard !leavingThem else {
                found.left += 1
                continue
            }
            live[job.id] = LiveJob(.waiting, giver: giver(job.distributor))
            let ending = maker.takenUp(job, now: now.wall)
            if let ending { endings.append(ending) }
            if ending?.job.status == .failed {
                found.failed += 1
                live[job.id]?.stage = .ending
                continue
            }
            unbegun.insert(job.id)
            if ending == nil {
                found.waiting += 1
                live.wait(job.id, until: .date(job.dueAt))
            } else {
                found.cutShort += 1
            }
        }
        return endings
    }
}
