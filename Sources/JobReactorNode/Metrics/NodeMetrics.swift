internal import CoreMetrics
internal import JobReactor
internal import JobReactorCore

/// What a node counts, where the program has a backend for metrics. The page "Metrics" has them all.
final class NodeMetrics {
    private struct OfJob {
        let received, started, succeeded, failed, retried, cancelled, parked, enqueued: Counter
        let longSlices, interruptedSlices: Counter
        let waitTime, lateTime, runTime: Timer

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
            longSlices = counter("long_slices")
            interruptedSlices = counter("interrupted_slices")
            waitTime = backend.timer("jobreactor_node_wait_time", ("job", name))
            lateTime = backend.timer("jobreactor_node_late_time", ("job", name))
            runTime = backend.timer("jobreactor_node_run_time", ("job", name))
        }
    }

    private var jobs: MetricsByName<OfJob>
    private let reports, linksLost, reloads, failedReloads: Counter

    init(_ backend: MetricsBackend) {
        jobs = MetricsByName { OfJob($0, backend) }
        reports = backend.counter("jobreactor_node_reports")
        linksLost = backend.counter("jobreactor_node_links_lost")
        reloads = backend.counter("jobreactor_node_reloads", ("outcome", "loaded"))
        failedReloads = backend.counter("jobreactor_node_reloads", ("outcome", "failed"))
    }

    /// Scripts define these jobs.
    func prepare(_ names: [String]) { jobs.prepare(names) }

    func received(_ received: [Job], new: Set<JobID>) {
        for job in received where new.contains(job.id) { jobs[job.name].received.increment() }
    }

    /// The steps of a job that has begun are to run.
    func started(_ job: Job) {
        jobs[job.name].started.increment()
        guard let runAt = job.runAt else { return }
        jobs[job.name].waitTime.record(from: job.dueAt, to: max(runAt, job.dueAt))
        // It had to wait for its time, so that there is something to be late for.
        if job.makeAfter != nil { jobs[job.name].lateTime.record(from: job.dueAt, to: max(runAt, job.dueAt)) }
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

    /// The connection to a distributor has ended, for whatever reason.
    func linkLost() { linksLost.increment() }

    /// Scripts are in use that were loaded while the node ran, or could not be read.
    func reloaded(_ isLoaded: Bool) { (isLoaded ? reloads : failedReloads).increment() }

    /// A run has gone on without a pause for longer than the log waits before it says so.
    func ranLong(_ job: String) { jobs[job].longSlices.increment() }

    /// It has gone on for so long that it is interrupted.
    func interrupted(_ job: String) { jobs[job].interruptedSlices.increment() }

    /// A script enqueues a job.
    func enqueued(_ job: String) { jobs[job].enqueued.increment() }
}
