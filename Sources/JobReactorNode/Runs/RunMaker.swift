internal import JobReactorCore
internal import JobReactorLua

/// Makes the runs that a lane is given, and the ends that are stored and told, as the node is configured. A value without I/O.
struct RunMaker {
    /// Whether the node's storage is durable.
    let isDurable: Bool
    private let node: String
    private let mergesJob: Bool
    private var lastNumber: UInt64 = 0

    init(_ configuration: NodeConfiguration) {
        isDurable = configuration.storage.isDurable
        node = configuration.name
        mergesJob = configuration.mergeJobItselfToArgs
    }

    func itself(_ job: Job) -> [UInt8]? { mergesJob ? job.itself(onNode: node) : nil }

    /// A run of a job that has begun.
    mutating func run(_ job: Job, timeout: Double?) -> LuaLane.Run {
        lastNumber += 1
        return LuaLane.Run(job: job, jobItself: itself(job), number: lastNumber, timeout: timeout, pauses: true)
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
