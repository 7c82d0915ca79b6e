import Foundation
import JobReactorCore
import JobReactorLibraries
import JobReactorLua
import JobReactorTesting
import Logging
import NIOHTTP1
import Testing

/// The libraries as jobs call them: through their Lua, from a lane.
@Suite("Libraries, from jobs", .timeLimit(.minutes(5))) struct LibrariesInJobsTests {
    /// Runs the body of a job. Returns its args, or throws what it raised.
    private func run(
        _ body: String, _ args: JobArguments = [:], isSandboxed: Bool = false, trace: JobTrace? = nil
    ) async throws -> JobArguments {
        let folder = FileManager.default.temporaryDirectory.appending(path: "jr-\(UUID().uuidString.prefix(13))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let script = "job('j', function(args)\n\(body)\nend)"
        try Data(script.utf8).write(to: folder.appending(path: "j.lua"))
        let (outcomes, told) = AsyncStream.makeStream(of: Void.self)
        let lane = LuaLane(
            LuaLane.Options(
                scripts: ScriptFolder(JobDirectory(folder.path)), isSandboxed: isSandboxed,
                libraries: ScriptLibraries.all, logger: Logger(label: "test"))
        ) { told.yield() }
        defer { lane.stop() }
        let report = try await withCheckedThrowingContinuation { continuation in
            lane.start { continuation.resume(with: $0) }
        }
        #expect(report.problems == [])
        var ids = JobID.Generator()
        let job = Job(id: ids.next(at: .now), name: "j", args: args, createdAt: .now)
        var run = LuaLane.Run(job: JobLifecycle.begin(job, now: .now))
        run.trace = trace
        lane.submit([run])
        for await _ in outcomes {
            guard let outcome = lane.takeResults().outcomes.first?.outcome else { continue }
            guard outcome.kind == .succeeded else { throw ScriptError(outcome.message ?? "\(outcome.kind)") }
            return outcome.args
        }
        throw ScriptError("the lane has ended")
    }

    @Test("http, at once from several tasks")
    func http() async throws {
        let answer: @Sendable (WebRequest) -> WebAnswer = { request in
            .text(#"{"uri":"\#(request.uri)","body":"\#(request.text)"}"#, status: .ok, headers: ["X-A": "1"])
        }
        try await WebServer.with(answer) { server in
            let args = try await run(
                """
                local one = spawn(http.get, args.url .. '/one', { query = { q = 'a b' } })
                local two = spawn(http.post, args.url .. '/two', 'body')
                one, two = wait(one, two)
                args.status, args.header = one.status, one.headers['x-a']
                args.one, args.two = one:json().uri, two:json().body
                args.refused = select(2, pcall(http.get, 'http://127.0.0.1:1/'))
                """, ["url": .string(server.url)])
            #expect(args["status"] == 200 && args["header"] == "1")
            #expect(args["one"] == "/one?q=a%20b" && args["two"] == "body")
            let refused = args["refused"]?.string ?? ""
            #expect(refused.contains("j.lua:7: http: cannot connect to 127.0.0.1:1"), "\(refused)")
        }
    }

    @Test("a request has the span of the run, after a pause too, but not where the script gives the header itself")
    func tracedHTTP() async throws {
        let asked = Locked<[HTTPHeaders]>([])
        let answer: @Sendable (WebRequest) -> WebAnswer = { request in
            asked.withLock { $0.append(request.headers) }
            return .text("")
        }
        try await WebServer.with(answer) { server in
            let trace = JobTrace(["traceparent": "00-1-2-01", "bad name": "1", "bad-value": "a\r\nb"])
            let body = """
                http.get(args.url)
                sleep(0.01)
                http.get(args.url)
                http.get(args.url, { headers = { traceparent = 'own' } })
                """
            _ = try await run(body, ["url": .string(server.url)], trace: trace)
            _ = try await run("http.get(args.url)", ["url": .string(server.url)])
        }
        let headers = asked.withLock { $0 }
        #expect(headers.map { $0["traceparent"] } == [["00-1-2-01"], ["00-1-2-01"], ["own"], []])
        #expect(headers.allSatisfy { !$0.contains(name: "bad-value") })
    }

    @Test("http, with what is encoded already and with what is wrong")
    func httpOptions() async throws {
        try await WebServer.with({ .text($0.uri, status: $0.uri == "/404" ? .notFound : .ok) }) { server in
            let args = try await run(
                """
                args.uri = http.get(args.url .. '/?a=%20b&c=d e', { query = { q = 'x y', list = { 1, true } } }).body
                local function problem(...) return select(2, pcall(http.get, args.url, ...)) end
                args.nested = problem { query = { a = { b = 1 } } }
                args.deeper = problem { query = { a = { { 1 } } } }
                args.headers = problem { headers = { ['X-A'] = { b = 'c' } } }
                args.secret = problem { secret_headers = { [2] = 'X-A' } }
                args.ca = problem { ca = true }
                local gone = http.get(args.url .. '/404', { file = '/no/such/folder/x' })
                args.gone = gone.status .. gone.body
                """, ["url": .string(server.url)])
            #expect(args["uri"] == "/?a=%20b&c=d%20e&list=1&list=true&q=x%20y")
            #expect(
                args["nested"]
                    == "http: the value of 'a' in query must be a string or a list of strings, and is a table with names"
            )
            #expect(args["deeper"] == "http: the value of 'a' in query must be a string, and is a table")
            #expect(
                args["headers"]
                    == "http: the value of 'X-A' in headers must be a string or a list of strings, and is a table with names"
            )
            #expect(args["secret"] == "http: secret_headers must be a list of names")
            #expect(args["ca"] == "http: ca must be a string, and is a boolean")
            #expect(args["gone"] == "404/404")
        }
    }

    @Test("tracebacks have one frame for what is inside of a library")
    func tracebacks() async throws {
        let args = try await run(
            """
            args.host = select(2, xpcall(function() http.get('http://127.0.0.1:1/') end, debug.traceback))
            args.lua = select(2, xpcall(function() http.get('http://127.0.0.1:1/', { headers = 7 }) end, debug.traceback))
            """)
        for (key, line) in [("host", 2), ("lua", 3)] {
            let text = args[key]?.string ?? ""
            let lines = text.split(separator: "\n").filter { !$0.contains("(...tail calls...)") }
            let expected = [
                "j.lua:\(line): http: ", "stack traceback:", "[JobReactor]: in ", "j.lua:\(line): in ", "[C]: in ",
                "j.lua:\(line): in ",
            ]
            #expect(lines.count == expected.count && zip(lines, expected).allSatisfy { $0.contains($1) }, "\(text)")
        }
    }

    @Test("exec, with what it prints and how it ends")
    func exec() async throws {
        let args = try await run(
            """
            args.out = exec('echo', 'a', 1).stdout
            args.sorted = exec { 'sort', '-n', stdin = '2\\n1\\n' }.stdout
            args.status = exec('sh', '-c', 'exit 3').status
            args.none = select(2, pcall(exec, 'no-such-program'))
            """)
        #expect(args["out"] == "a 1\n" && args["sorted"] == "1\n2\n" && args["status"] == 3)
        #expect(args["none"]?.string?.contains("j.lua:5: exec") == true, "\(args)")
        await #expect(throws: ScriptError.self) { try await run("exec('echo')", isSandboxed: true) }
    }

    @Test("in the strict sandbox neither programs nor files nor sockets of this machine")
    func sandbox() async throws {
        let args = try await run(
            """
            local function try(f, ...) return select(2, pcall(f, ...)) end
            args.tries = {
              try(exec, 'echo'), try(exec, { 'echo' }), try(http.get, 'http://localhost:1/', { file = '/tmp/jr-x' }),
              try(http.get, 'file:///etc/passwd'), try(http.get, 'http+unix://%2Ftmp%2Fx.sock/'),
              try(http.get, 'unix:///tmp/x.sock'), try(redis.connect, 'unix:///tmp/x.sock'),
            }
            """, isSandboxed: true)
        let tries = args["tries"]?.array?.compactMap(\.string) ?? []
        #expect(tries.count == 7, "\(args)")
        for text in tries.prefix(3) { #expect(text.contains("run in a sandbox"), "\(text)") }
        for text in tries.dropFirst(3) { #expect(text.contains("j.lua:"), "\(text)") }
    }

    @Test("redis, over one connection")
    func redis() async throws {
        let server = try await RedisServer.start()
        let args = try await run(
            """
            local cache = redis.connect(args.url)
            cache:call('SET', 'k', 7)
            args.k = cache:call('GET', 'k')
            args.n = cache:call('INCR', 'k')
            args.list = cache:call('EVAL', "return {1, 'a'}", 0)
            args.wrong = select(2, pcall(cache.call, cache, 'INCR'))
            cache:close()
            """, ["url": .string(server.url)])
        #expect(args["k"] == "7" && args["n"] == 8 && args["list"] == [1, "a"])
        #expect(args["wrong"]?.string?.contains("ERR wrong number of arguments") == true)
        await server.kill()
    }

    @Test("hash")
    func hash() async throws {
        let args = try await run(
            """
            args.sha256 = hash.sha256('abc')
            args.hmac = hash.hmac_sha256('key', 'The quick brown fox jumps over the lazy dog')
            args.text = hash.unbase64(hash.base64('\\0\\255text')) == '\\0\\255text'
            args.random = #hash.random(16)
            args.equal = hash.equal('a', 'a') and not hash.equal('a', 'b')
            """)
        #expect(args["sha256"] == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(args["hmac"] == "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8")
        #expect(args["text"] == true && args["random"] == 16 && args["equal"] == true)
    }
}
