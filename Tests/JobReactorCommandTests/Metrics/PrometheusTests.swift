import CoreMetrics
import JobReactor
import JobReactorTesting
import Testing

@testable import JobReactorCommand

/// What is counted, as Prometheus reads it.
@Suite struct PrometheusTests {
    private static func text(_ registry: PrometheusRegistry) -> String {
        var text = PrometheusText()
        registry.write(to: &text)
        return text.text
    }

    @Test func countersGaugesAndTimersAreFamiliesWithTheirTexts() throws {
        let registry = PrometheusRegistry(["jobs_done": "Jobs that\nare \\ done"])
        let done = Counter(label: "jobs_done", dimensions: [("node", "n1"), ("job", "a\"b")], factory: registry)
        done.increment(by: 3)
        done.increment(by: -5)
        Counter(label: "jobs_done", dimensions: [("job", "a\"b"), ("node", "n1")], factory: registry).increment()
        Gauge(label: "jobs_waiting", factory: registry).record(7)
        let time = Timer(label: "job_time", factory: registry)
        for milliseconds in [1, 2, 30_000, 5_000_000] { time.recordMilliseconds(milliseconds) }
        #expect(
            Self.text(registry) == """
                # HELP job_time_seconds Counted by a library under the name job_time.
                # TYPE job_time_seconds histogram
                job_time_seconds_bucket{le="0.001"} 1
                job_time_seconds_bucket{le="0.005"} 2
                job_time_seconds_bucket{le="0.025"} 2
                job_time_seconds_bucket{le="0.1"} 2
                job_time_seconds_bucket{le="0.25"} 2
                job_time_seconds_bucket{le="0.5"} 2
                job_time_seconds_bucket{le="1"} 2
                job_time_seconds_bucket{le="2.5"} 2
                job_time_seconds_bucket{le="10"} 2
                job_time_seconds_bucket{le="60"} 3
                job_time_seconds_bucket{le="300"} 3
                job_time_seconds_bucket{le="3600"} 3
                job_time_seconds_bucket{le="+Inf"} 4
                job_time_seconds_sum 5030.003
                job_time_seconds_count 4
                # HELP jobs_done_total Jobs that\\nare \\\\ done.
                # TYPE jobs_done_total counter
                jobs_done_total{job_name="a\\"b",node="n1"} 4
                # HELP jobs_waiting Counted by a library under the name jobs_waiting.
                # TYPE jobs_waiting gauge
                jobs_waiting 7

                """)
    }

    @Test func whatAnotherLibraryCountsHasNamesThatPrometheusTakes() throws {
        let registry = PrometheusRegistry()
        Counter(label: "http.requests-total", dimensions: [("1st", "x"), ("instance", "y")], factory: registry)
            .increment()
        Gauge(label: "größe", factory: registry).record(0.5)
        // Two kinds cannot have one name.
        Counter(label: "same_total", factory: registry).increment()
        Gauge(label: "same_total", factory: registry).record(5)
        let lines = Self.text(registry).split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(
            lines == [
                "gr____e 0.5", "http_requests_total{_st=\"x\",instance_name=\"y\"} 1", "same_total 1",
            ])
    }

    @Test func oneLabelTooManyIsCountedAsAnother() throws {
        let registry = PrometheusRegistry()
        for number in 0..<3 * PrometheusRegistry.mostSeries {
            Counter(label: "runs", dimensions: [("job", "job \(number)")], factory: registry).increment()
        }
        let lines = Self.text(registry).split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(lines.count == PrometheusRegistry.mostSeries + 1)
        #expect(lines.contains("runs_total{job_name=\"other\"} \(2 * PrometheusRegistry.mostSeries)"))
        for number in 0..<2 * PrometheusRegistry.mostFamilies {
            Counter(label: "family_\(number)", factory: registry).increment()
        }
        let families = Self.text(registry).split(separator: "\n").count { $0.hasPrefix("# TYPE") }
        #expect(families == PrometheusRegistry.mostFamilies)
    }

    @Test func whatIsDestroyedIsGone() throws {
        let registry = PrometheusRegistry()
        let (first, second) = (Counter(label: "a", factory: registry), Counter(label: "b", factory: registry))
        first.increment()
        second.increment()
        first.destroy()
        #expect(Self.text(registry).contains("b_total 1") && !Self.text(registry).contains("a_total"))
    }

    @Test func aNodeIsNoMoreThanSomeThousandLinesHoweverManyJobsThereAre() async throws {
        let registry = PrometheusRegistry(MetricDescription.helps)
        let count = 3 * MetricsByName<Int>.most
        let script = (0..<count).map { "job('job_\($0)', function() end)" }.joined(separator: "\n")
        try await withMetricsFactory(registry) {
            try await Cluster.run(scripts: ["jobs.lua": script]) { cluster in
                let distributor = try await cluster.startDistributor()
                try await cluster.startNode("n1", for: [distributor])
                for number in 0..<count {
                    _ = try await distributor.perform("job_\(number)", timeout: 120)
                }
            }
        }
        let lines = Self.text(registry).split(separator: "\n")
        let started = lines.filter { $0.hasPrefix("jobreactor_node_started_total{") }
        #expect(started.count == MetricsByName<Int>.most + 1)
        #expect(started.contains("jobreactor_node_started_total{job_name=\"other\",node=\"n1\"} \(2 * count / 3)"))
        #expect(lines.count < 12_000)
    }

    @Test func theProgramTellsOfItself() {
        var text = PrometheusText()
        ProgramMetrics(role: "node", version: "1.2.3").write(to: &text)
        let lines = text.text.split(separator: "\n")
        #expect(lines.contains("jobreactor_build_info{role=\"node\",version=\"1.2.3\"} 1"))
        #expect(lines.contains("jobreactor_log_lines_dropped_total 0"))
        for name in [
            "process_start_time_seconds", "process_cpu_seconds_total", "process_resident_memory_bytes",
            "process_open_fds", "process_max_fds",
        ] {
            let value = lines.first { $0.hasPrefix(name + " ") }.flatMap { Double($0.dropFirst(name.count + 1)) }
            #expect(value ?? 0 > 0, "\(name)")
        }
    }
}
