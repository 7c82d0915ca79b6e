public import JobReactorCore

// What no other overload takes comes here, so that the compiler says what is wrong with it. Nothing of it can be called.

@available(
    *, unavailable,
    message: "args are JSON: give each value an Encodable and Sendable type; write a nested literal `as JobValues`"
)
extension JobProducer {
    @discardableResult
    public func enqueue(
        _ name: String, _ args: [String: Any], _ options: JobOptions = JobOptions(),
        onSuccess: (@Sendable (JobResult) -> Void)? = nil, onError: (@Sendable (JobFailure) -> Void)? = nil,
        onProgress: (@Sendable (JobProgress) -> Void)? = nil
    ) throws(JobError) -> JobID {
        throw JobError(.invalidArguments, "args are JSON")
    }

    public func perform(
        _ name: String, _ args: [String: Any], _ options: JobOptions = JobOptions(), timeout: Double? = nil,
        onProgress: (@Sendable (JobProgress) -> Void)? = nil
    ) async throws -> JobResult {
        throw JobError(.invalidArguments, "args are JSON")
    }

    public func perform<Output: Decodable>(
        _ name: String, _ args: [String: Any], _ options: JobOptions = JobOptions(), timeout: Double? = nil,
        returning type: Output.Type, onProgress: (@Sendable (JobProgress) -> Void)? = nil
    ) async throws -> Output {
        throw JobError(.invalidArguments, "args are JSON")
    }

    public func perform(
        _ name: String, _ args: [String: Any], _ options: JobOptions = JobOptions(), timeout: Duration,
        onProgress: (@Sendable (JobProgress) -> Void)? = nil
    ) async throws -> JobResult {
        throw JobError(.invalidArguments, "args are JSON")
    }

    public func perform<Output: Decodable>(
        _ name: String, _ args: [String: Any], _ options: JobOptions = JobOptions(), timeout: Duration,
        returning type: Output.Type, onProgress: (@Sendable (JobProgress) -> Void)? = nil
    ) async throws -> Output {
        throw JobError(.invalidArguments, "args are JSON")
    }

    public func follow(
        _ name: String, _ args: [String: Any], _ options: JobOptions = JobOptions()
    ) throws(JobError) -> FollowedJob {
        throw JobError(.invalidArguments, "args are JSON")
    }
}

@available(
    *, unavailable,
    message: "args are JSON: give each value an Encodable and Sendable type; write a nested literal `as JobValues`"
)
extension JobSubmission {
    public init(
        _ name: String, _ args: [String: Any], _ options: JobOptions = JobOptions(),
        feedback: JobFeedback = JobFeedback()
    ) throws(JobError) {
        throw JobError(.invalidArguments, "args are JSON")
    }
}
