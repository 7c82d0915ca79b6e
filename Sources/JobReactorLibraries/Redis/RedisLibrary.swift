internal import JobReactorCore
public import JobReactorLua
internal import JobReactorRedis
public import JobReactorWire
public import NIOCore
internal import NIOPosix

/// `redis`: commands to Redis servers. All jobs of the process share one connection for each URL, over which many commands
/// are under way at once.
public final class RedisLibrary: ScriptLibrary {
    public let name = "redis"
    public var source: String { EmbeddedSource.redis }

    private let group: any EventLoopGroup
    private let tls: TransportSecurity?
    private let options: RedisPipeline.Options
    private let pipelines = Locked(Pipelines())

    /// Pipelines by the numbers that scripts know them by: a handle holds no password.
    private struct Pipelines {
        var numbers: [RedisLocation: Int] = [:]
        var all: [RedisPipeline] = []
    }

    /// `tls` is for `rediss://`; nil trusts the system's authorities.
    public convenience init(on group: (any EventLoopGroup)? = nil, tls: TransportSecurity? = nil) {
        self.init(on: group, tls: tls, options: RedisPipeline.Options())
    }

    init(on group: (any EventLoopGroup)? = nil, tls: TransportSecurity? = nil, options: RedisPipeline.Options) {
        self.group = group ?? MultiThreadedEventLoopGroup.singleton
        self.tls = tls
        self.options = options
    }

    /// Closes all connections. A command that comes later opens one again.
    public func shutdown() {
        for pipeline in pipelines.withLock({ $0.all }) { pipeline.close() }
    }

    public var functions: [ScriptFunction] {
        [
            .immediate("connect") { _, values throws(ScriptFailure) in
                let url = try ScriptArguments(values, of: "redis.connect").text(0)
                let location = try Self.location(url)
                return [.integer(Int64(self.number(of: location))), .string("\(location)")]
            },
            .suspending("call") { _, values, done throws(ScriptFailure) in
                let arguments = ScriptArguments(values, of: "connection:call")
                guard let pipeline = self.pipeline(try arguments.int(0)) else {
                    throw ScriptFailure("redis: this connection is none: make one with redis.connect")
                }
                let strings = try arguments.byteStrings(from: 1)
                try RefusedCommand.check(strings)
                var words = RESPWords()
                for string in strings { words.add(string) }
                return pipeline.call(words) { result in done(Self.values(of: result)) }
            },
        ]
    }

    private static func location(_ url: String) throws(ScriptFailure) -> RedisLocation {
        guard let location = RedisLocation(url) else {
            throw ScriptFailure(
                "redis.connect: this is no URL of a Redis server: write redis://user:password@host:6379/0, or rediss:// for"
                    + " TLS, with reserved characters percent-encoded")
        }
        guard location.prefix == RedisLocation().prefix else {
            throw ScriptFailure("redis.connect: the URL must not have a ?prefix: put it before your keys yourself")
        }
        return location
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
