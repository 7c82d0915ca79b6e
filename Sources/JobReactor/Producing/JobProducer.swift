public import JobReactorCore

/// Enqueues jobs: a ``Distributor`` in this process, or a ``JobClient`` for a distributor in another process.
///
/// Every method may be called from any thread or task.
public protocol JobProducer: Sendable {
    /// Enqueues one job and returns its id at once. Throws `JobError` if the name, the args or an option is invalid, or
    /// the producer was stopped; then nothing is enqueued.
    @discardableResult
    func enqueue(_ name: String, _ args: JobArguments, _ options: JobOptions, feedback: JobFeedback) throws(JobError)
        -> JobID

    /// Enqueues many jobs in order and returns their ids at once. Throws `JobError` as for one job; then none of them
    /// is enqueued.
    @discardableResult
    func enqueue(contentsOf jobs: [JobSubmission]) throws(JobError) -> [JobID]

    /// Cancels an unfinished job: a waiting job never runs, a running job is interrupted at its next Lua instruction.
    /// The outcome is that of a job that cancels itself: the success feedback with its current args, or the error
    /// feedback if its errbacks ran. Returns false if no unfinished job with that id is known. True means that the
    /// cancellation has begun; a job that ends at this moment keeps its own outcome. A distributor with a storage
    /// returns when the cancellation is stored, so that it survives a restart.
    ///
    /// A job at a durable node is found there, also if another process enqueued it. Throws `JobError` if a node that
    /// may have it does not answer.
    @discardableResult
    func cancel(_ id: JobID) async throws -> Bool

    /// The record of a job; nil if it is unknown, for example finished and not kept. It is found as by ``cancel(_:)``.
    func job(_ id: JobID) async throws -> JobInfo?

    /// The connected nodes of the distributor.
    func nodes() async throws -> [NodeInfo]

    /// Calls the closures of `feedback` for every job of that name, in addition to the job's own feedback: at a
    /// ``Distributor`` for the jobs of all producers, at a ``JobClient`` for the jobs that it has enqueued itself.
    ///
    /// They are called on the producer's event loop and must not block. A name may have several handlers. A handler
    /// lasts until it is removed or its producer ends.
    ///
    /// A handler that is registered at a distributor before its start also gets outcomes that nodes have kept for an
    /// earlier process of this distributor (with the same ``DistributorConfiguration/name``).
    @discardableResult
    func handle(_ name: String, _ feedback: JobFeedback) -> HandlerRegistration
}

extension JobProducer {
    /// Enqueues a job: `enqueue("resize", ["path": "cat.png"], JobOptions(after: 5)) { result in … }`.
    ///
    /// The closures are called on the producer's event loop and must not block.
    @discardableResult
    public func enqueue(
        _ name: String, _ args: JobArguments = JobArguments(), _ options: JobOptions = JobOptions(),
        onSuccess: (@Sendable (JobResult) -> Void)? = nil, onError: (@Sendable (JobFailure) -> Void)? = nil,
        onProgress: (@Sendable (JobProgress) -> Void)? = nil
    ) throws(JobError) -> JobID {
        try enqueue(
            name, args, options, feedback: JobFeedback(onSuccess: onSuccess, onError: onError, onProgress: onProgress))
    }

    /// Enqueues a job with args of your own type. Throws `JobError.Code.invalidArguments` if it does not encode to a
    /// JSON object.
    @_disfavoredOverload
    @discardableResult
    public func enqueue(
        _ name: String, _ args: some Encodable, _ options: JobOptions = JobOptions(),
        onSuccess: (@Sendable (JobResult) -> Void)? = nil, onError: (@Sendable (JobFailure) -> Void)? = nil,
        onProgress: (@Sendable (JobProgress) -> Void)? = nil
    ) throws(JobError) -> JobID {
        try enqueue(
            name, try JobArguments(encoding: args), options,
            feedback: JobFeedback(onSuccess: onSuccess, onError: onError, onProgress: onProgress))
    }

