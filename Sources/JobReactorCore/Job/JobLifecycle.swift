/// The outcome of a run for the application.
public struct Feedback: Hashable, Sendable, Codable {
    public enum Kind: String, Hashable, Sendable, Codable {
        case success = "SUCCESS"
        case error = "ERROR"
    }

    public var kind: Kind
    public var args: JobArguments

    public init(_ kind: Kind, args: JobArguments) {
        self.kind = kind
        self.args = args
    }
}

/// The lifecycle of a job: pure functions for the start and the end of a run, and for a cancellation before it.
///
/// Only this type decides whether a job is complete, repeats, is retried, fails or is cancelled.
public enum JobLifecycle {
    /// The next step after a run.
    public struct Transition: Hashable, Sendable {
        public enum Next: Hashable, Sendable {
            /// Run the errbacks, once the record is stored.
            case errbacks
            /// Wait until `job.dueAt`, then run again.
            case wait
            /// Finished; the record stays.
            case keep
            /// Finished; the record is removed.
            case remove
            /// Not run by this node, because none of its scripts defines the job: another node must run it.
            case park
        }

        public var job: Job
        public var next: Next
        public var feedback: Feedback?
    }

    /// The record at the start of a run. It is stored before any user code runs. `isRetrying` means that the job was
    /// recovered from an earlier process of the node: its steps see `args.retrying`.
    public static func begin(_ job: Job, isRetrying: Bool = false, now: Timestamp) -> Job {
        var job = job
        if isRetrying { job.args = job.args.setting([("retrying", Array("true".utf8))]) }
        job.attempt += 1
        job.runs &+= 1
        job.runAt = now
        job.status = .inProgress
        return job
    }

    /// The record of a run that was begun but not executed, because the node stops.
    public static func withdraw(_ job: Job) -> Job {
        var job = job
        job.attempt -= 1
        job.runs &-= 1
        job.status = .queued
        return job
    }

    /// The record of a job that is to run now, regardless of its wait. A finished job begins from its first attempt.
    /// Nil for a running job.
    public static func retry(_ job: Job, now: Timestamp) -> Job? {
        guard job.status != .inProgress, job.status != .error else { return nil }
        var job = job
        if job.status.isFinished { job.attempt = 0 }
        job.status = .queued
        job.dueAt = now
        job.makeAfter = nil
        job.isDated = false
        return job
    }

    /// Decides about an unfinished job when its node starts again. A run that ended with the node counts as an attempt;
    /// after the last attempt the job has failed, so that a job that kills its node ends. Nil if the record stays as it
    /// is and the job waits for its due time.
    public static func takeUp(_ job: Job, policy: JobPolicy, now: Timestamp) -> Transition? {
        switch job.status {
        case .new, .queued: return nil
        case .complete, .failed, .cancelled: return nil
        case .inProgress, .error: break
        }
        var job = job
        if job.status == .inProgress {
            job.failedAt = now
            job.lastError = "the node ended during attempt \(job.attempt)"
            job.lastTraceback = nil
        }
        guard job.attempt < policy.maxAttempt else {
            return withNewestArgs(exhaust(job, policy: policy), job.again, now: now)
        }
        if let again = job.again { (job.args, job.again) = (again, nil) }
        job.status = .queued
        // At once: its time had come already.
        job.dueAt = min(job.dueAt, now)
        job.makeAfter = nil
        job.isDated = false
        return Transition(job: job, next: .wait, feedback: nil)
    }

    /// Decides about a job that arrives with attempts that ended other nodes: if the policy allows no more attempts, it
    /// has failed without a run. Nil if it may run.
    package static func arrive(_ job: Job, policy: JobPolicy, now: Timestamp) -> Transition? {
        guard job.runs == 0, job.attempt > 0, job.attempt >= policy.maxAttempt else { return nil }
        var job = job
        // Every report of a job has a number of its own.
        job.runs = 1
        job.failedAt = now
        job.lastError = "the node that ran it ended during attempt \(job.attempt)"
        return exhaust(job, policy: policy)
    }

    /// The end of a job whose last attempt ended with its node, as its `lastError` says.
    package static func exhaust(_ job: Job, policy: JobPolicy) -> Transition {
        var job = job
        job.status = .failed
        var error: [UInt8] = []
        JSONWriter.write(job.lastError ?? "failed", into: &error)
        let feedback = Feedback(.error, args: job.args.setting([("error", error)]))
        return Transition(job: job, next: policy.removeFailedJobs ? .remove : .keep, feedback: feedback)
    }

    /// The end of a job that is cancelled while it does not run. The application gets its current args, as when the job
    /// cancels itself.
    ///
    /// It counts as a run, but not as an attempt: every report of a job has its own number.
    public static func cancel(_ job: Job, policy: JobPolicy) -> Transition {
        var job = job
        job.runs &+= 1
        return endCancelled(job, policy: policy)
    }

    private static func endCancelled(_ job: Job, policy: JobPolicy) -> Transition {
        var job = job
        job.status = .cancelled
        job.again = nil
        return Transition(
            job: job, next: policy.removeCancelledJobs ? .remove : .keep, feedback: Feedback(.success, args: job.args))
    }

