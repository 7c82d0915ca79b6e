internal import CoreMetrics
internal import JobReactorCore

/// What a client counts, where the program has a backend for metrics. The page "Metrics" has them all.
final class ClientMetrics {
    private struct OfJob {
        let enqueued, succeeded, failed, cancelled: Counter
        let totalTime: Timer

        init(_ name: String, _ backend: MetricsBackend) {
            func counter(_ what: String) -> Counter { backend.counter("jobreactor_client_\(what)", ("job", name)) }
            enqueued = counter("enqueued")
            succeeded = counter("succeeded")
            failed = counter("failed")
            cancelled = counter("cancelled")
            totalTime = backend.timer("jobreactor_client_total_time", ("job", name))
        }
    }

    private var jobs: MetricsByName<OfJob>

    init(_ backend: MetricsBackend) {
        jobs = MetricsByName { OfJob($0, backend) }
    }

    func enqueued(_ job: String) { jobs[job].enqueued.increment() }

    /// The distributor can never take it.
    func refused(_ job: String) { jobs[job].failed.increment() }

    /// A run has ended that was due then.
    func ended(_ job: String, _ report: JobReport, due: Timestamp, at now: Timestamp) {
        switch (report.status, report.feedback.kind) {
        case (.cancelled, _): jobs[job].cancelled.increment()
        case (_, .success): jobs[job].succeeded.increment()
        case (_, .error): jobs[job].failed.increment()
        }
        jobs[job].totalTime.record(from: due, to: now)
    }
}
