internal import AsyncHTTPClient
internal import JobReactorCore
public import JobReactorLua
internal import JobReactorWire
public import NIOCore
internal import NIOHTTPCompression
internal import NIOPosix

/// `http`: requests to web servers, over HTTP/1.1 or HTTP/2, with or without TLS. All jobs of the process share the
/// connections that are kept open between requests.
public final class HTTPLibrary: ScriptLibrary {
    /// How many times larger than what was sent a decompressed body may be.
    static let largestRatio = 200

    public let name = "http"
    public var source: String { EmbeddedSource.http }

    private enum State {
        case unused
        case open(HTTPClient)
        case closed
    }

    private let group: any EventLoopGroup
    private let state = Locked(State.unused)
    private let turns: TurnsByKey

    /// Requests to one server at once, each with a connection of its own where that speaks HTTP/1.1; further ones wait for
    /// their turn, within their timeout.
    public static let usualConnections = 100

    /// `connections`: as ``limit(connections:)``.
    public init(on group: (any EventLoopGroup)? = nil, connections: Int = HTTPLibrary.usualConnections) {
        self.group = group ?? MultiThreadedEventLoopGroup.singleton
        turns = TurnsByKey(connections)
    }

    /// From now on so many requests to one server at once, from 1. From any thread.
    public func limit(connections: Int) { turns.limit(to: connections) }

    deinit {
        // The client insists on being shut down.
        if case .open(let client) = state.withLock({ $0 }) { client.shutdown { _ in } }
    }

    /// Closes all connections, and is through when they are closed. Requests under way end with an error, as do those
    /// that come later.
    public func shutdown() async {
        let client = state.withLock { state in
            defer { state = .closed }
            return if case .open(let client) = state { client } else { nil as HTTPClient? }
        }
        try? await client?.shutdown()
    }

    public var functions: [ScriptFunction] {
        [
            .suspending("request") { call, values, done throws(ScriptFailure) in
                var plan = try HTTPRequestPlan(values)
                if let trace = call.trace { plan.add(trace) }
                guard plan.file == nil || !call.isSandboxed else {
                    throw ScriptFailure("http: the scripts of this node run in a sandbox: they may write no files")
                }
                return HTTPExchange.start(plan, over: try self.client(), self.turns, done: done)
            }
        ]
    }

    private func client() throws(ScriptFailure) -> HTTPClient {
        try state.withLock { (state) throws(ScriptFailure) in
            switch state {
            case .open(let client): return client
            case .closed: throw ScriptFailure("http: no requests any more: this process is stopping")
            case .unused:
                let client = HTTPClient(eventLoopGroup: group, configuration: Self.configuration)
                state = .open(client)
                return client
            }
        }
    }

    private static var configuration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow, timeout: .init(connect: .seconds(10)),
            decompression: .enabled(limit: .ratio(largestRatio)))
        // The span is that of the run, which a thread of Lua does not know.
        configuration.tracing.tracer = nil
        // A server that refuses is told of at once; whether to try again is for the job to say.
        configuration.connectionPool.retryConnectionEstablishment = false
        // Who waits, waits for a turn here: the pool would end that after the time for a connection.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 10_000
        // Of the hooks that the client has, these see each connection before its first request.
        configuration.http1_1ConnectionDebugInitializer = { channel in
            channel.eventLoop.submit {
                try Transport.closeOnExec(channel)
                try AnswerGuard.watch(channel)
            }
        }
        configuration.http2ConnectionDebugInitializer = { channel in
            channel.eventLoop.submit { try Transport.closeOnExec(channel) }
        }
        return configuration
    }
}
