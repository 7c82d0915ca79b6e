internal import JobReactor
internal import JobReactorLua
internal import JobReactorWire
public import NIOCore
private import NIOPosix
public import ServiceLifecycle

/// A process, or a part of one, that embeds Lua: loads the job scripts, keeps jobs, runs them and reports outcomes.
///
/// It runs in one of three ways: on an event loop group that the program has (`on:`), on a thread of its own, or as the
/// whole program (``runAsProgram()``); Lua has a thread of its own in each. Every method may be called from any thread or
/// task. Dropping the last reference stops it without waiting; ``stop(grace:)`` waits.
public final class Node: Service {
    private enum State {
        case idle
        case starting
        case running
        case stopping
        case stopped
    }

    public let configuration: NodeConfiguration
    private let ownGroup: MultiThreadedEventLoopGroup?
    private let loop: any EventLoop
    private let core: NIOLoopBoundBox<NodeCore?>
    private let state = Locked<State>(.idle)

    /// A node that does nothing until it is started.
    public init(_ configuration: NodeConfiguration, on group: (any EventLoopGroup)? = nil) {
        self.configuration = configuration
        let ownGroup = group == nil ? MultiThreadedEventLoopGroup(numberOfThreads: 1) : nil
        self.ownGroup = ownGroup
        let loop = group?.next() ?? ownGroup?.next() ?? MultiThreadedEventLoopGroup.singleton.next()
        self.loop = loop
        let core = NIOLoopBoundBox.makeEmptyBox(valueType: NodeCore.self, eventLoop: loop)
        self.core = core
        loop.execute { core.value = NodeCore(configuration, on: loop) }
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

    /// Makes a node and starts it.
    public static func start(
        _ configuration: NodeConfiguration, on group: (any EventLoopGroup)? = nil
    ) async throws -> Node {
        let node = Node(configuration, on: group)
        do { try await node.start() } catch {
            await node.stop()
            throw error
        }
        return node
    }

    /// Loads the scripts, opens the port and begins to connect to the distributors; distributors that are away are tried
    /// again for ever. Throws ``ScriptError`` when the folder of scripts cannot be read (a script that cannot be loaded
    /// is logged and left out) and ``WireError`` when the port cannot be opened or the configuration is not sound.
    public func start() async throws {
        try configuration.validate()
        let isFirst = state.withLock { state in
            guard case .idle = state else { return false }
            state = .starting
            return true
        }
        guard isFirst else { throw WireError(.configuration, "a node is started once: make another") }
        let core = core
        do {
            try await loop.flatSubmit { [loop] in
                core.value?.start() ?? loop.makeFailedFuture(WireError(.configuration, "the node was stopped"))
            }.get()
        } catch {
            state.withLock { $0 = .idle }
            throw error
        }
        state.withLock { if case .starting = $0 { $0 = .running } }
    }

    /// What loading the scripts came to; nil before the start.
    public func scripts() async throws -> ScriptReport? {
        let core = core
        return try await loop.submit { core.value?.scripts }.get()
    }

    /// Loads the scripts anew beside those in use: runs that begin from then on use them, others end where they began. Returns
    /// a line that says what came of it, for people. Throws ``ScriptError`` when the folder cannot be read; then those in use
    /// stay.
    @discardableResult
    public func reload() async throws -> String {
        let core = core
        return try await loop.flatSubmit { [loop] in
            core.value?.reload() ?? loop.makeFailedFuture(WireError(.configuration, "the node was stopped"))
        }.get()
    }

    /// The port it listens on; nil when it does not.
    public func port() async throws -> Int? {
        let core = core
        return try await loop.submit { core.value?.port }.get()
    }

    /// Starts, serves until a graceful shutdown or the cancellation of the task, and stops.
    public func run() async throws {
        do {
            try await start()
        } catch {
            await stop()
            throw error
        }
        // Ends by returning on a graceful shutdown and by throwing on cancellation: both mean the same here.
        try? await gracefulShutdown()
        await stop()
    }

    /// The whole program: runs until SIGINT or SIGTERM, then stops gracefully; a second signal ends at once.
    public func runAsProgram() async throws {
        try await ServiceGroup.runProgram([self], logger: configuration.logger)
    }

    /// Stops gracefully: takes no more jobs, hands back those not begun, waits at most `grace` seconds (the
    /// configuration's when nil) for those that run and for their reports to arrive, and closes. Stopping twice is fine.
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
        let core = core
        let seconds = grace ?? configuration.grace
        try? await loop.flatSubmit { [loop] in
            core.value?.stop(grace: seconds) ?? loop.makeSucceededVoidFuture()
        }.get()
        state.withLock { $0 = .stopped }
        try? await ownGroup?.shutdownGracefully()
    }
}
