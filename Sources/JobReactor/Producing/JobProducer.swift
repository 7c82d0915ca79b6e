public import JobReactorCore

/// What enqueues jobs: a ``Distributor`` in this process, or a ``JobClient`` to one elsewhere.
///
/// Every method may be called from any thread or task.
public protocol JobProducer: Sendable {
    /// Enqueues one job and returns at once, with the job's id. Throws `JobError` when the name, the args or an option
    /// is not allowed, or the producer was stopped; nothing is enqueued then.
    @discardableResult
    func enqueue(_ name: String, _ args: JobArguments, _ options: JobOptions, feedback: JobFeedback) throws(JobError)
        -> JobID

    /// Enqueues many jobs, in their order, and returns at once with their ids. Throws `JobError` as for one job; then
    /// none of them is enqueued.
    @discardableResult
    func enqueue(contentsOf jobs: [JobSubmission]) throws(JobError) -> [JobID]

    /// Cancels a job that is not finished: one that waits never runs, one that runs is interrupted at its next Lua
    /// instruction. Its outcome comes as when it cancels itself: the success feedback with its args as they stand, or the
    /// error feedback when its errbacks ran. Returns false when no unfinished job of that id is known. True means that it is
    /// under way: a job that ends at this moment has its own outcome. At a distributor with a storage it is said when it is
    /// stored: the next process cancels the job, too.
    ///
    /// A job that a durable node has is found there, also when another process enqueued it. Throws `JobError` when a node
    /// that may have it does not answer.
    @discardableResult
    func cancel(_ id: JobID) async throws -> Bool

    /// The record of a job; nil when none is known, as of a job that is finished and not kept. Found as by ``cancel(_:)``.
    func job(_ id: JobID) async throws -> JobInfo?

    /// The nodes that are connected to the distributor.
    func nodes() async throws -> [NodeInfo]

    /// Calls the closures of `feedback` for every job of that name that the producer hears of, beside the job's own: a
    /// ``Distributor`` hears of all that come to it, whoever enqueued them, a ``JobClient`` of those that it has enqueued itself.
    ///
    /// They are called on the producer's event loop and must not block. Handlers add up. A handler is gone when it is removed,
    /// and with its producer.
    ///
    /// One that is registered at a distributor before its start also gets the outcomes of jobs that an earlier process of
    /// this distributor (of the same ``DistributorConfiguration/name``) gave to nodes, and that they have kept for it.
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

    /// Enqueues a job whose args are a value of yours; it must encode to a JSON object, or `JobError.Code.invalidArguments` is
    /// thrown.
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

    /// Enqueues a job and waits for its outcome; for a periodic job, that of its first good run.
    ///
    /// Throws ``JobFailure`` when the job failed for good, `JobError` when it could not be enqueued, when `timeout`
    /// seconds have passed (the job goes on), or when the producer stopped; `CancellationError` when the task was
    /// cancelled (the job goes on as well). A job that no connected node defines is waited for: the log says so once for its
    /// name, and `onProgress` is told, with ``JobProgress/isParked``.
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
