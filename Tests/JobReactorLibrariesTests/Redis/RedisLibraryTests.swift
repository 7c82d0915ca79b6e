import JobReactorLua
import JobReactorRedis
import JobReactorTesting
import JobReactorWire
import Testing

@testable import JobReactorLibraries

@Suite(.timeLimit(.minutes(5))) struct RedisLibraryTests {
    /// A handle as the Lua text has it.
    private struct Handle {
        let caller: Caller
        let number: ScriptValue

        init(_ url: String, _ library: RedisLibrary = RedisLibrary()) async throws {
            caller = Caller(library: library)
            number = try await caller.call("connect", .string(url))[0]
        }

        func call(_ words: String...) async throws -> [ScriptValue] {
            try await caller.call("call", [number] + words.map { .string($0) })
        }

        func start(_ words: String...) throws -> (result: Task<[ScriptValue], any Error>, cancel: () -> Void) {
            try caller.start("call", [number] + words.map { .string($0) })
        }
    }

    @Test("answers of every kind are values")
    func values() async throws {
        let server = try await RedisServer.start()
        let redis = try await Handle(server.url)
        #expect(try await redis.call("SET", "k", "ä\0") == [.string("OK")])
        #expect(try await redis.call("GET", "k") == [.string("ä\0")])
        #expect(try await redis.call("GET", "none") == [.nil])
        #expect(try await redis.call("INCRBY", "n", "-5") == [.integer(-5)])
        // A list comes as one string: three values, of which the last is a list of an integer and an error.
        let nested = try await redis.call("EVAL", "return {'a', false, {7, redis.error_reply('ERR x')}}", "0")
        let packed: [UInt8] =
            [97, 3, 0, 0, 0] + [115, 1, 0, 0, 0, 97] + [110] + [97, 2, 0, 0, 0] + [105, 7, 0, 0, 0, 0, 0, 0, 0]
            + [101, 5, 0, 0, 0] + Array("ERR x".utf8)
        #expect(nested == [.string(packed), .bool(true)])
        withExtendedLifetime(server) {}
    }

    @Test("an error of Redis is raised with its words, and the connection goes on")
    func errors() async throws {
        let server = try await RedisServer.start()
        let redis = try await Handle(server.url)
        _ = try await redis.call("SET", "k", "text")
        #expect(
            await failure { try await redis.call("LPUSH", "k", "x") }
                == "redis: WRONGTYPE Operation against a key holding the wrong kind of value")
        #expect(try await redis.call("GET", "k") == [.string("text")])
        withExtendedLifetime(server) {}
    }

    @Test("one connection serves all handles of a URL, and answers find who asked")
    func shared() async throws {
        let server = try await RedisServer.start()
        let library = RedisLibrary()
        let handles = [try await Handle(server.url, library), try await Handle(server.url + "/0", library)]
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<500 {
                group.addTask { try await handles[number % 2].call("ECHO", "\(number)") == [.string("\(number)")] }
            }
            for try await isRight in group { #expect(isRight) }
        }
        let clients = try await handles[0].call("CLIENT", "LIST")[0].text ?? ""
        #expect(clients.split(separator: "\n").count == 1, "\(clients)")
        withExtendedLifetime(server) {}
    }

    @Test("user, password and database of the URL are used, and shown without the password")
    func login() async throws {
        let server = try await RedisServer.start(["--user", "ada", "on", ">se@cret", "~*", "+@all"])
        let library = RedisLibrary()
        let url = "redis://ada:se%40cret@127.0.0.1:\(server.port)/3"
        let shown = try await Caller(library: library).call("connect", .string(url))[1]
        #expect(shown == .string("redis://ada:***@127.0.0.1:\(server.port)/3"))
        let redis = try await Handle(url, library)
        #expect(try await redis.call("ACL", "WHOAMI") == [.string("ada")])
        #expect(try await redis.call("CLIENT", "INFO")[0].text?.contains("db=3 ") == true)
        let stranger = try await Handle("redis://ada:guess@127.0.0.1:\(server.port)", library)
        let message = await failure { try await stranger.call("PING") }
        #expect(
            message == "redis: redis://ada:***@127.0.0.1:\(server.port)/0 refuses the login: WRONGPASS invalid"
                + " username-password pair or user is disabled.: check user, password and database of the URL")
    }

    @Test("rediss:// is TLS: a server with a certificate that is trusted serves, one without does not")
    func overTLS() async throws {
        let certificate = try Certificate()
        let port = try RedisServer.freePort()
        let server = try await RedisServer.start([
            "--tls-port", "\(port)", "--tls-cert-file", certificate.certificate, "--tls-key-file", certificate.key,
            "--tls-auth-clients", "no",
        ])
        let url = "rediss://localhost:\(port)"
        let tls = try TransportSecurity(TransportSecurity.Files(authority: certificate.certificate))
        #expect(try await Handle(url, RedisLibrary(tls: tls)).call("PING") == [.string("PONG")])
        var options = RedisPipeline.Options()
        options.patience = 3
        let stranger = try await Handle(url, RedisLibrary(options: options))
        let message = await failure { try await stranger.call("PING") }
        #expect(message.hasPrefix("redis: cannot connect to \(url)/0: the TLS handshake failed: "), "\(message)")
        withExtendedLifetime(server) {}
    }

    @Test(
        "what is no URL of Redis is an error that does not show it",
        arguments: [
            "", "redis://", "http://host", "redis://host/x", "redis://host?prefix=a:", "redis://:secret@host:x",
            "redis://host:0", "redis://host:65536", "redis://host:99999999999999999999", "redis://:secret@a%00b/0",
            "redis://a b", "redis://[::1", "redis://host/-1", "redis://host/99999999999999999999",
        ])
    func noURL(_ url: String) async {
        let message = await failure { try await Caller(library: RedisLibrary()).call("connect", .string(url)) }
        #expect(message.hasPrefix("redis.connect: "), "\(message)")
        #expect(!message.contains("secret"), "\(message)")
    }

    @Test("a handle is had on a server that is allowed, and on no other")
    func allowed() async throws {
        let rules = try [#require(HostRule("127.0.0.1:1")), #require(HostRule("*.example.org"))]
        let caller = Caller(library: RedisLibrary(hosts: rules))
        for url in ["redis://127.0.0.1:1", "redis://:secret@a.Example.org:7/3"] {
            _ = try await caller.call("connect", .string(url))
        }
        for (url, server) in [
            ("redis://127.0.0.1", "127.0.0.1:6379"), ("redis://:secret@localhost:1", "localhost:1"),
            ("rediss://[::1]:1", "[::1]:1"),
        ] {
            #expect(
                await failure { try await caller.call("connect", .string(url)) }
                    == "redis.connect: a connection must not go to \(server): it is not one of the hosts that"
                    + " ScriptLibraries.allow names"
            )
        }
    }

    @Test("where no server is, a call waits as long as it may and then says what to check")
    func unreachable() async throws {
        var options = RedisPipeline.Options()
        options.patience = 1.5
        let port = try RedisServer.freePort()
        let redis = try await Handle("redis://127.0.0.1:\(port)", RedisLibrary(options: options))
        for _ in 0..<2 {
            #expect(
                await failure { try await redis.call("PING") }
                    == "redis: cannot connect to redis://127.0.0.1:\(port)/0: connection refused: check that a Redis"
                    + " server runs there and that the URL is right")
        }
    }

    @Test(
        "commands that would take the connection from other jobs are refused with the reason",
        arguments: [
            (["BLPOP", "k", "0"], "it would block every other job on this connection"),
            (["xread", "block", "0", "STREAMS", "s", "$"], "it would block every other job on this connection"),
            (["Subscribe", "c"], "it would turn the shared connection into a stream of messages"),
            (["MULTI"], "commands of other jobs would come between: write an EVAL script"),
            (["SELECT", "1"], "it would change the connection of every other job: say it in the URL"),
            (["client", "reply", "OFF"], "it would change the connection of every other job"),
        ])
    func refused(_ words: [String], _ reason: String) async throws {
        let caller = Caller(library: RedisLibrary())
        let number = try await caller.call("connect", .string("redis://127.0.0.1:1"))[0]
        let message = await failure { try await caller.call("call", [number] + words.map { .string($0) }) }
        #expect(
            message.hasPrefix("redis: \(words[0].uppercased()) cannot be called from a job: \(reason)"), "\(message)")
    }

    @Test("reading a stream without blocking is no blocking command")
    func reading() async throws {
        let server = try await RedisServer.start()
        let redis = try await Handle(server.url)
        #expect(try await redis.call("XREAD", "COUNT", "1", "STREAMS", "s", "0") == [.nil])
        withExtendedLifetime(server) {}
    }
}
