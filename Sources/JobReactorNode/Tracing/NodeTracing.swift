internal import JobReactor
internal import JobReactorCore
internal import JobReactorLua
internal import Tracing

/// The spans of the runs of a node that are under way.
final class NodeTracing {
    let tracing: JobTracing
    private let node: String
    private var spans: [JobID: any Span] = [:]

    init(_ tracing: JobTracing, node: String) {
        self.tracing = tracing
        self.node = node
    }

    /// The run as it goes to its lane: what its steps ask others for carries its span. That of its errbacks is the same.
    func begin(_ run: LuaLane.Run) -> LuaLane.Run {
        var run = run
        let job = run.job
        let span: any Span
        if run.raised != nil, let open = spans[job.id] {
            span = open
        } else {
            if let runAt = job.runAt { tracing.waited(job, from: job.dueAt, to: runAt, at: "node") }
            span = tracing.run(job, onNode: node)
            spans.updateValue(span, forKey: job.id)?.end()
        }
        run.trace = JobTrace(tracing.fields(of: span))
        return run
    }

    /// What is to be stored of the end of a run: of one that is made again, what the next links to.
    func end(_ ending: Ending) -> Ending {
        guard let span = spans.removeValue(forKey: ending.job.id) else { return ending }
        var transition = ending.transition
        let fields = transition.job.trace?.fields ?? [:]
        span.updateAttributes { $0["jobreactor.status"] = transition.job.status.rawValue }
        switch (transition.next, transition.feedback?.kind) {
        case (.wait, nil):
            transition.job.trace = JobTrace(fields, lastRun: tracing.fields(of: span))
            span.setStatus(SpanStatus(code: .error, message: transition.job.lastError))
        case (_, .error): span.setStatus(SpanStatus(code: .error, message: transition.job.lastError))
        case (.wait, _): transition.job.trace = JobTrace(fields)
        case (.keep, _), (.remove, _), (.park, _), (.errbacks, _): break
        }
        span.end()
        return Ending(transition: transition, report: ending.report)
    }

    /// These runs are not made, or nobody hears of their ends.
    func drop(_ ids: some Sequence<JobID>) {
        for id in ids { spans.removeValue(forKey: id)?.end() }
    }

    func dropAll() { drop(Array(spans.keys)) }
}
