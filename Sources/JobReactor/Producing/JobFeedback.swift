internal import JobReactorCore

/// The closures of an application for the outcomes of a job.
///
/// The closures run on the event loop of the distributor or client that enqueued the job, so they must not block. They
/// are lost when the process ends.
public struct JobFeedback: Sendable {
    /// Called after every successful run (repeatedly for a periodic job), and when the job or a callback cancelled the
    /// job.
    public var onSuccess: (@Sendable (JobResult) -> Void)? {
        get { told?.onSuccess }
        set { told = Told(newValue, onError, onProgress, onStop) }
    }
    /// Called once, when all attempts have failed, or an errback cancelled the job.
    public var onError: (@Sendable (JobFailure) -> Void)? {
        get { told?.onError }
        set { told = Told(onSuccess, newValue, onProgress, onStop) }
    }
    /// Called when a running job reports progress; the latest report counts, earlier ones may be skipped.
    public var onProgress: (@Sendable (JobProgress) -> Void)? {
        get { told?.onProgress }
        set { told = Told(onSuccess, onError, newValue, onStop) }
    }
    /// Called when the distributor or client stops before the outcome is known.
    package var onStop: (@Sendable () -> Void)? {
        get { told?.onStop }
        set { told = Told(onSuccess, onError, onProgress, newValue) }
    }

    /// Nil when nobody wants to hear of the job. One reference, as it is handed on a few times with each job.
    private var told: Told?

    private final class Told: Sendable {
        let onSuccess: (@Sendable (JobResult) -> Void)?
        let onError: (@Sendable (JobFailure) -> Void)?
        let onProgress: (@Sendable (JobProgress) -> Void)?
        let onStop: (@Sendable () -> Void)?

        init?(
            _ onSuccess: (@Sendable (JobResult) -> Void)?, _ onError: (@Sendable (JobFailure) -> Void)?,
            _ onProgress: (@Sendable (JobProgress) -> Void)?, _ onStop: (@Sendable () -> Void)?
        ) {
            guard onSuccess != nil || onError != nil || onProgress != nil || onStop != nil else { return nil }
            self.onSuccess = onSuccess
            self.onError = onError
            self.onProgress = onProgress
            self.onStop = onStop
        }
    }

    public init(
        onSuccess: (@Sendable (JobResult) -> Void)? = nil, onError: (@Sendable (JobFailure) -> Void)? = nil,
        onProgress: (@Sendable (JobProgress) -> Void)? = nil
    ) {
        told = Told(onSuccess, onError, onProgress, nil)
    }

    /// Whether anybody wants to hear of the job.
    var isTold: Bool { told != nil }

    func deliver(_ feedback: Feedback, id: JobID, name: String, status: JobStatus) {
        switch feedback.kind {
        case .success: onSuccess?(JobResult(id: id, name: name, args: feedback.args, status: status))
        case .error: onError?(JobFailure(id: id, name: name, args: feedback.args, status: status))
        }
    }
}
