internal import JobReactorCore
internal import JobReactorLua

/// Makes the runs that a lane is given, and the ends that are stored and told, as the node is configured and the scripts in use
/// say. What a run comes to is ``JobLifecycle``'s to decide. A value without I/O.
struct RunMaker {
    /// Whether the node's storage is durable.
    let isDurable: Bool
    private let node: String
    private let mergesJob: Bool
    private var lastNumber: UInt64 = 0
    private var policies: JobPolicies

    init(_ configuration: NodeConfiguration) {
        isDurable = configuration.storage.isDurable
        node = configuration.name
        mergesJob = configuration.mergeJobItselfToArgs
        policies = JobPolicies(configuration.policy)
    }

    /// Other scripts are in use.
    mutating func use(_ definitions: [ScriptReport.Definition], _ limits: [Limit]) {
        policies.use(definitions, limits)
    }

    /// The jobs that the scripts define, in their order.
    var jobNames: [String] { policies.names }
    /// Attempts that the policy allows the job.
    func mostAttempts(of job: Job) -> Int { policies[job].maxAttempt }

    /// Whether any job has limits.
    var haveLimits: Bool { policies.haveLimits }
    func needs(of job: Job) -> [LimitNeed] { policies.needs(of: job) }
    func priority(of job: Job) -> Int { policies.priority(of: job) }

    func itself(_ job: Job) -> [UInt8]? { mergesJob ? job.itself(onNode: node) : nil }

    /// A run of a job that has begun.
    mutating func run(_ job: Job) -> LuaLane.Run {
        lastNumber += 1
        let timeout = policies.haveTimeouts ? policies.policy(of: job).timeout : nil
        var run = LuaLane.Run(job: job, jobItself: itself(job), number: lastNumber, timeout: timeout, pauses: true)
        run.priority = UInt8(clamping: priority(of: job))
        return run
    }

    /// What the outcome of a run comes to.
    mutating func end(
        _ ended: LuaLane.Outcome, isCancelled: Bool, now: Timestamp
    ) -> JobLifecycle.Transition {
        JobLifecycle.end(
            ended.job, told(ended), policy: policies.policy(of: ended.job), isCancelled: isCancelled, now: now)
    }

    /// Nodes are chosen by names as people read them, and Lua finds a job by the bytes of its name: one whose name only looks
    /// like that of a script would be returned, and come back, for ever.
    private func told(_ ended: LuaLane.Outcome) -> RunOutcome {
        guard ended.outcome.kind == .undefined, let alike = policies.lookalike(of: ended.job.name) else {
            return ended.outcome
        }
        let text =
            "no script defines the job: the name '\(alike)' looks the same, but has different bytes (another Unicode form)"
        let error = Array(JSONValue.string(text).json.utf8)
        return RunOutcome(.failed, args: ended.job.args, error: error, message: text)
    }

    /// The end of a job that was cancelled before it ran.
    func cancelled(_ job: Job) -> Ending { ending(JobLifecycle.cancel(job, policy: policies[job])) }

    /// The end of a suspect whose turn it is; nil for one that may run.
    func arrived(_ job: Job, now: Timestamp) -> Ending? {
        JobLifecycle.arrive(job, policy: policies[job], now: now).map(ending)
    }

    /// What is to be stored of a job that an earlier process has left; nil when it waits as it is.
    func takenUp(_ job: Job, now: Timestamp) -> Ending? {
        JobLifecycle.takeUp(job, policy: policies[job], now: now).map(ending)
    }

    func ending(_ transition: JobLifecycle.Transition) -> Ending {
        guard let feedback = transition.feedback else { return Ending(transition: transition, report: nil) }
        return Ending(transition: transition, report: report(of: transition.job, feedback))
    }

    /// What a distributor is told of a job.
    func report(of job: Job, _ feedback: Feedback) -> JobReport {
        var feedback = feedback
        if let itself = itself(job) { feedback.args = feedback.args.setting([("job_itself", itself)]) }
        return JobReport(id: job.id, name: job.name, feedback: feedback, status: job.status, run: job.runs)
    }
}

/// The end of a run, to be stored and then told.
struct Ending {
    let transition: JobLifecycle.Transition
    let report: JobReport?
    var job: Job { transition.job }

    /// What of it is stored. The report is kept with it until it is taken, but in a storage that forgets: there the
    /// distributor keeps the job until it has the report.
    func change(isDurable: Bool, isDestroyed: Bool, madeAt: Timestamp) -> JobChange {
        let kept = isDurable ? report : nil
        let stored = kept.map { StoredReport($0, distributor: job.distributor, madeAt: madeAt) }
        return switch transition.next {
        case .keep where isDestroyed: .remove(job.id, stored)
        case .wait, .keep, .errbacks: .update(job, stored)
        case .remove: .remove(job.id, stored)
        case .park: isDurable ? .update(job) : .remove(job.id)
        }
    }
}
