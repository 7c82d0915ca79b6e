public import JobReactorCore

// Handlers by job name, and sequences in place of closures.

extension JobProducer {
    /// Calls `handler` after every successful run of a job of that name, and when such a job is cancelled; otherwise as
    /// ``handle(_:_:)``.
    @discardableResult
    public func onSuccess(
        _ name: String, _ handler: @escaping @Sendable (JobResult) -> Void
    ) -> HandlerRegistration {
        handle(name, JobFeedback(onSuccess: handler))
    }

    /// Calls `handler` when a job of that name has failed for good; otherwise as ``handle(_:_:)``.
    @discardableResult
    public func onError(_ name: String, _ handler: @escaping @Sendable (JobFailure) -> Void) -> HandlerRegistration {
        handle(name, JobFeedback(onError: handler))
    }

    /// Calls `handler` when a running job of that name reports progress; otherwise as ``handle(_:_:)``.
    @discardableResult
    public func onProgress(_ name: String, _ handler: @escaping @Sendable (JobProgress) -> Void) -> HandlerRegistration
    {
        handle(name, JobFeedback(onProgress: handler))
    }

    /// The events of all jobs of that name from now on, as for ``handle(_:_:)``: `for await event in
    /// distributor.events(of: "resize") { … }`.
    ///
    /// Ends when the producer stops, or when the reading task is cancelled. Buffers the newest `buffered` events, at
    /// least 1. Releases its memory when it ends or is dropped. For one reader, in any task.
    public func events(of name: String, buffered: Int = 1024) -> AsyncStream<JobEvent> {
        let (events, continuation) = AsyncStream.makeStream(
            of: JobEvent.self, bufferingPolicy: .bufferingNewest(max(1, buffered)))
        let registration = handle(name, JobFeedback(continuation, endsWithJob: false))
        continuation.onTermination = { _ in registration.remove() }
        return events
    }

    /// Enqueues a job, and returns its id with a sequence of its events. Throws `JobError` as `enqueue` does.
    ///
    /// ```swift
    /// for await event in try distributor.follow("resize", ["path": path]).events {
    ///     if case .progress(let progress) = event { print(progress.fraction ?? 0) }
    /// }
    /// ```
    public func follow(
        _ name: String, _ args: JobArguments = JobArguments(), _ options: JobOptions = JobOptions()
    ) throws(JobError) -> FollowedJob {
        let (events, continuation) = AsyncStream.makeStream(of: JobEvent.self, bufferingPolicy: .bufferingNewest(64))
        let id = try enqueue(name, args, options, feedback: JobFeedback(continuation, endsWithJob: true))
        return FollowedJob(id: id, events: events)
    }

    /// As above, with args of your own type.
    @_disfavoredOverload
    public func follow(
        _ name: String, _ args: some Encodable, _ options: JobOptions = JobOptions()
    ) throws(JobError) -> FollowedJob {
        try follow(name, try JobArguments(encoding: args), options)
    }

    /// As above, with args that are a literal of any `Encodable` values.
    @_disfavoredOverload
    public func follow(
        _ name: String, _ args: JobValues, _ options: JobOptions = JobOptions()
    ) throws(JobError) -> FollowedJob {
        try follow(name, try JobArguments(encoding: args), options)
    }
}
