import CoreMetrics
import Foundation
import JobReactorCore
import JobReactorNode
import JobReactorTesting
import JobReactorWire
import MetricsTestKit
import Testing

@testable import JobReactor

/// What a program with a backend for metrics gets, from an application, a distributor and a node.
@Suite("Metrics", .timeLimit(.minutes(5))) struct MetricsTests {
    private static let scripts = [
        "jobs.lua": """
        job('good', function() end)
        job('bad', { max_attempt = 2, retry_multiplier = 0 }, function() error('no') end)
        job('quits', function() cancel_job() end)
        job('parent', function() enqueue('good') end)
        job('pauses', function() sleep(600) end)
        job('spins', { max_attempt = 1 }, function() while true do end end)
        limit('crm', { concurrency = 1 })
        job('limited', { limit = 'crm' }, function() sleep(600) end)
        schedule('beat', '@yearly', 'limited')
        """
    ]

    /// Runs the body in a task that has a backend of its own.
    private static func measured(_ body: @Sendable (TestMetrics, Cluster) async throws -> Void) async throws {
        let backend = TestMetrics()
        try await withMetricsFactory(backend) {
            try await Cluster.run(scripts: scripts) { cluster in try await body(backend, cluster) }
        }
    }

    @Test("jobs are counted where they pass, by their names, with their times") func counted() async throws {
        try await Self.measured { backend, cluster in
            func count(_ metric: String, _ label: (String, String)) -> Int64 {
                backend.counterTotal(label: "jobreactor_\(metric)", dimensions: [label])
            }
            func times(_ metric: String, _ job: String) -> Int {
                let timers = backend.timers(label: "jobreactor_\(metric)", dimensions: [("job", job)])
                return timers.reduce(0) { $0 + $1.values.count }
            }
            let distributor = try await cluster.startDistributor()
            try distributor.enqueue("unknown")
            try await cluster.startNode("n1", for: [distributor])
            try await waitForNodes(["n1"], at: distributor)
            let client = try await JobClient.connect(host: "localhost", port: distributor.port ?? 0)
            _ = try await client.perform("good", timeout: 120)
            await #expect(throws: JobFailure.self) { try await client.perform("bad", timeout: 120) }
            #expect(try await client.perform("quits", timeout: 120).status == .cancelled)
            _ = try await distributor.perform("parent", timeout: 120)
            await client.stop()
            try await eventually("what the script has enqueued is done") {
                count("distributor_succeeded", ("job", "good")) == 2
            }

            #expect(count("client_enqueued", ("job", "good")) == 1 && count("client_succeeded", ("job", "good")) == 1)
            #expect(count("client_failed", ("job", "bad")) == 1 && count("client_succeeded", ("job", "bad")) == 0)
            #expect(count("client_cancelled", ("job", "quits")) == 1)
            #expect(count("client_enqueued", ("job", "parent")) == 0)
            #expect(times("client_total_time", "good") == 1 && times("client_total_time", "bad") == 1)

            #expect(count("distributor_enqueued", ("job", "good")) == 2)
            #expect(count("distributor_enqueued", ("job", "unknown")) == 1)
            #expect(count("distributor_parked", ("job", "unknown")) == 1)
            #expect(count("distributor_parked", ("job", "good")) == 0)
            #expect(count("distributor_sent", ("node", "n1")) == 5)
            #expect(count("distributor_reports", ("node", "n1")) == 5)
            #expect(count("distributor_failed", ("job", "bad")) == 1)
            #expect(count("distributor_cancelled", ("job", "quits")) == 1)
            #expect(count("distributor_succeeded", ("job", "quits")) == 0)
            #expect(count("distributor_redelivered", ("job", "good")) == 0)
            #expect(times("distributor_wait_time", "good") == 2 && times("distributor_total_time", "good") == 2)

            #expect(count("node_received", ("node", "n1")) == 5)
            #expect(count("node_started", ("job", "good")) == 2 && count("node_started", ("job", "bad")) == 2)
            #expect(count("node_succeeded", ("job", "good")) == 2 && count("node_succeeded", ("job", "bad")) == 0)
            #expect(count("node_retried", ("job", "bad")) == 1 && count("node_failed", ("job", "bad")) == 1)
            #expect(count("node_cancelled", ("job", "quits")) == 1 && count("node_enqueued", ("job", "good")) == 1)
            #expect(count("node_reports", ("node", "n1")) == 5)
            #expect(times("node_wait_time", "bad") == 2 && times("node_run_time", "bad") == 2)
        }
    }

    @Test("gauges say what waits, pauses and is delayed, and fall again") func gauges() async throws {
        try await Self.measured { backend, cluster in
            func value(_ gauge: String, _ labels: [(String, String)] = []) -> Double? {
                try? backend.expectGauge("jobreactor_\(gauge)", labels).lastValue
            }
            let distributor = try await cluster.startDistributor()
            #expect(value("distributor_waiting") == 0)
            let node = try await cluster.startNode("n1", for: [distributor])
            try await waitForNodes(["n1"], at: distributor)
            try distributor.enqueue("unknown")
            try distributor.enqueue("good", [:], JobOptions(after: 600))
            let pausing = try distributor.enqueue("pauses")
            try await eventually("what waits at the distributor") { value("distributor_waiting") == 1 }
            try await eventually("what is not finished") { value("distributor_unfinished") == 3 }
            #expect(value("distributor_nodes") == 1)
            try await eventually("what pauses") { value("node_suspended", [("node", "n1")]) == 1 }
            try await eventually("what waits for its time") { value("node_delayed", [("node", "n1")]) == 1 }
            #expect(value("node_running", [("node", "n1")]) == 0 && value("node_waiting", [("node", "n1")]) == 0)
            #expect(try await distributor.cancel(pausing))
            try await eventually("nothing pauses") { value("node_suspended", [("node", "n1")]) == 0 }
            await node.stop(grace: 0)
            try await eventually("the node is gone") { value("distributor_nodes") == 0 }
        }
    }

    @Test("gauges say what is in use of limits, how many keys are held, and how schedules are")
    func whenJobsRun() async throws {
        try await Self.measured { backend, cluster in
            func value(_ gauge: String, _ labels: [(String, String)] = []) -> Double? {
                try? backend.expectGauge("jobreactor_distributor_\(gauge)", labels).lastValue
            }
            let distributor = try await cluster.startDistributor()
            try await cluster.startNode("n1", for: [distributor])
            try await waitForNodes(["n1"], at: distributor)
            let client = try await RESPClient.connect(to: Address(host: "localhost", port: distributor.port ?? 0))
            let crm = [("limit", "crm")]
            try await eventually("the schedule") { value("schedules") == 1 }
            #expect(value("limit_size", crm) == 1 && value("limit_in_use", crm) == 0 && value("keys_held") == 0)
            let run = try await client.send(["SCHEDULE", "RUN", "beat"]).text
            try await eventually("its run") { value("limit_in_use", crm) == 1 }
            #expect(value("last_tick_late_seconds") != nil)
            let waiting = try await client.send(["ENQUEUE", "limited", "{}", "UNIQUE", "k"]).text
            try await eventually("the job that waits") { value("limit_waiting", crm) == 1 && value("keys_held") == 1 }
            // One is left out, as the first is unfinished.
            #expect(try await client.send(["SCHEDULE", "RUN", "beat"]) == .null)
            #expect(try await client.send(["SCHEDULE", "PAUSE", "beat"]).integer == 1)
            try await eventually("the pause") { value("schedules_paused") == 1 }
            #expect(backend.counterTotal(label: "jobreactor_distributor_skipped_ticks") == 1)
            #expect(value("schedules_late") == 0)
            for id in [waiting, run].compactMap(\.self) { #expect(try await client.send(["CANCEL", id]).integer == 1) }
            try await eventually("nothing is left") {
                value("limit_in_use", crm) == 0 && value("limit_waiting", crm) == 0 && value("keys_held") == 0
            }
            await client.close()
        }
    }

    @Test("a job goes to a node again when the first is lost, and that is counted") func redelivered() async throws {
        try await Self.measured { backend, cluster in
            let distributor = try await cluster.startDistributor()
            let node = try await cluster.startNode("n1", for: [distributor])
            try distributor.enqueue("pauses")
            try await eventually("it runs") { backend.counterTotal(label: "jobreactor_node_started") == 1 }
            await node.stop(grace: 0)
            try await cluster.startNode("n2", for: [distributor])
            try await eventually("it runs again") { backend.counterTotal(label: "jobreactor_node_started") == 2 }
            #expect(
                backend.counterTotal(label: "jobreactor_distributor_redelivered", dimensions: [("job", "pauses")]) == 1)
            #expect(backend.counterTotal(label: "jobreactor_distributor_sent", dimensions: [("node", "n2")]) == 1)
        }
    }

    @Test("what runs long, what is loaded, what a storage takes and refuses, and what is lost, is counted")
    func wrongs() async throws {
        try await Self.measured { backend, cluster in
            func count(_ metric: String, _ label: (String, String)) -> Int64 {
                backend.counterTotal(label: "jobreactor_\(metric)", dimensions: [label])
            }
            func value(_ gauge: String, _ labels: [(String, String)] = []) -> Double? {
                try? backend.expectGauge("jobreactor_\(gauge)", labels).lastValue
            }
            func calls(_ call: String) -> Int {
                let timers = backend.timers(label: "jobreactor_node_storage_time", dimensions: [("call", call)])
                return timers.reduce(0) { $0 + $1.values.count }
            }
            let (refuses, distributor) = (Locked(false), try await cluster.startDistributor())
            let node = try await cluster.startNode("n1", for: [distributor]) {
                $0.logger.logLevel = .critical
                ($0.sliceWarning, $0.sliceLimit) = (0.1, 1)
                $0.storage = FaultInjectingStorage(MemoryStorage()) { call in
                    call.kind == .save && refuses.withLock { $0 } ? FaultInjectingStorage.fault : nil
                }
            }
            try await waitForNodes(["n1"], at: distributor)
            await #expect(throws: JobFailure.self) { try await distributor.perform("spins", timeout: 120) }
            #expect(count("node_long_slices", ("job", "spins")) == 1)
            #expect(count("node_interrupted_slices", ("job", "spins")) == 1)
            _ = try await distributor.perform("good", [:], JobOptions(after: 1), timeout: 120)
            let late = backend.timers(label: "jobreactor_node_late_time")
            #expect(late.filter { !$0.values.isEmpty }.map { $0.dimensions.last?.1 } == ["good"])
            #expect(calls("save") >= 2 && calls("apply") >= 2 && count("node_storage_errors", ("call", "save")) == 0)

            _ = try await node.reload()
            #expect(count("node_reloads", ("outcome", "loaded")) == 1)
            try Data("job('half'".utf8).write(to: URL(filePath: cluster.jobDirectory + "/half.lua"))
            _ = try await node.reload()
            await node.setGauges()
            #expect(value("node_broken_scripts", [("node", "n1")]) == 1)
            #expect(try #require(value("node_lua_memory_bytes", [("node", "n1")])) > 0)
            #expect(value("node_distributors", [("node", "n1")]) == 1)

            refuses.withLock { $0 = true }
            try distributor.enqueue("good")
            try await eventually("a refusal") { count("node_storage_errors", ("call", "save")) >= 1 }
            await node.setGauges()
            #expect(value("node_storage_refuses", [("node", "n1")]) == 1)
            let health = await node.health()
            #expect(health.hindrances == ["its storage refuses"] && health.isHealthy && !health.isReady)

            try distributor.enqueue("unknown")
            await node.stop(grace: 0)
            try await eventually("the loss of the link") { count("distributor_links_lost", ("node", "n1")) == 1 }
            // What no node defines any more is parked as well.
            try await eventually("what is parked") {
                await distributor.setGauges()
                return value("distributor_parked_jobs") == 2
            }
        }
    }

    @Test("the page has every metric, with its kind and labels, and no other") func page() async throws {
        let rows = try DocumentationPage.named("Metrics").rows
        let described = MetricDescription.all.map {
            [$0.name, $0.kind.rawValue, $0.labels.joined(separator: ", "), $0.help]
        }
        #expect(rows.map { cells in cells.map { $0.replacing("`", with: "") } } == described)
        let told = MetricDescription.all.map {
            "\($0.name) \($0.kind.rawValue) \($0.labels.sorted().joined(separator: ","))"
        }
        let emitted = Locked<Set<String>>([])
        try await Self.measured { backend, cluster in
            let distributor = try await cluster.startDistributor {
                $0.name = "d1"
                $0.storage = MemoryStorage()
            }
            try await cluster.startNode("n1", for: [distributor])
            let client = try await JobClient.connect(host: "localhost", port: distributor.port ?? 0)
            _ = try await client.perform("good", timeout: 120)
            await client.stop()
            await distributor.setGauges()
            func shown(_ name: String, _ kind: String, _ labels: [(String, String)]) -> String {
                "\(name) \(kind) \(labels.map(\.0).sorted().joined(separator: ","))"
            }
            let counters = backend.counters.map { shown($0.label, "counter", $0.dimensions) }
            let timers = backend.timers.map { shown($0.label, "timer", $0.dimensions) }
            let gauges = backend.recorders.map { shown($0.label, $0.aggregate ? "recorder" : "gauge", $0.dimensions) }
            #expect(backend.meters.isEmpty)
            emitted.withLock { $0 = Set(counters + timers + gauges) }
        }
        #expect(told.count == Set(told).count)
        #expect(Set(told) == emitted.withLock { $0 })
    }

    @Test("the first hundred names are told apart, the others are one, and each is made once") func names() {
        let made = Locked<[String]>([])
        var metrics = MetricsByName { name in
            made.withLock { $0.append(name) }
            return name
        }
        metrics.prepare((0..<60).map { "a\($0)" })
        var found: Set<String> = []
        for number in 0..<1000 { found.insert(metrics["b\(number % 500)"]) }
        let (first, last) = (metrics["a59"], metrics["b499"])
        #expect(first == "a59" && last == "other" && found.count == 41)
        metrics.prepare(["c"])
        #expect(made.withLock { $0.count } == 101)
    }

    @Test("limits beyond the first hundred are one, and one that is gone stands at 0") func limits() throws {
        let backend = TestMetrics()
        let gauges = try #require(withMetricsFactory(backend) { MetricsBackend().map { LimitGauges($0) } })
        func value(_ gauge: String, _ limit: String) -> Double? {
            try? backend.expectGauge("jobreactor_distributor_limit_\(gauge)", [("limit", limit)]).lastValue
        }
        func totals(_ numbers: Range<Int>) -> [LimitTotal] {
            numbers.map { LimitTotal(limit: Limit(name: "l\($0)", concurrency: 5), inUse: 2, waiting: 3) }
        }
        expect(gauges.set(totals(0..<110)))
        expect(!gauges.set(totals(0..<110)))
        #expect(value("in_use", "l99") == 2 && value("waiting", "l99") == 3 && value("size", "l99") == 5)
        #expect(value("in_use", "l100") == nil && value("in_use", "other") == 20 && value("size", "other") == 50)
        expect(gauges.set(totals(0..<99)))
        #expect(value("in_use", "l98") == 2 && value("in_use", "l99") == 0 && value("size", "other") == 0)
    }

    @Test("without a backend there is nothing to count with") func none() {
        expect(MetricsBackend() == nil)
        expect(withMetricsFactory(TestMetrics()) { MetricsBackend() } != nil)
    }
}
