public import JobReactorCore

/// A job to enqueue together with others in one call.
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

    /// A job with args of your own type. Throws `JobError.Code.invalidArguments` if it does not encode to a JSON
    /// object.
    @_disfavoredOverload
    public init(
        _ name: String, _ args: some Encodable, _ options: JobOptions = JobOptions(),
        feedback: JobFeedback = JobFeedback()
    ) throws(JobError) {
        self.init(name, try JobArguments(encoding: args), options, feedback: feedback)
    }

    /// A job whose args are a literal of any `Encodable` values. Throws as above.
    @_disfavoredOverload
    public init(
        _ name: String, _ args: JobValues, _ options: JobOptions = JobOptions(), feedback: JobFeedback = JobFeedback()
    ) throws(JobError) {
        self.init(name, try JobArguments(encoding: args), options, feedback: feedback)
    }
}