    /// The end of a run that ``begin(_:isRetrying:now:)`` started, at `now`. `isCancelled` means that the job was
    /// cancelled from outside during the run: no further run follows, whatever the outcome. Otherwise a job with
    /// ``Job/again`` runs once more.
    public static func end(
        _ job: Job, _ outcome: RunOutcome, policy: JobPolicy, isCancelled: Bool = false, now: Timestamp
    ) -> Transition {
        let ended = endOfRun(job, outcome, policy: policy, isCancelled: isCancelled, now: now)
        // Most have none.
        guard job.again != nil, ended.next != .errbacks else { return ended }
        if !isCancelled { return withNewestArgs(ended, job.again, now: now) }
        var last = ended
        last.job.again = nil
        return last
    }

    /// What follows a run runs with those args, where there are any; what would be the end of the job is followed by one more
    /// run, as if it were the first.
    private static func withNewestArgs(_ ended: Transition, _ again: JobArguments?, now: Timestamp) -> Transition {
        guard let again, ended.next != .errbacks else { return ended }
        var next = ended
        (next.job.args, next.job.again) = (again, nil)
        guard ended.next == .keep || ended.next == .remove else { return next }
        next.job.status = .queued
        next.job.attempt = 0
        next.job.dueAt = now
        next.job.makeAfter = nil
        next.job.isDated = false
        next.next = .wait
        return next
    }

    private static func endOfRun(
        _ job: Job, _ outcome: RunOutcome, policy: JobPolicy, isCancelled: Bool, now: Timestamp
    ) -> Transition {
        var job = job
        switch outcome.kind.cancelled(isCancelled, isPeriodic: job.period != nil) {
        case .succeeded:
            job.args = outcome.args
            let feedback = Feedback(.success, args: job.args)
            guard let period = job.period else {
                job.status = .complete
                return Transition(job: job, next: policy.removeDoneJobs ? .remove : .keep, feedback: feedback)
            }
            job.attempt = 0
            wait(&job, seconds: period, now: now)
            return Transition(job: job, next: .wait, feedback: feedback)

        case .cancelled:
            job.args = outcome.args
            return endCancelled(job, policy: policy)

        case .raised:
            note(outcome, in: &job, now: now)
            job.status = .error
            return Transition(job: job, next: .errbacks, feedback: nil)

        case .failed:
            fail(&job, outcome, now: now)
            guard job.attempt < policy.maxAttempt else {
                job.status = .failed
                return Transition(
                    job: job, next: policy.removeFailedJobs ? .remove : .keep, feedback: errorFeedback(outcome))
            }
            let delay =
                outcome.retryIn ?? job.period
                ?? policy.retryDelay(afterAttempt: job.attempt, chance: job.chance)
            wait(&job, seconds: delay, now: now)
            return Transition(job: job, next: .wait, feedback: nil)

        case .failedCancelled:
            fail(&job, outcome, now: now)
            job.status = .cancelled
            return Transition(
                job: job, next: policy.removeCancelledJobs ? .remove : .keep, feedback: errorFeedback(outcome))

        case .undefined:
            // The run did not take place, so it is no attempt.
            job.attempt -= 1
            job.runs &-= 1
            if isCancelled { return cancel(job, policy: policy) }
            job.status = .queued
            return Transition(job: job, next: .park, feedback: nil)
        }
    }

    private static func fail(_ job: inout Job, _ outcome: RunOutcome, now: Timestamp) {
        job.args = outcome.args
        // Else it is noted already, before the errbacks.
        if job.status != .error { note(outcome, in: &job, now: now) }
        guard let text = outcome.errbackText else { return }
        // Neither text takes all the room of the other.
        let half = JobLimits.errorTextBytes / 2
        let addition = "\nan errback failed: " + text.cut(toBytes: half - 100)
        job.lastError =
            (job.lastError ?? "failed").cut(toBytes: JobLimits.errorTextBytes - addition.utf8.count) + addition
    }

    private static func note(_ outcome: RunOutcome, in job: inout Job, now: Timestamp) {
        job.failedAt = now
        job.lastError = outcome.message
        job.lastTraceback = outcome.traceback
    }

    private static func wait(_ job: inout Job, seconds: Double, now: Timestamp) {
        let seconds = min(seconds, JobLimits.seconds)
        job.status = .queued
        job.makeAfter = seconds
        job.isDated = false
        job.dueAt = now.advanced(bySeconds: seconds)
    }

    private static func errorFeedback(_ outcome: RunOutcome) -> Feedback {
        var members: [(key: String, json: [UInt8])] = []
        if let error = outcome.error { members.append(("error", error)) }
        if let error = outcome.errbackError { members.append(("errback_error", error)) }
        return Feedback(.error, args: outcome.args.setting(members))
    }
}

extension RunOutcome.Kind {
    /// What the run comes to when the job was cancelled from outside meanwhile: there is no next one.
    fileprivate func cancelled(_ isCancelled: Bool, isPeriodic: Bool) -> RunOutcome.Kind {
        switch self {
        case .succeeded where isCancelled && isPeriodic: .cancelled
        case .raised where isCancelled: .failedCancelled
        case .failed where isCancelled: .failedCancelled
        default: self
        }
    }
}

extension Job {
    /// A number from 0 up to 1 that differs from job to job and from run to run, and is the same for the same run: a
    /// decision made twice comes out the same.
    fileprivate var chance: Double {
        // SplitMix64's finalizer.
        var bits = id.low ^ (UInt64(truncatingIfNeeded: runs) &* 0x9E37_79B9_7F4A_7C15)
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        bits ^= bits >> 31
        return Double(bits >> 11) * 0x1p-53
    }
}
