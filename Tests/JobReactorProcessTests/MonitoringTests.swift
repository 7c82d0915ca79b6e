import Foundation
import Testing

/// A node and a distributor with `--http`, as Prometheus, an orchestrator and a reader of the log see them.
@Suite struct MonitoringTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private static let files = root.appending(path: "Examples/Monitoring").path

    /// The port that a program with `--http localhost:0` has taken.
    private static func httpPort(of program: RunningProgram) async throws -> Int {
        try await program.logs("HTTP port listens")
        let match = program.standardError.firstMatch(of: /HTTP port listens.*?localhost:([0-9]+)/)
        return try #require(match.flatMap { Int($0.1) })
    }

    /// The status and the body of an answer.
    private static func get(_ url: String, _ options: [String] = []) async throws -> (status: String, body: String) {
        let curl = try await Programs.run("curl", ["-s", "-w", "\n%{http_code}"] + options + [url])
        let lines = curl.output.split(separator: "\n", omittingEmptySubsequences: false)
        return (String(lines.last ?? ""), lines.dropLast().joined(separator: "\n"))
    }

    private static func metrics(_ port: Int) async throws -> String {
        try await get("http://localhost:\(port)/metrics").body
    }

    @Test func whatIsSaidIsTextOfPrometheus() async throws {
        let installation = try await Installation(distributor: ["--http", "localhost:0"])
        let node = try await installation.startNode("n1", ["--http", "localhost:0", "--server", "localhost:0"])
        let ports = [try await Self.httpPort(of: installation.distributor), try await Self.httpPort(of: node)]
        _ = try await installation.jobreactor(["enqueue", "greet", "name=Ada", "--wait"])
        _ = try await installation.jobreactor(["enqueue", "fails", "--wait"])
        _ = try await installation.jobreactor(["enqueue", "echo", "--after", "3600"])
        try await eventually("what is delayed") {
            try await Self.metrics(ports[1]).contains("jobreactor_node_delayed{node=\"n1\"} 1\n")
        }
        for port in ports {
            let command = "curl -sf http://localhost:\(port)/metrics | promtool check metrics"
            let check = try await Programs.run("bash", ["-o", "pipefail", "-c", command])
            #expect(check.status == 0 && check.errors.isEmpty, "\(check.output)\(check.errors)")
        }
        let (distributor, ofNode) = (try await Self.metrics(ports[0]), try await Self.metrics(ports[1]))
        for line in [
            "jobreactor_node_succeeded_total{job_name=\"greet\",node=\"n1\"} 1",
            "jobreactor_node_failed_total{job_name=\"fails\",node=\"n1\"} 1",
            "jobreactor_node_run_time_seconds_count{job_name=\"greet\",node=\"n1\"} 1",
            "jobreactor_node_distributors{node=\"n1\"} 1", "jobreactor_node_stuck{node=\"n1\"} 0",
            "jobreactor_log_lines_dropped_total 0",
        ] { #expect(ofNode.contains(line + "\n"), "\(line)") }
        for line in [
            "jobreactor_distributor_nodes 1", "jobreactor_distributor_unfinished 1",
            "jobreactor_distributor_enqueued_total{job_name=\"greet\"} 1",
        ] { #expect(distributor.contains(line + "\n"), "\(line)") }
        #expect(distributor.contains("jobreactor_build_info{role=\"distributor\",version="))
        for server in [node, installation.distributor] {
            server.signal(SIGTERM)
            #expect(try await server.exitStatus() == 0)
        }
    }

    /// What a query of a running Prometheus comes to.
    private struct Answer: Decodable {
        struct Content: Decodable {
            struct Sample: Decodable {
                struct Value: Decodable {
                    let text: String
                    init(from decoder: any Decoder) throws {
                        var list = try decoder.unkeyedContainer()
                        _ = try list.decode(Double.self)
                        text = try list.decode(String.self)
                    }
                }
                let value: Value?
            }
            let result: [Sample]?
            let groups: [Group]?
        }
        struct Group: Decodable {
            struct Rule: Decodable {
                let name: String
                let health: String
                let lastError: String?
            }
            let rules: [Rule]
        }
        let status: String
        let error: String?
        let data: Content?
    }

    @Test func prometheusReadsItAndTheRulesAndTheDashboardWork() async throws {
        let installation = try await Installation(distributor: ["--http", "localhost:0"])
        let node = try await installation.startNode("n1", ["--http", "localhost:0"])
        let ports = [try await Self.httpPort(of: installation.distributor), try await Self.httpPort(of: node)]
        _ = try await installation.jobreactor(["enqueue", "greet", "name=Ada", "--wait"])
        let folder = try Folder([
            "prometheus.yml": """
            global:
              scrape_interval: 1s
              evaluation_interval: 1s
            rule_files: ["\(Self.files)/alerts.yml"]
            scrape_configs:
              - job_name: jobreactor
                static_configs:
                  - targets: [\(ports.map { "localhost:\($0)" }.joined(separator: ", "))]
            """
        ])
        let port = try Programs.freePort()
        let prometheus = try RunningProgram(
            "prometheus",
            [
                "--config.file=\(folder.path)/prometheus.yml", "--storage.tsdb.path=\(folder.path)/data",
                "--web.listen-address=127.0.0.1:\(port)", "--log.level=warn",
            ])
        func api(_ path: String, _ options: [String] = []) async throws -> Answer? {
            let answer = try await Self.get("http://127.0.0.1:\(port)/api/v1/\(path)", ["-G"] + options)
            return try? JSONDecoder().decode(Answer.self, from: Data(answer.body.utf8))
        }
        func query(_ expression: String) async throws -> Answer? {
            try await api("query", ["--data-urlencode", "query=\(expression)"])
        }
        for (expression, value) in [
            ("sum(up{job=\"jobreactor\"})", "2"), ("sum(jobreactor_node_succeeded_total{job_name=\"greet\"})", "1"),
            ("jobreactor_distributor_nodes", "1"), ("scrape_samples_scraped{job=\"jobreactor\"} > bool 10000", "0"),
        ] {
            try await eventually("\(expression) is \(value): \(prometheus.standardError)") {
                try await query(expression)?.data?.result?.first?.value?.text == value
            }
        }
        try await eventually("each rule was evaluated") {
            let rules = try await api("rules")?.data?.groups?.flatMap(\.rules) ?? []
            #expect(rules.allSatisfy { $0.health != "err" }, "\(rules)")
            return rules.count > 10 && rules.allSatisfy { $0.health == "ok" }
        }
        let dashboard = try String(contentsOfFile: Self.files + "/dashboard.json", encoding: .utf8)
        let object = try JSONSerialization.jsonObject(with: Data(dashboard.utf8)) as? [String: Any]
        let panels = try #require(object?["panels"] as? [[String: Any]])
        let expressions = panels.flatMap { $0["targets"] as? [[String: Any]] ?? [] }.compactMap {
            $0["expr"] as? String
        }
        #expect(expressions.count > 40)
        for expression in expressions {
            let filled = expression.replacing("$__rate_interval", with: "1m").replacing("$job_name", with: ".*")
            let answer = try await query(filled)
            #expect(answer?.status == "success", "\(filled): \(answer?.error ?? "no answer")")
        }
        for program in [prometheus, node, installation.distributor] {
            program.signal(SIGTERM)
            #expect(try await program.exitStatus() == 0)
        }
    }

    @Test func theAlertRulesFireWhenTheyAreToAndNotOtherwise() async throws {
        let rules = try await Programs.run("promtool", ["check", "rules", Self.files + "/alerts.yml"])
        #expect(rules.status == 0, "\(rules.output)\(rules.errors)")
        let example = try await Programs.run("promtool", ["check", "config", Self.files + "/prometheus.yml"])
        #expect(example.status == 0, "\(example.output)\(example.errors)")
        let tests = try await Programs.run(
            "promtool", ["test", "rules", Self.root.appending(path: "Tests/alert-rules.yml").path])
        #expect(tests.status == 0, "\(tests.output)\(tests.errors)")
    }

    @Test func aNodeIsHealthyFromItsStartAndReadyWhenItIsLinked() async throws {
        let (port, folder) = (try Programs.freePort(), try Folder(Installation.scripts))
        let node = try RunningProgram(
            "jobreactor",
            [
                "node", "--name", "n1", "--distributor", "localhost:\(port)", "--jobs", folder.path, "--http",
                "localhost:0",
            ])
        let url = "http://localhost:\(try await Self.httpPort(of: node))"
        let health = try await Self.get(url + "/health")
        #expect(health.status == "200" && health.body == "ok\n")
        try await eventually("it has started, and is linked to none") {
            try await Self.get(url + "/ready") == ("503", "it is linked to no distributor\n")
        }
        let distributor = try RunningProgram(
            "jobreactor", ["distributor", "--listen", "localhost:\(port)", "--http", "localhost:0"])
        try await eventually("the node is ready") { try await Self.get(url + "/ready") == ("200", "ok\n") }
        let other = "http://localhost:\(try await Self.httpPort(of: distributor))"
        try await eventually("the distributor is ready") { try await Self.get(other + "/ready") == ("200", "ok\n") }
        for server in [node, distributor] {
            server.signal(SIGTERM)
            #expect(try await server.exitStatus() == 0)
        }
    }

    @Test func whereThereIsAPasswordMetricsAskForItAlsoOverTLS() async throws {
        let folder = try Folder()
        let (key, certificate) = (folder.path + "/key.pem", folder.path + "/certificate.pem")
        let made = try await Programs.run(
            "openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
                "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
            ])
        #expect(made.status == 0, "\(made.errors)")
        let distributor = try RunningProgram(
            "jobreactor",
            [
                "distributor", "--listen", "localhost:0", "--http", "0.0.0.0:0", "--tls-certificate", certificate,
                "--tls-key", key,
            ], environment: ["JOBREACTOR_PASSWORD": "open sesame"])
        try await distributor.logs("HTTP port listens")
        let match = distributor.standardError.firstMatch(of: /HTTP port listens.*?0\.0\.0\.0:([0-9]+)/)
        let port = try #require(match.flatMap { Int($0.1) })
        let (url, trust) = ("https://localhost:\(port)", ["--ipv4", "--cacert", certificate])
        try await eventually("it is ready") { try await Self.get(url + "/ready", trust) == ("200", "ok\n") }
        #expect(try await Self.get(url + "/metrics", trust).status == "401")
        let right = try await Self.get(url + "/metrics", trust + ["-u", "default:open sesame"])
        #expect(right.status == "200" && right.body.contains("jobreactor_distributor_nodes 0\n"))
        #expect(try await Self.get(url + "/metrics", trust + ["-u", "default:open says me"]).status == "401")
        distributor.signal(SIGTERM)
        #expect(try await distributor.exitStatus() == 0)
    }

    @Test func aPortThatCannotBeIsToldInOneLine() async throws {
        let installation = try await Installation(distributor: ["--http", "localhost:0"])
        let taken = try await Self.httpPort(of: installation.distributor)
        for (address, status, text) in [
            ("nonsense", 64, "--http takes host:port"), ("localhost:70000", 64, "--http takes host:port"),
            ("0.0.0.0:0", 64, "refusing to listen on 0.0.0.0:0 without a password: anybody who reaches it could see"),
            ("localhost:\(taken)", 1, "--http: cannot listen on localhost:\(taken): address already in use"),
            ("no.such.host.invalid:1", 64, "refusing to listen on no.such.host.invalid:1 without a password"),
        ] as [(String, Int32, String)] {
            let ended = try await Programs.run(
                "jobreactor", ["distributor", "--listen", "localhost:0", "--http", address])
            #expect(ended.status == status && ended.errors.contains(text), "\(ended.errors)")
        }
        installation.distributor.signal(SIGTERM)
    }

    // MARK: The log

    @Test func withLogFormatJSONEachLineIsOneEvent() async throws {
        let installation = try await Installation(
            scripts: [
                "jobs.lua": """
                job('chatty', function()
                  print(('x'):rep(1000000))
                  print('two\\nlines\\r and \\27[31m a "quote" \\\\ and \\u{85}\\u{2028}')
                  for i = 1, 200 do print('\\1' .. ('"'):rep(2000)) end
                end)
                job('fails', { max_attempt = 1 }, function() error('no\\ndisk') end)
                """
            ], environment: ["JOBREACTOR_LOG_FORMAT": "json"])
        let node = try await installation.startNode("n1", ["--log-level", "debug"])
        _ = try await installation.jobreactor(["enqueue", "chatty", "--wait"])
        _ = try await installation.jobreactor(["enqueue", "fails", "--wait"])
        try await node.logs("no\\ndisk")
        for server in [node, installation.distributor] {
            server.signal(SIGTERM)
            #expect(try await server.exitStatus() == 0)
            let lines = server.standardError.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.last == "" && lines.count > 1)
            for line in lines.dropLast() {
                let entry = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                #expect(
                    entry?["time"] is String && entry?["level"] is String && entry?["message"] is String
                        && entry?["metadata"] is [String: Any], "\(line.prefix(300))")
            }
        }
        #expect(node.standardError.contains("xxx… (cut: the text has 1000000 bytes, the limit is "))
        #expect(
            node.standardError.contains(#""message":"two\nlines\r and \u001b[31m a \"quote\" \\ and \u0085"#))
    }

    @Test func theFormatWinsOverTheShorterFlag() async throws {
        for (flags, isJSON) in [
            (["--log-format", "json"], true), (["--json"], true), (["--json", "--log-format", "text"], false),
            (["--no-json"], false),
        ] {
            let ended = try await Programs.run(
                "jobreactor", ["node", "--jobs", "/nonexistent/folder", "--name", "n1"] + flags)
            #expect(ended.status == 1)
            let last = try #require(ended.errors.split(separator: "\n").last)
            #expect(last.hasPrefix("{") == isJSON, "\(last)")
        }
        let wrong = try await Programs.run("jobreactor", ["node", "--log-format", "xml"])
        #expect(wrong.status == 64 && wrong.errors.contains("--log-format takes text or json, not 'xml'"))
    }
}
