import CoreMetrics
import JobReactor
import JobReactorCore
import MetricsTestKit
import Testing

@testable import JobReactorNode

/// What each end of a run counts as.
@Suite("Metrics of a node") struct NodeMetricsTests {
    private static let now = Timestamp(seconds: 1000)

    private static func job(period: Double? = nil) -> Job {
        JobLifecycle.begin(
            Job(
                id: JobID(high: 1, low: 1), name: "j", args: [:], options: JobOptions(period: period), distributor: "d",
                createdAt: now),
            now: now.advanced(bySeconds: 2))
    }

    /// The counters that the end has incremented, and the seconds of its run.
    private static func counted(
        _ kind: RunOutcome.Kind, _ job: Job = NodeMetricsTests.job(), most: Int = 1, hasRun: Bool = true
    ) throws -> (counters: [String], run: [Double]) {
        let backend = TestMetrics()
        let metrics = try #require(withMetricsFactory(backend) { MetricsBackend(labels: [("node", "n")]) })
        let end = JobLifecycle.end(
            job, RunOutcome(kind, args: job.args), policy: JobPolicy(maxAttempt: most), now: now.advanced(bySeconds: 5))
        NodeMetrics(metrics).ended(end, hasRun: hasRun, at: now.advanced(bySeconds: 5))
        let counters = backend.counters.filter { $0.totalValue > 0 }
        #expect(counters.allSatisfy { counter in counter.dimensions.map(\.1) == ["n", "j"] })
        let times = backend.timers(label: "jobreactor_node_run_time").flatMap(\.values)
        return (counters.map { String($0.label.dropFirst("jobreactor_node_".count)) }, times.map { Double($0) / 1e9 })
    }

    @Test("good, failed, tried again, cancelled, parked: each end counts as one, and as a run when there was one")
    func ends() throws {
        let table: [(RunOutcome.Kind, Job, Int, String, [Double])] = [
            (.succeeded, Self.job(), 1, "succeeded", [3]), (.succeeded, Self.job(period: 9), 1, "succeeded", [3]),
            (.failed, Self.job(), 1, "failed", [3]), (.failed, Self.job(), 2, "retried", [3]),
            (.cancelled, Self.job(), 1, "cancelled", [3]), (.failedCancelled, Self.job(), 1, "cancelled", [3]),
            (.undefined, Self.job(), 1, "parked", []),
        ]
        for (kind, job, most, counter, times) in table {
            let counted = try Self.counted(kind, job, most: most)
            #expect(counted.counters == [counter] && counted.run == times, "\(kind)")
        }
        let unbegun = try Self.counted(.cancelled, hasRun: false)
        #expect(unbegun.counters == ["cancelled"] && unbegun.run.isEmpty)
    }

    @Test("a run has waited since it was due, and not less than nothing") func waits() throws {
        let backend = TestMetrics()
        let metrics = NodeMetrics(try #require(withMetricsFactory(backend) { MetricsBackend() }))
        metrics.started(Self.job())
        var early = Self.job()
        early.dueAt = Self.now.advanced(bySeconds: 60)
        metrics.started(early)
        #expect(backend.timers(label: "jobreactor_node_wait_time").flatMap(\.values) == [2_000_000_000, 0])
        #expect(backend.counterTotal(label: "jobreactor_node_started") == 2)
        #expect(backend.timers(label: "jobreactor_node_late_time").flatMap(\.values).isEmpty)
        var delayed = Self.job()
        delayed.makeAfter = 60
        metrics.started(delayed)
        #expect(backend.timers(label: "jobreactor_node_late_time").flatMap(\.values) == [2_000_000_000])
    }
}
