public import JobReactorCore

// Calls with a literal that has variables in it: `enqueue("resize", ["path": path, "width": width])`. Literals without any are
// `JobArguments` at once, and what has values of one type alone is encoded as the dictionary that it is.

extension JobProducer {
    /// Enqueues a job whose args are a literal of any `Encodable` values; for the rest as with `JobArguments`.
    @_disfavoredOverload
    @discardableResult
    public func enqueue(
        _ name: String, _ args: JobValues, _ options: JobOptions = JobOptions(),
        onSuccess: (@Sendable (JobResult) -> Void)? = nil, onError: (@Sendable (JobFailure) -> Void)? = nil,
        onProgress: (@Sendable (JobProgress) -> Void)? = nil
    ) throws(JobError) -> JobID {
        try enqueue(
            name, try JobArguments(encoding: args), options,
            feedback: JobFeedback(onSuccess: onSuccess, onError: onError, onProgress: onProgress))
    }

    /// Enqueues a job whose args are a literal of any `Encodable` values, and waits for its outcome.
    @_disfavoredOverload
    public func perform(
        _ name: String, _ args: JobValues, _ options: JobOptions = JobOptions(), timeout: Double? = nil,
        onProgress: (@Sendable (JobProgress) -> Void)? = nil
    ) async throws -> JobResult {
        try await perform(name, try JobArguments(encoding: args), options, timeout: timeout, onProgress: onProgress)
    }

    /// As above; the resulting args as a type of yours. Throws `DecodingError` when they do not fit it.
    @_disfavoredOverload
    public func perform<Output: Decodable>(
        _ name: String, _ args: JobValues, _ options: JobOptions = JobOptions(), timeout: Double? = nil,
        returning type: Output.Type, onProgress: (@Sendable (JobProgress) -> Void)? = nil
    ) async throws -> Output {
        try await perform(
            name, try JobArguments(encoding: args), options, timeout: timeout, returning: type, onProgress: onProgress)
    }
}
