internal import DequeModule
internal import JobReactorCore

/// The suspects of a lane that are due: jobs that a node had when it was lost. Any of them may end this process, too. So
/// that it can be told which one did, they begin one by one: the next when the run of the one before has ended or pauses.
///
/// A value without I/O.
struct CarefulRuns {
    private(set) var waiting: Deque<Job> = []
    /// Begun last, and not paused since.
    private var current: JobID?

    /// Whether a run may be under way that others wait for.
    var isUnderWay: Bool { current != nil }
    /// Whether some wait for their turn.
    var isWaiting: Bool { !waiting.isEmpty }

    mutating func append(_ job: Job) { waiting.append(job) }

    /// The job that may begin now, unless it is held. `stage` tells what is known of a job: nil when it is not here any more.
    mutating func takeNext(_ stage: (JobID) -> LiveJob.Stage?, _ holds: Holds = Holds()) -> Job? {
        if let current, stage(current) == .running { return nil }
        current = nil
        while let next = waiting.firstIndex(where: { !holds.holds($0.name) }) {
            let job = waiting.remove(at: next)
            // Others were cancelled while they waited.
            guard stage(job.id) == .ready else { continue }
            current = job.id
            return job
        }
        return nil
    }

    /// The run of a job pauses. Returns whether it was the one that others wait for.
    mutating func paused(_ id: JobID) -> Bool {
        guard current == id else { return false }
        current = nil
        return true
    }

    mutating func remove(where isGone: (Job) -> Bool) { waiting.removeAll(where: isGone) }
}
