package import JobReactor
public import JobReactorCore
internal import JobReactorLua
internal import JobReactorWire
public import NIOCore
private import NIOPosix
public import ServiceLifecycle

/// A process, or a part of one, that embeds Lua: loads the job scripts, keeps jobs, runs them and reports outcomes.
///
/// It runs in one of three ways: on an event loop group that the program has (`on:`), on a thread of its own, or as the
/// whole program (``runAsProgram()``); Lua has a thread of its own in each. Every method may be called from any thread or
/// task. Dropping the last reference stops it without waiting; `stop(grace:)` waits.
public final class Node: Service {
    public let configuration: NodeConfiguration
    private let ownGroup: MultiThreadedEventLoopGroup?
    private let loop: any EventLoop
    private let core: NIOLoopBoundBox<NodeCore?>
    private let calls: LoopCalls
    private let state = Locked(ServiceState())

    /// A node that does nothing until it is started.
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

    /// Loads the scripts, opens the port and begins to connect to the distributors; distributors that are away are tried
    /// again for ever. Throws `ScriptError` when the folder of scripts cannot be read (a script that cannot be loaded
    /// is logged and left out) and `WireError` when the port cannot be opened or the configuration is not sound.
    ///
    /// A node is started once. When this throws, or its task is cancelled meanwhile, the node is closed as by
    /// `stop(grace:)`: make another to try again. Throws `JobError.Code.stopped` when it was stopped before.
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

    /// What loading the scripts came to; nil before the start.
    public func scripts() async throws -> ScriptReport? {
        let core = core
        return try await calls.ask { core.value?.scripts }
    }

    /// Loads the scripts anew beside those in use: runs that begin from then on use them, others end where they began. Returns
    /// a line that says what came of it, for people. Throws `ScriptError` when the folder cannot be read; then those in use
    /// stay.
    @discardableResult
    public func reload() async throws -> String {
        let core = core
        return try await calls.ask { [loop] in core.value?.reload() ?? loop.makeSucceededFuture("") }
    }

    /// Whether it is to be counted on. Answers at any time in its life; when its event loop is held up, not before that is over.
    public func health() async -> ServiceHealth {
        let core = core
        return (try? await calls.ask { core.value?.health ?? .starting }) ?? .stopped
    }

    /// Gauges are set now, and not only within a second of a change: somebody is about to read them.
    package func setGauges() async {
        let core = core
        _ = try? await calls.ask { core.value?.gauges?.set() }
    }

    /// The port it listens on; nil when it does not.
    public func port() async throws -> Int? {
        let core = core
        return try await calls.ask { core.value?.port }
    }

    /// Returns when it is linked to a distributor, at once when it is. Throws when it is stopped before, or its task cancelled.
    package func linked() async throws {
        let core = core
        try await calls.ask { [loop] in core.value?.whenLinked() ?? loop.makeSucceededVoidFuture() }
    }

    /// Starts, serves until a graceful shutdown or the cancellation of the task, and stops. A shutdown ends a start that
    /// is still under way, for instance because its storage is away.
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

    /// The whole program: runs until SIGINT or SIGTERM, then stops gracefully; a second signal ends at once.
    public func runAsProgram() async throws {
        try await ServiceGroup.runProgram([self], logger: configuration.logger)
    }

    /// As ``runAsProgram()``; `tell` hears how far it is, and is waited for.
    package func runAsProgram(_ tell: @escaping @Sendable (ProgramPhase) async -> Void) async throws {
        try await ServiceGroup.runProgram(
            [ServingFunction { try await self.run(tell) }], logger: configuration.logger)
    }

    /// Stops gracefully: takes no more jobs, hands back those not begun, waits at most `grace` seconds (the
    /// configuration's when nil) for those that run and for their reports to arrive, and closes. Every other call throws
    /// `JobError.Code.stopped` from then on. Stopping twice is fine.
    public func stop(grace: Double? = nil) async {
        guard state.withLock({ $0.stop() }) else { return }
        await end(grace: grace ?? configuration.grace)
    }

    /// As `stop(grace:)`, with a duration: negative it is none, and beyond 1,000,000,000 seconds it is that.
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