    /// Enqueues a job and waits for its outcome; for a periodic job, for its first successful run.
    ///
    /// Throws ``JobFailure`` if the job failed for good, `JobError` if it could not be enqueued, if `timeout` seconds
    /// have passed (the job continues), or if the producer stopped, and `CancellationError` if the task was cancelled
    /// (the job continues as well). It also waits for a parked job: the log warns once for its name, and `onProgress`
    /// is called with ``JobProgress/isParked``.
    ///
    /// `onProgress` is called on the producer's event loop and must not block.
    public func perform(
        _ name: String, _ args: JobArguments = JobArguments(), _ options: JobOptions = JobOptions(),
        timeout: Double? = nil, onProgress: (@Sendable (JobProgress) -> Void)? = nil
    ) async throws -> JobResult {
        let outcome = PendingOutcome()
        let parked = Locked<String?>(nil)
        var feedback = JobFeedback(
            onSuccess: { outcome.finish(.success($0)) }, onError: { outcome.finish(.failure($0)) },
            onProgress: { progress in
                parked.withLock { $0 = progress.isParked ? ": " + progress.text : nil }
                onProgress?(progress)
            })
        feedback.onStop = {
            outcome.finish(.failure(JobError(.stopped, "the producer stopped before the job's outcome was known")))
        }
        try JobLimits.check(timeout: timeout)
        let id = try enqueue(name, args, options, feedback: feedback)
        guard let timeout else { return try await outcome.value() }
        let timer = Task {
            try await Task.sleep(for: .seconds(timeout))
            let reason = parked.withLock { $0 } ?? ""
            outcome.finish(
                .failure(JobError(.timedOut, "no outcome of job \(id) within \(timeout) s; the job continues\(reason)"))
            )
        }
        defer { timer.cancel() }
        return try await outcome.value()
    }

    /// As above, with args of a type of yours.
    @_disfavoredOverload
    public func perform(
        _ name: String, _ args: some Encodable, _ options: JobOptions = JobOptions(), timeout: Double? = nil,
        onProgress: (@Sendable (JobProgress) -> Void)? = nil
    ) async throws -> JobResult {
        try await perform(name, try JobArguments(encoding: args), options, timeout: timeout, onProgress: onProgress)
    }

    /// As above; the resulting args as a type of yours. Throws `DecodingError` when they do not fit it.
    public func perform<Output: Decodable>(
        _ name: String, _ args: JobArguments = JobArguments(), _ options: JobOptions = JobOptions(),
        timeout: Double? = nil, returning type: Output.Type, onProgress: (@Sendable (JobProgress) -> Void)? = nil
    ) async throws -> Output {
        try await perform(name, args, options, timeout: timeout, onProgress: onProgress).decode(type)
    }

    /// As above, with args of a type of yours as well.
    @_disfavoredOverload
    public func perform<Output: Decodable>(
        _ name: String, _ args: some Encodable, _ options: JobOptions = JobOptions(), timeout: Double? = nil,
        returning type: Output.Type, onProgress: (@Sendable (JobProgress) -> Void)? = nil
    ) async throws -> Output {
        try await perform(
            name, try JobArguments(encoding: args), options, timeout: timeout, returning: type, onProgress: onProgress)
    }
}

/// An outcome that one task waits for and the first of several events decides.
private final class PendingOutcome: Sendable {
    private enum State {
        case open
        case waiting(CheckedContinuation<JobResult, any Error>)
        case decided(Result<JobResult, any Error>)
        case over
    }

    private let state = Locked<State>(.open)

    func finish(_ result: Result<JobResult, any Error>) {
        let waiting: CheckedContinuation<JobResult, any Error>? = state.withLock { state in
            switch state {
            case .open:
                state = .decided(result)
                return nil
            case .waiting(let continuation):
                state = .over
                return continuation
            case .decided, .over:
                return nil
            }
        }
        waiting?.resume(with: result)
    }

    func value() async throws -> JobResult {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let decided: Result<JobResult, any Error>? = state.withLock { state in
                    if case .decided(let result) = state {
                        state = .over
                        return result
                    }
                    state = .waiting(continuation)
                    return nil
                }
                if let decided { continuation.resume(with: decided) }
            }
        } onCancel: {
            finish(.failure(CancellationError()))
        }
    }
}
