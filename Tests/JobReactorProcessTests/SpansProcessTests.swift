import Foundation
import Testing

/// A distributor and a node with `--otlp`, and a collector that they have in common.
@Suite struct SpansProcessTests {
    /// Writes what is posted to it, a request a line, and answers with one of the statuses after the other, then with 200.
    private static let collector = """
        import http.server, json, sys
        statuses = [int(word) for word in sys.argv[2:]]
        class Collector(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
                assert self.path == '/v1/traces' and self.headers['Content-Type'] == 'application/json', self.path
                status = statuses.pop(0) if statuses else 200
                if status == 200: print(json.dumps(body), flush=True)
                self.send_response(status)
                self.send_header('Content-Length', '2')
                self.end_headers()
                self.wfile.write(b'{}')
            def log_message(self, *words): pass
        http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Collector).serve_forever()
        """

    private struct Request: Decodable {
        struct Resource: Decodable {
            var resource: Attributes
            var scopeSpans: [Scope]
        }
        struct Attributes: Decodable { var attributes: [Attribute] }
        struct Attribute: Decodable {
            struct Value: Decodable {
                var stringValue: String?
                var intValue: String?
            }
            var key: String
            var value: Value
        }
        struct Scope: Decodable { var spans: [Span] }
        struct Link: Decodable { var spanId: String }
        struct Status: Decodable { var code: Int }
        struct Span: Decodable {
            var traceId: String
            var spanId: String
            var parentSpanId: String?
            var name: String
            var kind: Int
            var startTimeUnixNano: String
            var endTimeUnixNano: String
            var attributes: [Attribute]
            var links: [Link]?
            var status: Status?
            func attribute(_ key: String) -> String? {
                attributes.first { $0.key == key }.flatMap { $0.value.stringValue ?? $0.value.intValue }
            }
        }
        var resourceSpans: [Resource]
    }

    /// The spans that have come, by the service that has sent them.
    private static func spans(_ collector: RunningProgram) throws -> [(service: String, span: Request.Span)] {
        let lines = collector.standardOutput.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        return try lines.flatMap { line -> [(service: String, span: Request.Span)] in
            let request = try JSONDecoder().decode(Request.self, from: Data(line.utf8))
            return request.resourceSpans.flatMap { resource in
                let name = resource.resource.attributes.first { $0.key == "service.name" }?.value.stringValue ?? ""
                return resource.scopeSpans.flatMap(\.spans).map { (name, $0) }
            }
        }
    }

    private static func start(_ statuses: [Int] = []) async throws -> (program: RunningProgram, url: String) {
        let port = try Programs.freePort()
        // With a word by which it is ended with the tests.
        let program = try RunningProgram(
            "/usr/bin/python3", ["-c", collector + "\n# jobreactor", "\(port)"] + statuses.map { "\($0)" })
        try await eventually("the collector listens: \(program.standardError)") {
            let curl = try await Programs.run("curl", ["-s", "-o", "/dev/null", "http://127.0.0.1:\(port)/"])
            return curl.status == 0
        }
        return (program, "http://127.0.0.1:\(port)")
    }

    @Test func theSpansOfAJobOfTwoProcessesAreOneTrace() async throws {
        // The first requests are not taken, and come again.
        let collector = try await Self.start([503, 429])
        let installation = try await Installation(
            scripts: [
                "jobs.lua": """
                job('parent', function() perform('child') end)
                job('child', function(args) end)
                job('flaky', { max_attempt = 2, retry_multiplier = 0 }, function() error('no disk') end)
                """
            ], distributor: ["--otlp", collector.url])
        let node = try await installation.startNode("n1", ["--otlp", collector.url])
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        let answer = try await installation.redis([
            "PERFORM", "parent", "{}", "TRACE", #"{"traceparent":"00-\#(trace)-00f067aa0ba902b7-01"}"#,
        ])
        #expect(answer.hasPrefix("{"))
        #expect(try await installation.redis(["PERFORM", "flaky"]).contains("no disk"))
        try await eventually("all spans: \(collector.program.standardError)") {
            let names = try Self.spans(collector.program).map(\.span.name)
            return Set(names).isSuperset(of: ["enqueue parent", "run parent", "enqueue child", "run child"])
                && names.count { $0 == "run flaky" } == 2
        }
        for server in [node, installation.distributor] {
            server.signal(SIGTERM)
            #expect(try await server.exitStatus() == 0)
        }
        let logs = node.standardError + installation.distributor.standardError
        #expect(logs.contains("spans cannot be sent; trying again") && logs.contains("spans are sent again"))
        let all = try Self.spans(collector.program)
        #expect(Set(all.map(\.service)) == ["jobreactor-distributor", "jobreactor-node"])
        #expect(Set(all.map(\.span.spanId)).count == all.count)
        func span(_ name: String, of service: String) throws -> Request.Span {
            try #require(all.first { $0.service == service && $0.span.name == name }?.span, "\(name)")
        }
        let enqueue = try span("enqueue parent", of: "jobreactor-distributor")
        let run = try span("run parent", of: "jobreactor-node")
        let child = try span("enqueue child", of: "jobreactor-node")
        let childRun = try span("run child", of: "jobreactor-node")
        #expect(enqueue.traceId == trace && enqueue.parentSpanId == "00f067aa0ba902b7" && enqueue.kind == 4)
        #expect(run.traceId == trace && run.parentSpanId == enqueue.spanId && run.kind == 5)
        #expect(child.traceId == trace && child.parentSpanId == run.spanId)
        #expect(childRun.traceId == trace && childRun.parentSpanId == child.spanId)
        #expect(run.attribute("jobreactor.node") == "n1" && run.attribute("jobreactor.attempt") == "1")
        #expect(run.startTimeUnixNano.count == 19 && run.startTimeUnixNano <= run.endTimeUnixNano)
        let attempts = all.map(\.span).filter { $0.name == "run flaky" }
            .sorted { $0.startTimeUnixNano < $1.startTimeUnixNano }
        #expect(attempts.map { $0.status?.code } == [2, 2] && Set(attempts.map(\.traceId)).count == 1)
        #expect(attempts.last?.links?.map(\.spanId) == attempts.first.map { [$0.spanId] })
        collector.program.signal(SIGTERM)
    }

    @Test func aCollectorThatIsAwayHoldsUpNothing() async throws {
        let url = "http://127.0.0.1:\(try Programs.freePort())"
        let installation = try await Installation(distributor: ["--otlp", url, "--http", "localhost:0"])
        let node = try await installation.startNode("n1", ["--otlp", url, "--otlp-share", "0.5"])
        #expect(try await installation.redis(["PERFORM", "greet", #"{"name":"Ada"}"#]).contains("Hello, Ada!"))
        try await installation.distributor.logs("spans cannot be sent; trying again")
        for server in [node, installation.distributor] {
            server.signal(SIGTERM)
            #expect(try await server.exitStatus() == 0)
        }
        let wrong = try await Programs.run("jobreactor", ["node", "--otlp", "localhost:4318"])
        #expect(wrong.status == 64 && wrong.errors.contains("--otlp takes a URL of http or https"), "\(wrong.errors)")
    }
}
