public import JobReactorCore
internal import JobReactorWire
public import NIOCore
private import NIOPosix
public import ServiceLifecycle

/// Lives in the application: accepts jobs, hands each to a node, and runs feedbacks.
///
/// It runs in one of three ways: on an event loop group that the application has (`on:`), on a thread of its own, or as
/// the whole program (``runAsProgram()``). It is also a service for swift-service-lifecycle.
///
/// Jobs that no node can take yet wait in memory and are gone when the process ends, unless it has a storage; what a node
/// has taken goes on there.
/// Every method may be called from any thread or task.
/// Dropping the last reference stops it without waiting; ``stop(grace:)`` waits.
public final class Distributor: JobProducer, Service {
    private enum State {
        case idle
        case starting
        case running(port: Int)
        case stopping
        case stopped
    }

    public let configuration: DistributorConfiguration
    private let ownGroup: MultiThreadedEventLoopGroup?
    private let loop: any EventLoop
    private let core: NIOLoopBoundBox<DistributorCore?>
    private let inbox: SubmissionInbox
    private let state = Locked<State>(.idle)
    /// Another process has taken the storage over.
    private let losses = AsyncStream.makeStream(of: StorageError.self)

    /// A distributor that only collects jobs until it is started. `group` is the application's; without one it runs on a
    /// thread of its own.
    public init(
        _ configuration: DistributorConfiguration = DistributorConfiguration(), on group: (any EventLoopGroup)? = nil
    ) {
        self.configuration = configuration
        let ownGroup = group == nil ? MultiThreadedEventLoopGroup(numberOfThreads: 1) : nil
        self.ownGroup = ownGroup
        let loop = group?.next() ?? ownGroup?.next() ?? MultiThreadedEventLoopGroup.singleton.next()
        self.loop = loop
        let core = NIOLoopBoundBox.makeEmptyBox(valueType: DistributorCore.self, eventLoop: loop)
        self.core = core
        loop.execute { core.value = DistributorCore(configuration, on: loop) }
        let inbox = SubmissionInbox(loop: loop) { batch in core.value?.submit(batch) }
        self.inbox = inbox
        loop.execute { core.value?.takeSubmissions = { [weak inbox] in inbox?.drain() } }
        loop.execute { [losses] in
            core.value?.onStorageLost = { [weak self] error in
                losses.continuation.yield(error)
                // Nothing that it still has is its own.
                Task { [weak self] in await self?.stop(grace: 0) }
            }
        }
    }

    deinit {
        let isOpen = state.withLock { state in
            switch state {
            case .stopping, .stopped: false
            case .idle, .starting, .running: true
            }
        }
        guard isOpen else { return }
        let (core, ownGroup) = (core, ownGroup)
        loop.execute { core.value?.stop(grace: 0).whenComplete { _ in ownGroup?.shutdownGracefully { _ in } } }
    }

    /// Makes a distributor and starts it. Throws ``WireError`` when the port cannot be opened.
    public static func start(
        host: String = "localhost", port: Int, on group: (any EventLoopGroup)? = nil
    ) async throws -> Distributor {
        let distributor = Distributor(DistributorConfiguration(host: host, port: port), on: group)
        do { try await distributor.start() } catch {
            await distributor.stop()
            throw error
        }
        return distributor
    }

    // MARK: Life

    /// Opens the port and serves. Returns when nodes and clients can connect.
    public func start() async throws {
        try configuration.validate()
        let isFirst = state.withLock { state in
            guard case .idle = state else { return false }
            state = .starting
            return true
        }
        guard isFirst else { throw WireError(.configuration, "a distributor is started once: make another") }
        let core = core
        do {
            let port = try await loop.flatSubmit { [loop] in
                core.value?.start() ?? loop.makeFailedFuture(JobError(.stopped, "the distributor was stopped"))
            }.get()
            state.withLock { state in
                if case .starting = state { state = .running(port: port) }
            }
        } catch {
            state.withLock { $0 = .idle }
            throw error
        }
    }

    /// The port it listens on; nil before the start and after the stop.
    public var port: Int? {
        state.withLock { if case .running(let port) = $0 { port } else { nil } }
    }

    /// Starts, serves until a graceful shutdown or the cancellation of the task, and stops. Throws ``StorageError`` with the
    /// code `lost` when another distributor of its name has taken over its storage.
    public func run() async throws {
        do {
            try await start()
        } catch {
            await stop()
            throw error
        }
        let loss = await end()
        await stop()
        if let loss { throw loss }
    }

