internal import JobReactorCore

/// What an application wants to be told of a job's runs.
///
/// The closures run on the event loop of the distributor or client that enqueued, so they must not block. They are gone
/// with their process.
public struct JobFeedback: Sendable {
    /// After every good run (several times for a periodic job), and when the job or a callback cancelled.
    public var onSuccess: (@Sendable (JobResult) -> Void)?
    /// Once, when all attempts failed, or an errback cancelled.
    public var onError: (@Sendable (JobFailure) -> Void)?
    /// When a running job says how far it is; the last word counts, some before it may be left out.
    public var onProgress: (@Sendable (JobProgress) -> Void)?
    /// When the distributor or client stops before the outcome is known.
    package var onStop: (@Sendable () -> Void)?

    public init(
        onSuccess: (@Sendable (JobResult) -> Void)? = nil, onError: (@Sendable (JobFailure) -> Void)? = nil,
        onProgress: (@Sendable (JobProgress) -> Void)? = nil
    ) {
        self.onSuccess = onSuccess
        self.onError = onError
        self.onProgress = onProgress
    }

    /// Whether anybody wants to hear of the job.
    var isTold: Bool { onSuccess != nil || onError != nil || onProgress != nil || onStop != nil }

    func deliver(_ feedback: Feedback, id: JobID, name: String, status: JobStatus) {
        switch feedback.kind {
        case .success: onSuccess?(JobResult(id: id, name: name, args: feedback.args, status: status))
        case .error: onError?(JobFailure(id: id, name: name, args: feedback.args, status: status))
        }
    }
}
