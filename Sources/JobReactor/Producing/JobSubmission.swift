public import JobReactorCore

/// One of many jobs that are enqueued in one call.
public struct JobSubmission: Sendable {
    public var name: String
    public var args: JobArguments
    public var options: JobOptions
    public var feedback: JobFeedback

    public init(
        _ name: String, _ args: JobArguments = JobArguments(), _ options: JobOptions = JobOptions(),
        feedback: JobFeedback = JobFeedback()
    ) {
        self.name = name
        self.args = args
        self.options = options
        self.feedback = feedback
    }
}
