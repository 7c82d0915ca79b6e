internal import JobReactorCore

/// Carries out what test scripts ask for: runs of jobs in the state of the test, which pauses meanwhile.
///
/// From any thread.
final class TestBench: Sendable {
    /// Tests that run longer than this many seconds are interrupted, and so are the jobs that they run.
    static let timeout = 60.0

    let log = TestLog()
    private let policy: JobPolicy
    private let state = Locked(State())

    private struct State {
        /// Nil before the start and after the end.
        var lane: LuaLane?
        var titles: [String] = []
        var definitions: [String: ScriptPolicy] = [:]
        var schedules: [String: Schedule] = [:]
        var ids = JobID.Generator()
        var lastRun: UInt64 = 0
        var underWay: [JobID: UnderWay] = [:]
    }

    private struct UnderWay {
        var progress: LuaLane.Note?
        var done: @Sendable (LuaLane.Outcome, LuaLane.Note?) -> Void
    }

    init(policy: JobPolicy) { self.policy = policy }

    /// Runs begin on the lane, whose results go to ``collect()``.
    func use(_ lane: LuaLane?) { state.withLock { $0.lane = lane } }

    func use(_ report: ScriptReport) {
        state.withLock { state in
            for definition in report.definitions { state.definitions[definition.name] = definition.policy }
            for schedule in report.schedules { state.schedules[schedule.schedule.name] = schedule.schedule }
        }
    }

    // MARK: Tests

    /// Returns the number by which its job is named.
    func addTest(titled title: String) -> Int {
        state.withLock { state in
            state.titles.append(title)
            return state.titles.count
        }
    }

    func title(_ number: Int) -> String? {
        state.withLock { $0.titles.indices.contains(number - 1) ? $0.titles[number - 1] : nil }
    }

    // MARK: Runs

    /// Runs a job from its body to its end; calls `done` on the lane's thread. Returns its id; nil when the lane has ended.
    func run(
        _ name: String, _ args: JobArguments, attempt: Int32 = 1, timeout: Double, tick: JobTick? = nil,
        done: @escaping @Sendable (LuaLane.Outcome, LuaLane.Note?) -> Void
    ) -> JobID? {
        let now = Timestamp.now
        let started: (LuaLane, LuaLane.Run)? = state.withLock { state in
            guard let lane = state.lane else { return nil }
            var options = JobOptions()
            options.tick = tick
            var job = Job(id: state.ids.next(at: now), name: name, args: args, options: options, createdAt: now)
            job.attempt = attempt - 1
            job = JobLifecycle.begin(job, now: now)
            state.lastRun += 1
            state.underWay[job.id] = UnderWay(done: done)
            return (lane, LuaLane.Run(job: job, number: state.lastRun, timeout: timeout))
        }
        guard let (lane, run) = started else { return nil }
        lane.submit([run])
        return run.job.id
    }

    /// Takes what has come out of the lane. What jobs enqueue goes nowhere: the scripts have noted it.
    func collect() {
        guard let results = state.withLock({ $0.lane })?.takeResults() else { return }
        let ended = state.withLock { state in
            for note in results.notes.values { state.underWay[note.job.id]?.progress = note }
            return results.outcomes.compactMap { outcome in
                state.underWay.removeValue(forKey: outcome.job.id).map { ($0, outcome) }
            }
        }
        for (run, outcome) in ended { run.done(outcome, run.progress) }
    }

    /// `run_job` of the library. Returns what ends the run when nobody waits for it any more.
    func runJob(
        named name: String, args: [UInt8], attempt: Int32, tick: JobTick?, _ done: @escaping ScriptFunction.Done
    ) throws(ScriptFailure) -> (@Sendable () -> Void)? {
        let definitions = state.withLock { $0.definitions }
        guard let script = definitions[name] else {
            let near = NearestName.find(name, among: definitions.keys.sorted())
            let hint = near.map { " (did you mean '\($0)'?)" } ?? ""
            throw ScriptFailure("no script defines the job '\(name)'\(hint)")
        }
        let arguments: JobArguments
        do throws(JSONError) { arguments = try JobArguments(json: args) } catch {
            throw ScriptFailure("args: \(error)")
        }
        let id = run(name, arguments, attempt: attempt, timeout: script.timeout ?? Self.timeout, tick: tick) {
            [policy, log] outcome, progress in
            let said = log.take(outcome.job.id)
            let policy = policy.applying(script, outcome.job)
            done(.success([.json(TestedRun(outcome, progress, said: said, policy: policy).json)]))
        }
        guard let id else { throw ScriptFailure("the tests have ended") }
        return { [weak self] in _ = self?.state.withLock({ $0.lane })?.cancel(id) }
    }

    // MARK: Schedules

    /// Ticks that a test may run at once.
    private static let mostTicks = 1000

    /// `ticks` of the library: the job and the args of a schedule, and when it is due after the one time and not after the other.
    /// Intervals count from the first.
    func ticks(of name: String, after start: Timestamp, notAfter end: Timestamp) throws(ScriptFailure) -> [UInt8] {
        let schedules = state.withLock { $0.schedules }
        guard let schedule = schedules[name] else {
            let near = NearestName.find(name, among: schedules.keys.sorted())
            let hint = near.map { " (did you mean '\($0)'?)" } ?? ""
            throw ScriptFailure("no script defines the schedule '\(name)'\(hint)")
        }
        var ticks: [JSONValue] = []
        do throws(JobError) {
            let times = try schedule.times()
            var last = start
            while let next = times.next(after: last, countedFrom: start), next.at <= min(end, schedule.ends ?? end) {
                last = next.at
                if let starts = schedule.starts, last < starts { continue }
                guard ticks.count < Self.mostTicks else {
                    throw JobError(
                        .invalidOption, "more than \(Self.mostTicks) ticks are due in that time: use a shorter time")
                }
                let (seconds, rest) = last.microseconds.quotientAndRemainder(dividingBy: 1_000_000)
                ticks.append(rest == 0 ? .integer(seconds) : .number(last.seconds))
            }
        } catch { throw ScriptFailure("the schedule '\(name)': \(error.message)") }
        let found = JSONValue.object([
            "job": .string(schedule.job), "args": schedule.args.value, "ticks": .array(ticks),
        ])
        return Array(found.json.utf8)
    }
}
