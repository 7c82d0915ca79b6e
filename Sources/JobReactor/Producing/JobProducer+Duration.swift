public import JobReactorCore

// A `Duration` to wait for the outcome, in place of seconds: negative or longer than `JobLimits.seconds` it is refused, and nothing
// is enqueued.

extension JobProducer {
    /// Enqueues a job and waits for its outcome, at most for `timeout`: `perform("resize", ["path": path], timeout: .seconds(20))`.
    public func perform(
        _ name: String, _ args: JobArguments = JobArguments(), _ options: JobOptions = JobOptions(), timeout: Duration,
        onProgress: (@Sendable (JobProgress) -> Void)? = nil
    ) async throws -> JobResult {
        try await perform(name, args, options, timeout: timeout.inSeconds, onProgress: onProgress)
    }

    /// As above, with args of a type of yours.
    @_disfavoredOverload
    public func perform(
        _ name: String, _ args: some Encodable, _ options: JobOptions = JobOptions(), timeout: Duration,
        onProgress: (@Sendable (JobProgress) -> Void)? = nil
    ) async throws -> JobResult {
        try await perform(
            name, try JobArguments(encoding: args), options, timeout: timeout.inSeconds, onProgress: onProgress)
    }

    /// As above, with args that are a literal of any `Encodable` values.
    @_disfavoredOverload
    public func perform(
        _ name: String, _ args: JobValues, _ options: JobOptions = JobOptions(), timeout: Duration,
        onProgress: (@Sendable (JobProgress) -> Void)? = nil
    ) async throws -> JobResult {
        try await perform(
            name, try JobArguments(encoding: args), options, timeout: timeout.inSeconds, onProgress: onProgress)
    }

    /// As above; the resulting args as a type of yours. Throws `DecodingError` when they do not fit it.
    public func perform<Output: Decodable>(
        _ name: String, _ args: JobArguments = JobArguments(), _ options: JobOptions = JobOptions(), timeout: Duration,
        returning type: Output.Type, onProgress: (@Sendable (JobProgress) -> Void)? = nil
    ) async throws -> Output {
        try await perform(name, args, options, timeout: timeout.inSeconds, onProgress: onProgress).decode(type)
    }

    /// As above, with args of a type of yours as well.
    @_disfavoredOverload
    public func perform<Output: Decodable>(
        _ name: String, _ args: some Encodable, _ options: JobOptions = JobOptions(), timeout: Duration,
        returning type: Output.Type, onProgress: (@Sendable (JobProgress) -> Void)? = nil
    ) async throws -> Output {
        try await perform(name, try JobArguments(encoding: args), options, timeout: timeout, onProgress: onProgress)
            .decode(type)
    }

    /// As above, with args that are a literal of any `Encodable` values.
    @_disfavoredOverload
    public func perform<Output: Decodable>(
        _ name: String, _ args: JobValues, _ options: JobOptions = JobOptions(), timeout: Duration,
        returning type: Output.Type, onProgress: (@Sendable (JobProgress) -> Void)? = nil
    ) async throws -> Output {
        try await perform(name, try JobArguments(encoding: args), options, timeout: timeout, onProgress: onProgress)
            .decode(type)
    }
}
