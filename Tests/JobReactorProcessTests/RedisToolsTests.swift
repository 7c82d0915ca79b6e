import Foundation
import Testing

/// The real redis-cli, redis-benchmark and redis-py against a distributor.
@Suite struct RedisToolsTests {
    @Test func redisCLIEnqueuesAndPerforms() async throws {
        let installation = try await Installation()
        let node = try await installation.startNode("n1")
        #expect(try await installation.redis(["PING"]) == "PONG")
        #expect(try await installation.redis(["PERFORM", "greet", #"{"name":"Ada"}"#]).contains("Hello, Ada!"))
        #expect(try await installation.redis(["PERFORM", "fails"]).hasPrefix("JOBFAILED {"))
        let id = try await installation.redis(["ENQUEUE", "echo", "{}", "AFTER", "60"])
        #expect(id.count == 32)
        #expect(try await installation.redis(["JOB", id]).contains("echo"))
        #expect(try await installation.redis(["NODES"]).contains("n1"))
        #expect(try await installation.redis(["ENQUEUE", "echo", "[1]"]).hasPrefix("ERR args must be one JSON object"))
        #expect(try await installation.redis(["NONSENSE"]).hasPrefix("ERR unknown command 'NONSENSE'"))
        node.signal(SIGTERM)
        #expect(try await node.exitStatus() == 0)
    }

    @Test func redisCLISaysThePassword() async throws {
        let installation = try await Installation(environment: ["JOBREACTOR_PASSWORD": "open sesame"])
        let node = try await installation.startNode("n1", ["--server", "localhost:0"])
        #expect(try await installation.redis(["ENQUEUE", "echo"]) == "NOAUTH Authentication required.")
        #expect(try await installation.redis(["AUTH", "open says me"]).hasPrefix("WRONGPASS"))
        let options = ["-a", "open sesame", "--no-auth-warning"]
        #expect(
            try await installation.redis(["PERFORM", "greet", #"{"name":"Ada"}"#], options).contains("Hello, Ada!"))
        #expect(!installation.distributor.standardError.contains("sesame"))
        #expect(!node.standardError.contains("sesame"))
    }

    @Test func redisBenchmarkIsALoadGenerator() async throws {
        let installation = try await Installation()
        let node = try await installation.startNode("n1")
        defer { node.signal(SIGTERM) }
        let pings = try await Programs.run(
            "redis-benchmark", ["-p", "\(installation.port)", "-t", "ping", "-n", "1000", "-c", "10", "-q"])
        #expect(pings.status == 0)
        #expect(pings.output.contains("PING_INLINE") && pings.output.contains("PING_MBULK"))
        #expect(!pings.output.contains("ERR") && !pings.errors.contains("ERR"))
        let jobs = try await Programs.run(
            "redis-benchmark",
            ["-p", "\(installation.port)", "-n", "5000", "-c", "10", "-P", "50", "-q", "ENQUEUE", "echo", #"{"a":1}"#])
        #expect(jobs.status == 0)
        #expect(!jobs.errors.contains("ERR"))
        try await eventually("5000 jobs done") { try await installation.info("succeeded") == 5000 }
        #expect(try await installation.info("unfinished") == 0)
    }

    @Test func redisPyIsAClientLibrary() async throws {
        let installation = try await Installation()
        let node = try await installation.startNode("n1")
        defer { node.signal(SIGTERM) }
        let program = """
            import json, redis
            jobs = redis.Redis(port=\(installation.port))
            assert jobs.ping()
            answer = json.loads(jobs.execute_command('PERFORM', 'greet', json.dumps({'name': 'Ada', 'n': 2**63 - 1, 'e': []})))
            assert answer == {'name': 'Ada', 'n': 2**63 - 1, 'e': [], 'greeting': 'Hello, Ada!'}, answer
            pipe = jobs.pipeline(transaction=False)
            for number in range(1000):
                pipe.execute_command('PERFORM', 'echo', json.dumps({'n': number}))
            assert [json.loads(reply)['n'] for reply in pipe.execute()] == list(range(1000))
            try:
                jobs.execute_command('PERFORM', 'fails')
                raise SystemExit('it should have failed')
            except redis.ResponseError as error:
                assert str(error).startswith('JOBFAILED {'), error
            """
        let python = try await Programs.run("/usr/bin/python3", ["-c", program])
        #expect(python.status == 0, "\(python.errors)")
    }
}
