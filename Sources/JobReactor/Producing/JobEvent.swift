public import JobReactorCore

/// What becomes of a job, in a sequence: what its feedbacks would be told.
public enum JobEvent: Hashable, Sendable {
    /// How far it is, as it says itself.
    case progress(JobProgress)
    /// A good run, or that it was cancelled.
    case success(JobResult)
    /// It has failed for good.
    case failure(JobFailure)
}

/// A job that was enqueued, and what becomes of it: what `JobProducer.follow` returns.
public struct FollowedJob: Sendable {
    /// The job's id.
    public let id: JobID
    /// Ends after the job's last outcome, which is of a periodic job the one with which it fails or is cancelled; and without one
    /// when the producer stops before. The job does not depend on whether anybody reads, nor on whether the task that does is
    /// cancelled. The sequence is gone with its process, as a closure is; the job goes on.
    ///
    /// 64 events wait for their reader. When more come the oldest go: what a job has said of its progress long ago, and of a
    /// periodic job its outcomes. For one reader, who may be any task.
    public let events: AsyncStream<JobEvent>
}

extension JobFeedback {
    /// To a sequence.
    init(_ events: AsyncStream<JobEvent>.Continuation, endsWithJob: Bool) {
        self.init(
            onSuccess: { result in
                events.yield(.success(result))
                if endsWithJob, result.status.isFinished { events.finish() }
            },
            onError: { failure in
                events.yield(.failure(failure))
                if endsWithJob { events.finish() }
            },
            onProgress: { events.yield(.progress($0)) })
        onStop = { events.finish() }
    }
}
