internal import JobReactorCore

/// What a node has done since its start.
struct NodeCounters {
    var received = 0
    var succeeded = 0
    var failedRuns = 0
    var failed = 0
    var cancelled = 0

    mutating func note(_ transition: JobLifecycle.Transition) {
        switch transition.job.status {
        case .complete: succeeded += 1
        case .failed:
            failedRuns += 1
            failed += 1
        case .cancelled: cancelled += 1
        case .queued:
            if transition.feedback != nil {
                succeeded += 1
            } else if transition.next == .wait {
                failedRuns += 1
            }
        case .new, .inProgress, .error: break
        }
    }
}
