internal import AsyncHTTPClient
internal import JobReactorCore
public import JobReactorLua
internal import JobReactorWire
public import NIOCore
internal import NIOHTTPCompression
internal import NIOPosix

/// The library `http`: requests to web servers over HTTP/1.1, with or without TLS. All jobs of the process share the
/// connections, which are kept open between requests.
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
    private let wait: Locked<Double>
    private let hosts: AllowedHosts
    private let certificates = CertificateFiles()
    private let authority: String?

    /// The default number of requests to one server at once, each with its own connection; further ones wait for their
    /// turn.
    public static let usualConnections = 100
    /// The default number of seconds that a request waits for its turn, before its timeout begins.
    public static let usualWait = 60.0

    /// `connections` and `wait`: as ``limit(connections:wait:)``. `hosts`: as ``allow(_:)``.
    public convenience init(
        on group: (any EventLoopGroup)? = nil, connections: Int = HTTPLibrary.usualConnections,
        wait: Double = HTTPLibrary.usualWait, hosts: [HostRule] = []
    ) {
        self.init(
            on: group, connections: connections, wait: wait, hosts: hosts, authority: CertificateFiles.ofEnvironment)
    }

    /// `authority`: a file of certificates in PEM to trust in place of the system's.
    init(
        on group: (any EventLoopGroup)? = nil, connections: Int = HTTPLibrary.usualConnections,
        wait: Double = HTTPLibrary.usualWait, hosts: [HostRule] = [], authority: String?
    ) {
        self.group = group ?? MultiThreadedEventLoopGroup.singleton
        turns = TurnsByKey(connections)
        self.wait = Locked(wait)
        self.hosts = AllowedHosts(hosts)
        self.authority = authority
        TimedWork.ready
    }

    /// Sets the number of requests to one server at once, from 1, and the seconds after which a waiting request fails.
    /// From any thread.
    public func limit(connections: Int, wait: Double) {
        turns.limit(to: connections)
        self.wait.withLock { $0 = wait }
    }

    /// Restricts requests and redirects to these hosts; an empty list allows all. From any thread.
    public func allow(_ hosts: [HostRule]) { self.hosts.set(hosts) }

    deinit {
        // The client insists on being shut down.
        if case .open(let client) = state.withLock({ $0 }) { client.shutdown { _ in } }
    }

    /// Closes all connections and waits for it. Current and later requests end with an error.
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
                for (path, verb) in [(plan.file, "write"), (plan.authority, "read")]
                where path != nil && call.isSandboxed {
                    throw ScriptFailure("http: the scripts of this node run in a sandbox: they may \(verb) no files")
                }
                if let address = plan.hop.address {
                    try self.hosts.check(address.server, port: address.port, for: "http: a request")
                }
                return HTTPExchange.start(plan, in: try self.environment(), done: done)
            }
        ]
    }

    /// Asks for a URL without its body (HEAD), in at most 30 seconds; redirects are followed. Throws what failed, also
    /// where the status says so.
    func head(_ url: String) async throws {
        let plan = try HTTPRequestPlan([.string("HEAD"), .string(url)])
        if let address = plan.hop.address {
            try hosts.check(address.server, port: address.port, for: "http: a request")
        }
        let environment = try self.environment()
        let values = try await withCheckedThrowingContinuation { continuation in
            _ = HTTPExchange.start(plan, in: environment) {
                continuation.resume(with: $0.mapError { $0 as any Error })
            }
        }
        guard let status = values.first?.int, (200..<400).contains(status) else {
            throw ScriptFailure("http: \(plan.hop.host) answers with the status \(values.first?.int ?? 0)")
        }
    }

    private func environment() throws(ScriptFailure) -> HTTPExchange.Environment {
        HTTPExchange.Environment(
            client: try client(), turns: turns, wait: wait.withLock { $0 }, hosts: hosts, certificates: certificates,
            authority: authority)
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
        // With HTTP/2 a server could end the process: a status below 0 is one of many that the libraries take for granted not to
        // come.
        configuration.httpVersion = .http1Only
        // A server that refuses is told of at once; whether to try again is for the job to say.
        configuration.connectionPool.retryConnectionEstablishment = false
        // Who waits, waits for a turn here: the pool would end that after the time for a connection.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 10_000
        // Of the hooks that the client has, this one sees each connection before its first request. At once: a connection that is
        // lost meanwhile would stay in the pool for ever.
        configuration.http1_1ConnectionDebugInitializer = { channel in
            channel.eventLoop.makeCompletedFuture {
                try Transport.closeOnExec(channel)
                try AnswerGuard.watch(channel)
            }
        }
        return configuration
    }
}
