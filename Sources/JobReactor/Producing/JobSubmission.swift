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

    /// A job whose args are a value of yours. Throws `JobError.Code.invalidArguments` when it does not encode to a JSON object.
    @_disfavoredOverload
    public init(
        _ name: String, _ args: some Encodable, _ options: JobOptions = JobOptions(),
        feedback: JobFeedback = JobFeedback()
    ) throws(JobError) {
        self.init(name, try JobArguments(encoding: args), options, feedback: feedback)
    }

    /// A job whose args are a literal of any `Encodable` values. Throws as for a value of yours.
    @_disfavoredOverload
    public init(
        _ name: String, _ args: JobValues, _ options: JobOptions = JobOptions(), feedback: JobFeedback = JobFeedback()
    ) throws(JobError) {
        self.init(name, try JobArguments(encoding: args), options, feedback: feedback)
    }
}
