internal import CoreMetrics
internal import JobReactor
internal import JobReactorCore

/// What a node counts, where the program has a backend for metrics. The page "Metrics" has them all.
final class NodeMetrics {
    private struct OfJob {
        let received, started, succeeded, failed, retried, cancelled, parked, enqueued: Counter
        let waitTime, runTime: Timer

        init(_ name: String, _ backend: MetricsBackend) {
            func counter(_ what: String) -> Counter { backend.counter("jobreactor_node_\(what)", ("job", name)) }
            received = counter("received")
            started = counter("started")
            succeeded = counter("succeeded")
            failed = counter("failed")
            retried = counter("retried")
            cancelled = counter("cancelled")
            parked = counter("parked")
            enqueued = counter("enqueued")
            waitTime = backend.timer("jobreactor_node_wait_time", ("job", name))
            runTime = backend.timer("jobreactor_node_run_time", ("job", name))
        }
    }

    private var jobs: MetricsByName<OfJob>
    private let reports: Counter

    init(_ backend: MetricsBackend) {
        jobs = MetricsByName { OfJob($0, backend) }
        reports = backend.counter("jobreactor_node_reports")
    }

    /// Scripts define these jobs.
    func prepare(_ names: [String]) { jobs.prepare(names) }

    func received(_ received: [Job], new: Set<JobID>) {
        for job in received where new.contains(job.id) { jobs[job.name].received.increment() }
    }

    /// The steps of a job that has begun are to run.
    func started(_ job: Job) {
        jobs[job.name].started.increment()
        if let runAt = job.runAt { jobs[job.name].waitTime.record(from: job.dueAt, to: max(runAt, job.dueAt)) }
    }

    /// The end of a run is stored, or that of a job which has not run, as `hasRun` says.
    func ended(_ transition: JobLifecycle.Transition, hasRun: Bool, at now: Timestamp) {
        let job = transition.job
        switch (job.status, transition.next) {
        case (.complete, _): jobs[job.name].succeeded.increment()
        case (.failed, _): jobs[job.name].failed.increment()
        case (.cancelled, _): jobs[job.name].cancelled.increment()
        case (.queued, .park):
            // Nothing of it has run.
            return jobs[job.name].parked.increment()
        case (.queued, .wait) where transition.feedback != nil: jobs[job.name].succeeded.increment()
        case (.queued, .wait): jobs[job.name].retried.increment()
        case (.queued, _), (.new, _), (.inProgress, _), (.error, _): return
        }
        if hasRun, let runAt = job.runAt { jobs[job.name].runTime.record(from: runAt, to: now) }
    }

    func reported() { reports.increment() }

    /// A script enqueues a job.
    func enqueued(_ job: String) { jobs[job].enqueued.increment() }
}
