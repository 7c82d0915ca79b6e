import JobReactorCore
import JobReactorRedis
import JobReactorTesting
import JobReactorWire
import NIOCore
import NIOPosix
import Testing

/// One connection for many callers, when it breaks.
@Suite(.timeLimit(.minutes(5))) struct RedisPipelineTests {
    private let loop = MultiThreadedEventLoopGroup.singleton.next()

    private func pipeline(_ port: Int, _ change: (inout RedisPipeline.Options) -> Void = { _ in }) -> RedisPipeline {
        var options = RedisPipeline.Options()
        change(&options)
        return RedisPipeline(
            RedisLocation(address: Address(host: "127.0.0.1", port: port)), options: options,
            on: loop)
    }

    private func words(_ words: [String]) -> RESPWords {
        var all = RESPWords()
        for word in words { all.add(word) }
        return all
    }

    private func call(_ pipeline: RedisPipeline, _ words: String...) async throws -> RESPValue {
        try await start(pipeline, words).get()
    }

    /// On the way when this returns.
    private func start(_ pipeline: RedisPipeline, _ words: [String]) -> EventLoopFuture<RESPValue> {
        let promise = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: RESPValue.self)
        _ = pipeline.call(self.words(words)) { promise.completeWith($0.mapError { $0 as any Error }) }
        return promise.futureResult
    }

    private func code(_ body: () async throws -> RESPValue) async -> RedisPipelineError.Code? {
        await #expect(throws: RedisPipelineError.self) { try await body() }?.code
    }

    @Test(
        "a command that was written when the connection broke may or may not have been carried out; the next is sent anew"
    )
    func broken() async throws {
        let server = try await RedisServer.start()
        let proxy = try await TCPProxy.start(to: server.port)
        let subject = pipeline(proxy.port)
        #expect(try await call(subject, "PING") == .simple("PONG"))
        server.freeze(true)
        let calls = (0..<2).map { _ in start(subject, ["INCR", "n"]) }
        // The loop has written both when it has come to this.
        try await loop.submit {}.get()
        proxy.cut()
        for lost in calls { #expect(await code { try await lost.get() } == .uncertain) }
        server.freeze(false)
        #expect(try await call(subject, "PING") == .simple("PONG"))
        #expect(proxy.connections == 2)
        await proxy.stop()
    }

    @Test("commands that come while there is no connection wait for one")
    func waiting() async throws {
        let server = try await RedisServer.start()
        await server.kill()
        let subject = pipeline(server.port) { $0.patience = 60 }
        async let first = call(subject, "INCR", "n")
        async let second = call(subject, "INCR", "n")
        try await server.restart()
        let (one, two) = try await (first, second)
        #expect(Set([one, two]) == [.integer(1), .integer(2)])
    }

    @Test("a command that is taken back before it is sent is never sent")
    func takenBack() async throws {
        let server = try await RedisServer.start()
        await server.kill()
        let subject = pipeline(server.port) { $0.patience = 60 }
        let isAnswered = Locked(false)
        let cancel = subject.call(words(["INCR", "n"])) { _ in isAnswered.withLock { $0 = true } }
        cancel()
        try await server.restart()
        #expect(try await call(subject, "GET", "n") == .null)
        #expect(isAnswered.withLock { $0 } == false)
    }

    @Test("a server that is silent while answers are due is given up")
    func silent() async throws {
        let server = try await RedisServer.start()
        let subject = pipeline(server.port) { $0.silence = 2 }
        #expect(try await call(subject, "PING") == .simple("PONG"))
        server.freeze(true)
        let error = await #expect(throws: RedisPipelineError.self) { try await call(subject, "PING") }
        #expect(error?.code == .uncertain)
        #expect(error?.message.contains("(no answer in 2 s)") == true, "\(String(describing: error))")
        server.freeze(false)
        #expect(try await call(subject, "PING") == .simple("PONG"))
    }

    @Test("one that does not answer the login in time is as good as none")
    func frozen() async throws {
        let server = try await RedisServer.start()
        server.freeze(true)
        let subject = pipeline(server.port) { $0.patience = 0.3 }
        let error = await #expect(throws: RedisPipelineError.self) { try await call(subject, "PING") }
        #expect(error?.code == .unreachable)
        #expect(error?.message.contains("no answer in 0.3 s") == true, "\(String(describing: error))")
        server.freeze(false)
    }

    @Test("a connection that nobody uses is closed, and opened again for the next command")
    func idle() async throws {
        let server = try await RedisServer.start()
        let proxy = try await TCPProxy.start(to: server.port)
        let subject = pipeline(proxy.port) { $0.idleness = 0.2 }
        #expect(try await call(subject, "PING") == .simple("PONG"))
        let watcher = pipeline(server.port)
        await eventually {
            (try? await call(watcher, "CLIENT", "LIST"))?.text?.split(separator: "\n").count == 1
        }
        #expect(try await call(subject, "PING") == .simple("PONG"))
        #expect(proxy.connections == 2)
        await proxy.stop()
    }

    @Test("an answer over the limit is an error that names it, and those that wait behind it fail with it")
    func tooLarge() async throws {
        let server = try await RedisServer.start()
        let subject = pipeline(server.port) { $0.limits = RESPLimits(frameBytes: 1000) }
        let error = await #expect(throws: RedisPipelineError.self) {
            try await call(subject, "EVAL", "return string.rep('x', 2000)", "0")
        }
        #expect(error?.code == .uncertain)
        #expect(
            error?.message.contains("(the answer is larger than the frame limit of 1000 bytes)") == true,
            "\(String(describing: error))")
        #expect(try await call(subject, "PING") == .simple("PONG"))
    }

    @Test("closing ends what is under way; the next command opens a connection again")
    func closing() async throws {
        let server = try await RedisServer.start()
        let subject = pipeline(server.port)
        #expect(try await call(subject, "PING") == .simple("PONG"))
        server.freeze(true)
        let ended = start(subject, ["PING"])
        subject.close()
        #expect(await code { try await ended.get() } == .closed)
        server.freeze(false)
        #expect(try await call(subject, "PING") == .simple("PONG"))
    }
}
