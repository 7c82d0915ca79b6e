package import JobReactor
public import JobReactorCore
internal import JobReactorLua
internal import JobReactorWire
public import NIOCore
private import NIOPosix
public import ServiceLifecycle

/// A node: it embeds Lua, loads the job scripts, stores and runs jobs, and reports their outcomes.
///
/// It runs on an event loop group of the program (`on:`), on its own thread, or as the whole program
/// (``runAsProgram()``); Lua always has separate threads. Every method may be called from any thread or task. Dropping
/// the last reference stops it without waiting; `stop(grace:)` waits.
public final class Node: Service {
    public let configuration: NodeConfiguration
    private let ownGroup: MultiThreadedEventLoopGroup?
    private let loop: any EventLoop
    private let core: NIOLoopBoundBox<NodeCore?>
    private let calls: LoopCalls
    private let state = Locked(ServiceState())

    /// A node that is not started.
    public init(_ configuration: NodeConfiguration, on group: (any EventLoopGroup)? = nil) {
        self.configuration = configuration
        let ownGroup = group == nil ? MultiThreadedEventLoopGroup(numberOfThreads: 1) : nil
        self.ownGroup = ownGroup
        let loop = group?.next() ?? ownGroup?.next() ?? MultiThreadedEventLoopGroup.singleton.next()
        self.loop = loop
        let core = NIOLoopBoundBox.makeEmptyBox(valueType: NodeCore.self, eventLoop: loop)
        self.core = core
        calls = LoopCalls(to: "the node", on: loop)
        let metrics = MetricsBackend(labels: [("node", configuration.name)])
        let tracing = JobTracing()
        loop.execute { core.value = NodeCore(configuration, metrics: metrics, tracing: tracing, on: loop) }
    }

    deinit {
        guard state.withLock({ $0.stop() }) else { return }
        calls.close()
        let (core, loop, ownGroup) = (core, loop, ownGroup)
        loop.execute {
            core.value?.drain(grace: 0).flatMap { core.value?.close() ?? loop.makeSucceededVoidFuture() }
                .whenComplete { _ in ownGroup?.shutdownGracefully { _ in } }
        }
    }

    /// Makes a node and starts it.
    public static func start(
        _ configuration: NodeConfiguration, on group: (any EventLoopGroup)? = nil
    ) async throws -> Node {
        let node = Node(configuration, on: group)
        try await node.start()
        return node
    }

    /// Loads the scripts, opens the port and begins to connect to the distributors, which it retries for ever. Throws
    /// `ScriptError` if the folder of scripts cannot be read (a broken script is only logged and skipped), and
    /// `WireError` if the port cannot be opened or the configuration is invalid.
    ///
    /// Call this once. If it throws, or its task is cancelled, the node is closed as by `stop(grace:)`: make a new one
    /// to try again. Throws `JobError.Code.stopped` if it was stopped before.
    public func start() async throws {
        do throws(ServiceState.Refusal) {
            try state.withLock { state throws(ServiceState.Refusal) in try state.start() }
        } catch { throw error.startError(of: "the node") }
        let core = core
        do {
            try configuration.validate()
            try await calls.ask { [loop] in core.value?.start() ?? loop.makeSucceededVoidFuture() }
            guard state.withLock({ $0.started() }) else {
                throw ServiceState.Refusal.stopped.startError(of: "the node")
            }
        } catch {
            if state.withLock({ $0.startFailed("\(error)") }) { await end(grace: 0) }
            throw error
        }
    }

    /// The report of the last load of the scripts; nil before the start.
    public func scripts() async throws -> ScriptReport? {
        let core = core
        return try await calls.ask { core.value?.scripts }
    }

    /// Loads the scripts again, beside those in use: new runs use them, earlier runs end in their own generation.
    /// Returns one line about the result, for people. Throws `ScriptError` if the folder cannot be read; then the
    /// current scripts stay in use.
    @discardableResult
    public func reload() async throws -> String {
        let core = core
        return try await calls.ask { [loop] in core.value?.reload() ?? loop.makeSucceededFuture("") }
    }

    /// The health of the node. Answers at any time in its lifecycle, but not while its event loop is blocked.
    public func health() async -> ServiceHealth {
        let core = core
        return (try? await calls.ask { core.value?.health ?? .starting }) ?? .stopped
    }

    /// Sets the gauges now instead of within a second after a change, because they are about to be read.
    package func setGauges() async {
        let core = core
        _ = try? await calls.ask { core.value?.gauges?.set() }
    }

    /// The port on which it listens; nil if it does not listen.
    public func port() async throws -> Int? {
        let core = core
        return try await calls.ask { core.value?.port }
    }

    /// Waits until the node is linked to a distributor; returns at once if it is. Throws if the node is stopped first,
    /// or the task is cancelled.
    package func linked() async throws {
        let core = core
        try await calls.ask { [loop] in core.value?.whenLinked() ?? loop.makeSucceededVoidFuture() }
    }

    /// Starts, serves until a graceful shutdown or the cancellation of the task, and stops. A shutdown also ends a
    /// start that is not complete, for example because the storage is away.
    public func run() async throws { try await run { _ in } }

    private func run(_ tell: @escaping @Sendable (ProgramPhase) async -> Void) async throws {
        try await serve(
            start: {
                try await self.start()
                await tell(.started)
            },
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

    /// Stops gracefully. Takes no more jobs, returns jobs that have not begun, waits at most `grace` seconds (nil:
    /// those of the configuration) for running jobs and the arrival of their reports, and closes. All later calls throw
    /// `JobError.Code.stopped`. A second stop has no effect.
    public func stop(grace: Double? = nil) async {
        guard state.withLock({ $0.stop() }) else { return }
        await end(grace: grace ?? configuration.grace)
    }

    /// As `stop(grace:)`, with a duration, clamped to 0 to 1,000,000,000 seconds.
    public func stop(grace: Duration) async { await stop(grace: grace.inSeconds) }

    private func end(grace: Double) async {
        let core = core
        try? await loop.flatSubmit { [loop] in
            core.value?.drain(grace: grace) ?? loop.makeSucceededVoidFuture()
        }.get()
        calls.close()
        try? await loop.flatSubmit { [loop] in core.value?.close() ?? loop.makeSucceededVoidFuture() }.get()
        try? await ownGroup?.shutdownGracefully()
        state.withLock { $0.ended() }
    }
}
