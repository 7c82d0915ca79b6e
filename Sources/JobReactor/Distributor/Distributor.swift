public import JobReactorCore
package import JobReactorWire
public import NIOCore
private import NIOPosix
public import ServiceLifecycle

/// The distributor of an application: it accepts jobs, hands each to a node, and calls the feedbacks.
///
/// It runs on an event loop group of the application (`on:`), on its own thread, or as the whole program
/// (``runAsProgram()``). It is also a service for swift-service-lifecycle.
///
/// Jobs that no node can take yet wait in memory and are lost when the process ends, unless it has a storage; jobs at a
/// node with a durable storage continue there. Every method may be called from any thread or task. Dropping the last
/// reference stops it without waiting; `stop(grace:)` waits.
public final class Distributor: JobProducer, Service {
    private struct Life {
        var state = ServiceState()
        /// Known while it runs.
        var port: Int?
    }

    public let configuration: DistributorConfiguration
    private let ownGroup: MultiThreadedEventLoopGroup?
    let loop: any EventLoop
    let core: NIOLoopBoundBox<DistributorCore?>
    private let inbox: SubmissionInbox
    let calls: LoopCalls
    private let life = Locked(Life())
    /// Another process has taken the storage over.
    private let losses = AsyncStream.makeStream(of: StorageError.self)

