public import JobReactorCore

/// An event of a job in a sequence, with the same content as its feedbacks.
public enum JobEvent: Hashable, Sendable {
    /// The job has reported progress.
    case progress(JobProgress)
    /// A successful run, or the job was cancelled.
    case success(JobResult)
    /// The job has failed for good.
    case failure(JobFailure)
}

/// An enqueued job with its events, returned by `JobProducer.follow`.
public struct FollowedJob: Sendable {
    /// The job's id.
    public let id: JobID
    /// Ends after the job's last outcome; a periodic job has its last outcome when it fails or is cancelled. Ends
    /// without an outcome if the producer stops first. The job runs regardless of whether the sequence is read, or its
    /// reading task is cancelled. The sequence is lost when the process ends, like a closure; the job continues.
    ///
    /// Buffers the newest 64 events; older ones are dropped, such as earlier progress, or earlier outcomes of a
    /// periodic job. For one reader, in any task.
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
