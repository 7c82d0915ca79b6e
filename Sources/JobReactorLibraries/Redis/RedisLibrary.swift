internal import JobReactorCore
public import JobReactorLua
internal import JobReactorRedis
public import JobReactorWire
public import NIOCore
internal import NIOPosix

/// The library `redis`: commands to Redis servers. All jobs of the process share one pipelined connection for each URL.
public final class RedisLibrary: ScriptLibrary {
    public let name = "redis"
    public var source: String { EmbeddedSource.redis }

    private let group: any EventLoopGroup
    private let tls: TransportSecurity?
    private let options: RedisPipeline.Options
    private let hosts: AllowedHosts
    private let pipelines = Locked(Pipelines())

    /// Pipelines by the numbers that scripts know them by: a handle holds no password.
    private struct Pipelines {
        var numbers: [RedisLocation: Int] = [:]
        var all: [RedisPipeline] = []
    }

    /// Bytes of a command, at most: as much as Redis takes in one word.
    static let largestCommand = 512 << 20

    /// `tls` is for `rediss://`; nil trusts the system's authorities. `hosts`: as ``allow(_:)``.
    public convenience init(
        on group: (any EventLoopGroup)? = nil, tls: TransportSecurity? = nil, hosts: [HostRule] = []
    ) {
        self.init(on: group, tls: tls, hosts: hosts, options: RedisPipeline.Options())
    }

    init(
        on group: (any EventLoopGroup)? = nil, tls: TransportSecurity? = nil, hosts: [HostRule] = [],
        options: RedisPipeline.Options
    ) {
        self.group = group ?? MultiThreadedEventLoopGroup.singleton
        self.tls = tls
        self.hosts = AllowedHosts(hosts)
        self.options = options
    }

    /// Restricts new handles to these hosts; an empty list allows all. From any thread.
    public func allow(_ hosts: [HostRule]) { self.hosts.set(hosts) }

    /// Closes all connections. A later command opens a new one.
    public func shutdown() {
        for pipeline in pipelines.withLock({ $0.all }) { pipeline.close() }
    }

    public var functions: [ScriptFunction] {
        [
            .immediate("connect") { _, values throws(ScriptFailure) in
                let url = try ScriptArguments(values, of: "redis.connect").name(0, "redis.connect: the URL")
                let location = try self.location(url)
                return [.integer(Int64(self.number(of: location))), .string("\(location)")]
            },
            .suspending("call") { _, values, done throws(ScriptFailure) in
                let arguments = ScriptArguments(values, of: "connection:call")
                guard let pipeline = self.pipeline(try arguments.int(0)) else {
                    throw ScriptFailure("redis: this connection is none: make one with redis.connect")
                }
                let strings = try arguments.byteStrings(from: 1)
                guard !strings.isEmpty, strings.reduce(0, { $0 + $1.count }) <= Self.largestCommand else {
                    throw ScriptFailure("redis: a command has a word or more, and at most \(Self.largestCommand) bytes")
                }
                try RefusedCommand.check(strings)
                var words = RESPWords()
                for string in strings { words.add(string) }
                return pipeline.call(words) { result in done(Self.values(of: result)) }
            },
        ]
    }

    private func location(_ url: String) throws(ScriptFailure) -> RedisLocation {
        // Looked at as it is written, too: a port that no number is would be the usual one.
        guard let location = RedisLocation(url), let server = Self.server(url) else {
            throw ScriptFailure(
                "redis.connect: this is no URL of a Redis server: write redis://user:password@host:6379/0, or rediss:// for"
                    + " TLS, with reserved characters percent-encoded")
        }
        guard location.prefix == RedisLocation().prefix else {
            throw ScriptFailure("redis.connect: the URL must not have a ?prefix: put it before your keys yourself")
        }
        try hosts.check(server, port: location.address.port, for: "redis.connect: a connection")
        return location
    }

    /// Nil for one that no server can have.
    private static func server(_ url: String) -> ServerName? {
        guard let start = url.utf8.firstRange(of: "://".utf8)?.upperBound else { return nil }
        let authority = url.utf8[start...].prefix { !"/?#".utf8.contains($0) }
        let at = authority.lastIndex(of: UInt8(ascii: "@"))
        return try? ServerName(authority[(at.map { authority.index(after: $0) } ?? authority.startIndex)...])
    }

    private func number(of location: RedisLocation) -> Int {
        pipelines.withLock { pipelines in
            if let number = pipelines.numbers[location] { return number }
            pipelines.all.append(RedisPipeline(location, options: options, tls: tls, on: group.next()))
            pipelines.numbers[location] = pipelines.all.count - 1
            return pipelines.all.count - 1
        }
    }

    private func pipeline(_ number: Int) -> RedisPipeline? {
        pipelines.withLock { $0.all.indices.contains(number) ? $0.all[number] : nil }
    }

    private static func values(
        of result: Result<RESPValue, RedisPipelineError>
    ) -> Result<[ScriptValue], ScriptFailure> {
        switch result {
        case .success(let reply):
            do throws(ScriptFailure) { return .success(try RedisReply.values(reply)) } catch { return .failure(error) }
        case .failure(let error): return .failure(ScriptFailure("redis: \(error)"))
        }
    }
}