    /// A distributor that only collects jobs until it is started. `group` is the application's event loop group;
    /// without one it runs on its own thread.
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
        let memory = JobMemory(limit: configuration.maxMemory ?? MachineMemory.half)
        let (metrics, tracing) = (MetricsBackend(), JobTracing())
        loop.execute {
            core.value = DistributorCore(configuration, memory: memory, metrics: metrics, tracing: tracing, on: loop)
        }
        let inbox = SubmissionInbox(
            loop: loop, clock: configuration.clock, memory: memory, tracing: tracing
        ) { batch in
            core.value?.submit(batch)
        }
        self.inbox = inbox
        calls = LoopCalls(to: "the distributor", on: loop)
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
        guard life.withLock({ $0.state.stop() }) else { return }
        inbox.close()
        calls.close()
        let (core, inbox, loop, ownGroup) = (core, inbox, loop, ownGroup)
        loop.execute {
            inbox.drain()
            core.value?.drain(grace: 0).flatMap { core.value?.close() ?? loop.makeSucceededVoidFuture() }
                .whenComplete { _ in ownGroup?.shutdownGracefully { _ in } }
        }
    }

    /// Makes and starts a distributor. Throws `WireError` if the port cannot be opened.
    public static func start(
        host: String = "localhost", port: Int, on group: (any EventLoopGroup)? = nil
    ) async throws -> Distributor {
        let distributor = Distributor(DistributorConfiguration(host: host, port: port), on: group)
        try await distributor.start()
        return distributor
    }

    // MARK: Life

    /// Opens the port and serves. Returns when nodes and clients can connect.
    ///
    /// Call this once. If it throws, or its task is cancelled, the distributor is closed as by `stop(grace:)`: make a
    /// new one to try again. Throws `JobError.Code.stopped` if it was stopped before.
    public func start() async throws {
        do throws(ServiceState.Refusal) {
            try life.withLock { life throws(ServiceState.Refusal) in try life.state.start() }
        } catch { throw error.startError(of: "the distributor") }
        let core = core
        do {
            try configuration.validate()
            let port = try await calls.ask { [loop] in core.value?.start() ?? loop.makeSucceededFuture(0) }
            let isStarted = life.withLock { life in
                life.port = port
                return life.state.started()
            }
            guard isStarted else { throw ServiceState.Refusal.stopped.startError(of: "the distributor") }
        } catch {
            if life.withLock({ $0.state.startFailed("\(error)") }) { await end(grace: 0) }
            throw error
        }
    }

    /// The port it listens on; nil before the start and after the stop.
    public var port: Int? { life.withLock { $0.state.phase == .running ? $0.port : nil } }

    /// Starts, serves until a graceful shutdown or the cancellation of the task, and stops. A shutdown also ends a
    /// start that is not complete, for example because the storage is away. Throws `StorageError` with the code `lost`
    /// if another distributor of its name has taken over its storage.
    public func run() async throws { try await run { _ in } }

    private func run(_ tell: @escaping @Sendable (ProgramPhase) async -> Void) async throws {
        try await serve(
            start: {
                try await self.start()
                await tell(.started)
            }, failure: { [losses] in await losses.stream.first { _ in true } },
            stop: {
                await tell(.stopping)
                await self.stop()
            })
    }

    /// Runs as the whole program until SIGINT or SIGTERM, then stops gracefully; a second signal ends the process at
    /// once.
    public func runAsProgram() async throws {
        try await ServiceGroup.runProgram([self], logger: configuration.logger)
    }

    /// As ``runAsProgram()``; calls and awaits `tell` for each phase.
    package func runAsProgram(_ tell: @escaping @Sendable (ProgramPhase) async -> Void) async throws {
        try await ServiceGroup.runProgram(
            [ServingFunction { try await self.run(tell) }], logger: configuration.logger)
    }

    /// Stops gracefully. Accepts no more jobs. Waits at most `grace` seconds (nil: those of the configuration) for
    /// outcomes of jobs at nodes with memory storage, and of jobs that `perform`, a feedback or a `PERFORM` waits for,
    /// if they are due by then and a connected node can run them. Then sends its last messages and closes. Open
    /// feedbacks are dropped. `perform` and all later calls throw `JobError.Code.stopped`. A second stop has no effect.
    public func stop(grace: Double? = nil) async {
        guard life.withLock({ $0.state.stop() }) else { return }
        await end(grace: grace ?? configuration.grace)
    }

    /// As `stop(grace:)`, with a duration, clamped to 0 to 1,000,000,000 seconds.
    public func stop(grace: Duration) async { await stop(grace: grace.inSeconds) }

    private func end(grace: Double) async {
        inbox.close()
        let (core, inbox) = (core, inbox)
        try? await loop.flatSubmit { [loop] in
            inbox.drain()
            return core.value?.drain(grace: grace) ?? loop.makeSucceededVoidFuture()
        }.get()
        calls.close()
        try? await loop.flatSubmit { [loop] in core.value?.close() ?? loop.makeSucceededVoidFuture() }.get()
        try? await ownGroup?.shutdownGracefully()
        life.withLock { $0.state.ended() }
    }

    /// The health of the distributor. Answers at any time in its lifecycle, but not while its event loop is blocked.
    public func health() async -> ServiceHealth {
        let core = core
        return (try? await calls.ask { core.value?.health ?? .starting }) ?? .stopped
    }

    /// Sets the gauges now instead of within a second after a change, because they are about to be read.
    package func setGauges() async {
        let core = core
        _ = try? await calls.ask { core.value?.gauges?.set() }
    }

    /// Carries out a command of a Redis client for a user who is at another port of this program, at the address `peer`: the
    /// roles of that user count, and changes are in the audit log. Returns the reply, which may be an error. Throws
    /// `JobError.Code.stopped` when the distributor does not run.
    package func ask(_ words: [String], as user: User, at peer: String) async throws -> RESPValue {
        let core = core
        return try await calls.ask { [loop] in
            core.value?.ask(words, as: user, at: peer) ?? loop.makeFailedFuture(DistributorCore.stopped)
        }
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

    /// Waits until all jobs that were enqueued before are stored; returns at once without a storage. Jobs that are not
    /// yet stored are lost when the process ends.
    public func flush() async throws {
        let core = core
        try await calls.ask { [loop] in core.value?.flush() ?? loop.makeSucceededVoidFuture() }
    }

    @discardableResult
    public func cancel(_ id: JobID) async throws -> Bool {
        let core = core
        return try await calls.ask { [loop] in core.value?.cancel(id) ?? loop.makeSucceededFuture(false) }
    }

    public func job(_ id: JobID) async throws -> JobInfo? {
        let core = core
        let fields = try await calls.ask { [loop] in
            core.value?.show(id) ?? loop.makeSucceededFuture([String]())
        }
        return JobInfo(fields: fields)
    }

    @discardableResult
    public func handle(_ name: String, _ feedback: JobFeedback) -> HandlerRegistration {
        let core = core
        let registration = HandlerRegistration { [weak self] in self?.forget($0, of: name) }
        let isTold = calls.tell { core.value?.handlers.add(feedback, for: name, registration) }
        if !isTold { feedback.onStop?() }
        return registration
    }

    private func forget(_ registration: HandlerRegistration, of name: String) {
        let core = core
        calls.tell { core.value?.handlers.remove(registration, of: name) }
    }

    /// The jobs that wait here for a node, by name, for the `limit` names with most jobs (from 1), sorted by name. Jobs
    /// that wait on a node for their due time are not included.
    public func waitingJobs(limit: Int = 1000) async throws -> [WaitingJobs] {
        let core = core
        return try await calls.ask { core.value?.waitingJobs(limit: max(1, limit)) ?? [] }.sorted { $0.name < $1.name }
    }

    public func nodes() async throws -> [NodeInfo] {
        let core = core
        return try await calls.ask { core.value?.nodes() ?? [] }
    }
}
