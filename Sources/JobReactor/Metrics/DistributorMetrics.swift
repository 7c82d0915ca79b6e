internal import CoreMetrics
internal import JobReactorCore

/// What a distributor counts, where the program has a backend for metrics. The page "Metrics" has them all.
final class DistributorMetrics {
    private struct OfJob {
        let enqueued, parked, redelivered, succeeded, failed, cancelled: Counter
        let waitTime, totalTime: Timer

        init(_ name: String, _ backend: MetricsBackend) {
            func counter(_ what: String) -> Counter { backend.counter("jobreactor_distributor_\(what)", ("job", name)) }
            enqueued = counter("enqueued")
            parked = counter("parked")
            redelivered = counter("redelivered")
            succeeded = counter("succeeded")
            failed = counter("failed")
            cancelled = counter("cancelled")
            waitTime = backend.timer("jobreactor_distributor_wait_time", ("job", name))
            totalTime = backend.timer("jobreactor_distributor_total_time", ("job", name))
        }
    }

    private struct OfNode {
        let sent, reports, linksLost: Counter

        init(_ name: String, _ backend: MetricsBackend) {
            sent = backend.counter("jobreactor_distributor_sent", ("node", name))
            reports = backend.counter("jobreactor_distributor_reports", ("node", name))
            linksLost = backend.counter("jobreactor_distributor_links_lost", ("node", name))
        }
    }

    private var jobs: MetricsByName<OfJob>
    private var nodes: MetricsByName<OfNode>

    init(_ backend: MetricsBackend) {
        jobs = MetricsByName { OfJob($0, backend) }
        nodes = MetricsByName { OfNode($0, backend) }
    }

    /// A node is there, and defines these jobs.
    func prepare(_ node: String?, jobs names: [String]) {
        jobs.prepare(names)
        if let node { nodes.prepare([node]) }
    }

    func enqueued(_ job: String) { jobs[job].enqueued.increment() }

    /// It waits, and no node that is connected defines it.
    func parked(_ job: String) { jobs[job].parked.increment() }

    func sent(_ job: Job, to node: String?, at now: Timestamp) {
        if let node { nodes[node].sent.increment() }
        jobs[job.name].waitTime.record(from: job.dueAt, to: max(now, job.dueAt))
    }

    /// A node had it, and it goes to a node again.
    func redelivered(_ job: String) { jobs[job].redelivered.increment() }

    func reported(by node: String?) { if let node { nodes[node].reports.increment() } }

    /// The connection to a node has ended, for whatever reason.
    func lost(_ node: String) { nodes[node].linksLost.increment() }

    func cancelled(_ job: String) { jobs[job].cancelled.increment() }

    func ended(_ job: String, _ report: JobReport) {
        switch (report.status, report.feedback.kind) {
        case (.cancelled, _): jobs[job].cancelled.increment()
        case (_, .success): jobs[job].succeeded.increment()
        case (_, .error): jobs[job].failed.increment()
        }
    }

    /// Its end has come here, for which somebody has waited since it was due.
    func took(_ job: String, from due: Timestamp, to now: Timestamp) {
        jobs[job].totalTime.record(from: due, to: now)
    }
}
