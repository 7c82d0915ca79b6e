internal import JobReactorCore
internal import JobReactorLua
internal import Logging

/// The runs of a trial, all on one lane: of the job that was asked for, and of those that it and they enqueue and perform. Each
/// job runs once, as if that were its last attempt.
///
/// From any thread.
final class TrialRuns: Sendable {
    private struct Entry {
        var job: Job
        /// The lane has it: its time has come.
        var isSubmitted = false
        var done: @Sendable (RunOutcome) -> Void
    }

    private struct State {
        /// Nil before the start and after the end.
        var lane: LuaLane?
        var policies: [String: ScriptPolicy] = [:]
        /// Those that wait for their time are here too.
        var underWay: [JobID: Entry] = [:]
        var lastRun: UInt64 = 0
        var isCancelled = false
        /// Whether a job that nobody waits for has failed.
        var hasFailures = false
        /// Who waits until nothing is under way.
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Locked(State())
    /// Whether scripts see `args.job_itself`.
    private let merges: Bool

    init(merges: Bool) { self.merges = merges }

    func use(_ lane: LuaLane, _ report: ScriptReport) {
        state.withLock { state in
            state.lane = lane
            for definition in report.definitions { state.policies[definition.name] = definition.policy }
        }
    }

    func forgetLane() { state.withLock { $0.lane = nil } }

    // MARK: Runs

    /// Runs a job from its body to its end.
    func run(_ job: Job) async -> RunOutcome {
        await withCheckedContinuation { continuation in begin(job) { continuation.resume(returning: $0) } }
    }

    /// Returns when nothing is under way any more: whether no job that nobody waited for has failed.
    func others() async -> Bool {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if !state.underWay.isEmpty { state.waiting.append(continuation) }
                return state.underWay.isEmpty
            }
            if isIdle { continuation.resume() }
        }
        return state.withLock { !$0.hasFailures }
    }

    private func begin(_ job: Job, done: @escaping @Sendable (RunOutcome) -> Void) {
        let isCancelled = state.withLock { state in
            if !state.isCancelled { state.underWay[job.id] = Entry(job: job, done: done) }
            return state.isCancelled
        }
        guard !isCancelled else { return done(RunOutcome(.cancelled, args: job.args)) }
        let wait = job.dueAt.elapsed(since: .now)
        guard wait > 0 else { return submit(job) }
        Task {
            try? await Task.sleep(for: .microseconds(wait))
            self.submit(job)
        }
    }

    private func submit(_ job: Job) {
        let ready: (LuaLane, LuaLane.Run)? = state.withLock { state in
            guard let lane = state.lane, state.underWay[job.id] != nil else { return nil }
            state.underWay[job.id]?.isSubmitted = true
            state.lastRun += 1
            let begun = JobLifecycle.begin(job, now: .now)
            let run = LuaLane.Run(
                job: begun, jobItself: merges ? begun.itself(onNode: "run") : nil, number: state.lastRun,
                timeout: state.policies[job.name]?.timeout)
            return (lane, run)
        }
        if let (lane, run) = ready { lane.submit([run]) }
    }

    private func end(_ id: JobID, _ outcome: RunOutcome) {
        let entry = state.withLock { $0.underWay.removeValue(forKey: id) }
        entry?.done(outcome)
        // What its end has begun is under way by now.
        let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            guard state.underWay.isEmpty else { return [] }
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Has all jobs end at their next instructions, or pauses; further ones do not begin.
    func cancel() {
        let (lane, entries) = state.withLock { state in
            state.isCancelled = true
            return (state.lane, Array(state.underWay.values))
        }
        for entry in entries {
            // Of one that has not begun no outcome comes.
            guard lane?.cancel(entry.job.id) != nil || !entry.isSubmitted else { continue }
            end(entry.job.id, RunOutcome(.cancelled, args: entry.job.args))
        }
    }

    /// Takes what has come out of the lane, on a thread of it.
    func collect() {
        guard let results = state.withLock({ $0.lane })?.takeResults() else { return }
        for note in results.notes.values { Self.show(note) }
        for job in results.enqueued { enqueue(job) }
        for outcome in results.outcomes { end(outcome.job.id, outcome.outcome) }
    }

    private static func show(_ note: LuaLane.Note) {
        let words = [note.fraction.map { "\(Int($0 * 100)) %" }, note.text].compactMap { $0 }
        Terminal.note(Terminal.printable(words.joined(separator: " ")))
    }

    // MARK: Jobs that jobs give away

    /// Nobody waits for it: what comes of it is told. One that is to wait does not run.
    private func enqueue(_ enqueued: LuaLane.Enqueued) {
        let (job, problem) = make(enqueued)
        if let problem { return Terminal.note("warning: enqueue: \(Terminal.printable(problem))") }
        let wait = job.dueAt.elapsed(since: .now)
        guard wait <= 0 else {
            let seconds = Double(wait / 1000) / 1000
            return Terminal.note("-- enqueued to run in \(seconds) s; not run here: \(job.name) \(job.args)")
        }
        begin(job) { [self] outcome in
            guard JobTrial.hasFailed(outcome) else { return }
            state.withLock { $0.hasFailures = true }
            JobTrial.tell(outcome, of: job.name)
        }
    }

    /// `perform` of a script: it is answered as by a node.
    func perform(_ enqueued: LuaLane.Enqueued, _ done: @escaping ScriptFunction.Done) {
        let (job, problem) = make(enqueued)
        if let problem { return done(.failure(ScriptFailure("perform: \(problem)"))) }
        begin(job) { outcome in
            let begun = JobLifecycle.begin(job, now: .now)
            let end = JobLifecycle.end(begun, outcome, policy: JobPolicy(maxAttempt: 1), now: .now)
            guard let feedback = end.feedback else {
                return done(.failure(ScriptFailure("perform: no script defines the job '\(job.name)'")))
            }
            done(.success([.bool(feedback.kind == .success), .json(feedback.args.bytes)]))
        }
    }

    /// The job; and why it does not run.
    private func make(_ enqueued: LuaLane.Enqueued) -> (Job, problem: String?) {
        let job = Job(
            id: enqueued.id, name: enqueued.name, args: enqueued.args, options: enqueued.options, createdAt: .now)
        let (names, isKnown) = state.withLock { ($0.policies.keys.sorted(), $0.underWay[enqueued.id] != nil) }
        if isKnown { return (job, "a job with the id \(enqueued.id) is already running") }
        guard !names.contains(enqueued.name) else { return (job, nil) }
        let hint = NearestName.find(enqueued.name, among: names).map { " (did you mean '\($0)'?)" } ?? ""
        return (job, "no script defines the job '\(enqueued.name)'\(hint)")
    }
}
