internal import JobReactorCore
internal import JobReactorLua

/// What jobs do now, for people who look at their records.
extension NodeCore {
    func shown(_ job: Job) -> Job { shown([job])[0] }

    /// The records, with what those that are on a lane, or wait for one, do now.
    func shown(_ jobs: [Job]) -> [Job] {
        let doSomething = jobs.contains { job in
            switch runs[job.id]?.stage {
            case .running, .ready, .asking: true
            case .waiting, .changing, .ending, nil: false
            }
        }
        guard doSomething else { return jobs }
        var running: [JobID: LuaLane.Slice] = [:]
        // All that is behind others waits for the one that runs longest.
        var longest: [LaneKind: LuaLane.Slice] = [:]
        for lane in lanes {
            let slices = lane.lua.slices
            for slice in slices { running[slice.job.id] = slice }
            longest[lane.kind] = slices.max { $0.seconds < $1.seconds }
        }
        let waiting = Set(lanes.flatMap { $0.lua.waitingJobs })
        return jobs.map { job in
            guard let known = runs[job.id] else { return job }
            var shown = job
            switch known.stage {
            case .running:
                if let slice = running[job.id] {
                    shown.doing = slice.text
                } else if waiting.contains(job.id) {
                    let first = longest[LaneKind(for: job)]
                    shown.doing = first.map { "waiting behind \($0.job.name) \($0.job.id)" } ?? "waiting"
                } else if runs.suspendedCount > 0 {
                    shown.doing = "paused"
                }
            case .ready where runs.holds.holds(job.name):
                shown.doing = "paused by an operator" + away(holding: job.name)
            case .ready:
                shown.doing =
                    runs.isFull(for: job) ? "waiting until fewer jobs are suspended" : "waiting for its turn"
            case .asking:
                let isAway = destinations.isAway(known.giver)
                let reason = isAway ? ", which its distributor \(job.distributor) gives, and that is away" : ""
                shown.doing = "waiting for a place in a limit\(reason)"
            case .waiting, .changing, .ending: break
            }
            return shown
        }
    }

    /// Where nobody is there who could end the pause.
    private func away(holding job: String) -> String {
        let names = runs.holds.distributors(holding: job)
        guard names.allSatisfy({ destinations.known($0)?.link == nil }) else { return "" }
        return " at \(names.joined(separator: ", ")), which is away"
    }

    /// The runs that wait for distributors which are away, by the names of these.
    var waitingForAway: [(distributor: String, count: Int)] {
        let asked = runs.permits.askedOf.filter { destinations.isAway($0.key) }
        return asked.map { (destinations.name(ofNumber: $0.key) ?? "unknown", $0.value) }
            .sorted { $0.distributor < $1.distributor }
    }
}

extension LuaLane.Slice {
    /// `running for 12.3 s, jobs.lua:3 in os.execute`.
    fileprivate var text: String {
        "running for \((seconds * 10).rounded() / 10) s" + (place.map { ", \($0)" } ?? (isSilent ? ", within C" : ""))
    }
}
