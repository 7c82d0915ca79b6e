import Foundation
import Testing

/// `jobreactor bench`, with so few jobs that its figures say nothing: that it measures, and what it says.
@Suite("The benchmark")
struct BenchTests {
    @Test("of everything has every scenario, each figure with a value, and limits where there are any")
    func all() async throws {
        let run = try await Programs.run("jobreactor", ["bench", "all", "--quick", "--json"], seconds: 400)
        #expect(run.status == 0, "\(run.errors)")
        let results = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        #expect((results["machine"] as? [String: Any])?["cores"] is Int)
        let scenarios = try #require(results["scenarios"] as? [String: [String: [String: Any]]])
        let expected = [
            "enqueue": ["enqueue_memory", "enqueue_sqlite", "enqueue_redis", "enqueue_client_memory"],
            "e2e": ["e2e_memory", "e2e_sqlite", "e2e_redis", "e2e_memory_of_echo"],
            "latency": ["latency_p50", "latency_p999", "latency_half_peak_p99", "raw_round_trip_p50"],
            "lua": ["lua_run", "lua_beyond_bare_call"],
            "delayed": ["node_memory_per_waiting_job", "rate_beside_waiting", "lateness_p99"],
            "parked": ["rate_beside_parked", "application_memory_per_parked_job"],
            "limits": [
                "rate_beside_full_limit", "rate_with_keys", "enqueue_unique", "idle_schedules_processor", "tick_p50",
                "tick_p99",
            ],
            "reload": ["reload_rate", "reload_latency_p99"], "nodes": ["nodes_1", "nodes_10"],
            "payload": ["payload_100", "payload_100000"],
            "idle": ["idle_node_wakeups", "idle_node_memory", "idle_distributor_wakeups_runtime"],
        ]
        #expect(Set(scenarios.keys) == Set(expected.keys))
        for (scenario, names) in expected {
            let figures = try #require(scenarios[scenario], "\(scenario)")
            for name in names {
                let value = try #require((figures[name]?["value"] as? NSNumber)?.doubleValue, "\(name)")
                #expect(value >= 0 && value.isFinite, "\(name)")
            }
        }
        for (scenario, name) in [("enqueue", "enqueue_redis"), ("e2e", "e2e_sqlite"), ("nodes", "nodes_10")] {
            let limit = try #require(scenarios[scenario]?[name]?["limit"] as? [String: Any], "\(name)")
            let (value, least) = (scenarios[scenario]?[name]?["value"] as? Double, limit["value"] as? Double)
            #expect((least ?? 0) > 0 && limit["of"] is String && limit["ratio"] is Double)
            #expect((value ?? 0) > 0)
        }
    }

    @Test("has the results on its page that its script makes of those that were measured, and the plots")
    func page() async throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let (measured, folder) = (root.appending(path: "Examples/benchmark"), try Folder())
        let pages = root.appending(path: "Sources/JobReactor/JobReactor.docc/Benchmarks")
        try FileManager.default.copyItem(
            at: measured.appending(path: "results.json"), to: URL(filePath: folder.path).appending(path: "results.json")
        )
        let run = try await Programs.run(
            "/usr/bin/python3", ["Examples/make_benchmark_plots.py", folder.path], directory: root.path)
        #expect(run.status == 0, "\(run.errors)")
        let table = try String(contentsOfFile: folder.path + "/table.md", encoding: .utf8)
        #expect(table.contains("| jobs end to end, memory |"))
        let page = try String(contentsOf: pages.appending(path: "Benchmarks.md"), encoding: .utf8)
        let shown = page.components(separatedBy: "<!-- benchmark: made by Examples/benchmark.sh -->\n").last?
            .components(separatedBy: "<!-- end of the benchmark -->").first
        #expect(shown == "\n" + table + "\n", "run Examples/benchmark.sh")
        for plot in ["throughput", "latency", "nodes", "payload"] {
            let drawn = try String(contentsOfFile: "\(folder.path)/\(plot).svg", encoding: .utf8)
            #expect(drawn.contains("<svg") && drawn.contains("JobReactor") && drawn.contains("</svg>"))
            #expect(FileManager.default.fileExists(atPath: pages.appending(path: "\(plot).svg").path))
            #expect(page.contains("(\(plot).svg)"))
        }
    }

    @Test("of one scenario says for people what the figures are, and what they are held against")
    func table() async throws {
        let run = try await Programs.run("jobreactor", ["bench", "lua", "--batch", "1000", "--rounds", "2"])
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.hasPrefix("FIGURE "))
        #expect(run.output.contains("lua_beyond_bare_call") && run.output.contains("limit: a bare call"))
        #expect(run.errors.contains("2 rounds of 1000 runs and bare calls"))
    }

    @Test(
        "refuses numbers that mean nothing, as wrong usage",
        arguments: [
            ["parked", "--rounds", "0"], ["e2e", "--in-flight", "-1"], ["e2e", "--storage", "paper"],
            ["nodes", "--nodes", "6000"], ["payload", "--bytes", "0"], ["idle", "--seconds", "x"], ["nothing"],
        ])
    func wrongUsage(_ arguments: [String]) async throws {
        let run = try await Programs.run("jobreactor", ["bench"] + arguments)
        #expect(run.status == 64, "\(run.output)")
        #expect(!run.errors.isEmpty)
    }

    @Test("says at once when a server that it needs is missing, and leaves nothing behind")
    func missingServer() async throws {
        let (nothing, folder) = (try Folder(), try Folder())
        let run = try await Programs.run(
            Programs.folder + "/jobreactor", ["bench", "e2e", "--storage", "redis", "--batch", "10", "--rounds", "1"],
            environment: ["PATH": nothing.path, "TMPDIR": folder.path], seconds: 20)
        #expect(run.status == 1)
        #expect(run.errors.contains("Debian's package redis-server"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test("leaves no process and no file behind")
    func leavesNothing() async throws {
        let folder = try Folder()
        let run = try await Programs.run(
            "jobreactor", ["bench", "e2e", "--storage", "sqlite", "--batch", "200", "--rounds", "1"],
            environment: ["TMPDIR": folder.path])
        #expect(run.status == 0, "\(run.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }
}