    /// Returns when the service is to end, with what it lost when that is the reason.
    private func end() async -> StorageError? {
        await withTaskGroup(of: StorageError?.self) { [losses] group in
            group.addTask {
                // Ends by returning on a graceful shutdown and by throwing on cancellation: both mean the same here.
                try? await gracefulShutdown()
                return nil
            }
            group.addTask { await losses.stream.first { _ in true } }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }

    /// The whole program: runs until SIGINT or SIGTERM, then stops gracefully; a second signal ends at once.
    public func runAsProgram() async throws {
        try await ServiceGroup.runProgram([self], logger: configuration.logger)
    }

    /// Stops gracefully: accepts no more jobs, waits for the outcomes of those that nodes have, at most `grace` seconds
    /// (the configuration's when nil), and closes. Feedbacks still open then are dropped; `perform` throws. Stopping
    /// twice is fine.
    public func stop(grace: Double? = nil) async {
        let wasRunning = state.withLock { state in
            switch state {
            case .stopping, .stopped: return false
            case .idle, .starting, .running:
                state = .stopping
                return true
            }
        }
        guard wasRunning else { return }
        inbox.close()
        let core = core
        let seconds = grace ?? configuration.grace
        try? await loop.flatSubmit { [loop] in
            core.value?.stop(grace: seconds) ?? loop.makeSucceededVoidFuture()
        }.get()
        state.withLock { $0 = .stopped }
        try? await ownGroup?.shutdownGracefully()
    }

    // MARK: Jobs

    @discardableResult
    public func enqueue(
        _ name: String, _ args: JobArguments, _ options: JobOptions, feedback: JobFeedback
    ) throws(JobError) -> JobID {
        try inbox.submit(name, args, options, feedback)
    }

    @discardableResult
    public func enqueue(contentsOf jobs: [JobSubmission]) throws(JobError) -> [JobID] {
        try inbox.submit(jobs)
    }

    /// Returns when every job that was enqueued before is stored; at once without a storage. What was enqueued and not
    /// yet stored is lost when the process ends.
    public func flush() async throws {
        let core = core
        try await loop.flatSubmit { [loop] in core.value?.flush() ?? loop.makeSucceededVoidFuture() }.get()
    }

    @discardableResult
    public func cancel(_ id: JobID) async throws -> Bool {
        let core = core
        return try await loop.submit { core.value?.cancel(id) ?? false }.get()
    }

    public func job(_ id: JobID) async throws -> JobInfo? {
        let core = core
        let fields = try await loop.flatSubmit { [loop] in
            core.value?.show(id) ?? loop.makeSucceededFuture([String]())
        }.get()
        return JobInfo(fields: fields)
    }

    // MARK: Handlers by job name

    /// Calls `handler` after every good run of a job of that name, whoever enqueued it.
    ///
    /// A handler that is registered before ``start()`` also gets the outcomes of jobs that an earlier process of this
    /// distributor (of the same ``DistributorConfiguration/name``) gave to nodes, and that they have kept for it. Handlers
    /// add up; they are called on the distributor's event loop and must not block.
    public func onSuccess(_ name: String, _ handler: @escaping @Sendable (JobResult) -> Void) {
        handle(name, JobFeedback(onSuccess: handler))
    }

    /// Calls `handler` when a job of that name has failed for good; otherwise as ``onSuccess(_:_:)``.
    public func onError(_ name: String, _ handler: @escaping @Sendable (JobFailure) -> Void) {
        handle(name, JobFeedback(onError: handler))
    }

    /// Calls `handler` when a running job of that name says how far it is; otherwise as ``onSuccess(_:_:)``.
    public func onProgress(_ name: String, _ handler: @escaping @Sendable (JobProgress) -> Void) {
        handle(name, JobFeedback(onProgress: handler))
    }

    private func handle(_ name: String, _ feedback: JobFeedback) {
        let core = core
        loop.execute { core.value?.handle(name, feedback) }
    }

    /// The jobs that wait here for a node, by name, in the order of their names. Those that wait on a node for their time
    /// are not among them.
    public func waitingJobs() async throws -> [WaitingJobs] {
        let core = core
        return try await loop.submit { core.value?.waitingJobs() ?? [] }.get()
    }

    public func nodes() async throws -> [NodeInfo] {
        let core = core
        return try await loop.submit { core.value?.nodes() ?? [] }.get()
    }
}
