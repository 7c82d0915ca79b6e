internal import JobReactorCore
internal import JobReactorWire
internal import NIOCore

/// The connection over which jobs go to one node and reports come back.
final class NodeLink: ConnectionSession {
    let introduction: NodeIntroduction
    let connection: Connection
    var handle: Dispatcher.NodeHandle?
    private let core: DistributorCore
    private let ended: (String?) -> Void
    /// The number of the last report that came and is not acknowledged yet.
    private var reportToTake: Int?
    /// Why the node's storage refuses; empty while it works.
    private(set) var storageError = ""
    /// The node is still to say whether it takes this distributor, which it does with its first message.
    private var awaitsWelcome = false
    /// The node takes jobs with the options that came later: the mark of those that are awaited, and the trace.
    private var takesLaterOptions = false
    /// What the node's scripts say of the jobs that it names next, beside their names.
    private var definitions = NodeDefinitions()
    /// Who asked for records.
    private var shows: [JobID: [EventLoopPromise<[String]>]] = [:]
    private var openShows = 0

    /// Records that are asked for at one time.
    private static let maximumShows = 4096

    /// `ended` is called once, when the connection is gone.
    init(
        _ introduction: NodeIntroduction, connection: Connection, core: DistributorCore,
        ended: @escaping (String?) -> Void
    ) {
        self.introduction = introduction
        self.connection = connection
        self.core = core
        self.ended = ended
    }

    /// Takes over the connection.
    func begin() {
        connection.becomeLink()
        connection.write { LinkMessage.writeTakesLaterOptions(to: &$0) }
        core.nodeReady(self)
    }

    /// Takes over the connection when the node's first message does not say that the distributor is not welcome.
    func beginWhenWelcome() {
        awaitsWelcome = true
    }

    private func welcomed(_ frame: RESPFrame, on connection: Connection) {
        awaitsWelcome = false
        guard case .unwelcome(let reason) = try? Handshake(frame) else { return begin() }
        core.noteUnwelcome(at: introduction.name, introduction.server ?? connection.peer, reason)
        connection.close(reason: reason)
    }

    /// `isAgain` says that the node may have the job already; `suspect`, of one that a lost node had, how many of its
    /// attempts count.
    func send(
        _ job: Job, due: DueTime, number: Int, isAgain: Bool, suspect: Int32?, isPermitted: Bool = false,
        now: @autoclosure () -> Moment
    ) {
        let handOver = HandOver(number, job.id)
        if job.isPlain, !job.isDeferred, case .now = due, suspect == nil, !job.isAwaited, !isPermitted {
            connection.write { LinkMessage.writePlainJob(handOver, job.name, job.args, isAgain: isAgain, to: &$0) }
            return
        }
        var request = JobRequest(name: job.name, args: job.args, options: job.optionsToSend(due, now: now()))
        (request.suspect, request.isAwaited) = (suspect, job.isAwaited && takesLaterOptions)
        request.isPermitted = isPermitted && takesLaterOptions
        if !takesLaterOptions { request.options.dropLaterOptions() }
        connection.write { LinkMessage.writeJob(handOver, request, isAgain: isAgain, to: &$0) }
    }

    /// The node's job is to have these args and options. A node of an earlier release goes on with those that it has.
    func sendReplace(_ replacement: UniqueJobs.Replacement, now: Moment) {
        guard takesLaterOptions else { return }
        let job = replacement.job
        let request = JobRequest(
            name: job.name, args: job.args, options: job.optionsToSend(replacement.due, now: now))
        connection.write { LinkMessage.writeReplace(HandOver(replacement.number, job.id), request, to: &$0) }
    }

    func sendPermitted(_ id: JobID) {
        connection.write { LinkMessage.writePermitted(id, to: &$0) }
    }

    func sendDiscarded(_ id: JobID, _ reason: String) {
        connection.write { LinkMessage.writeDiscarded(id, reason, to: &$0) }
    }

    /// Runs of these jobs do not begin there, or of any job. A node of an earlier release begins what it has.
    func sendHold(isNode: Bool, jobs: [String]) {
        guard takesLaterOptions else { return }
        connection.write { LinkMessage.writeHold(isNode: isNode, jobs: jobs, to: &$0) }
    }

    func sendAdopt(_ node: String?) {
        connection.write { LinkMessage.writeAdopt(node, to: &$0) }
    }

    func sendCancel(_ id: JobID) {
        connection.write { LinkMessage.writeCancel(id, to: &$0) }
    }

    /// The node's record of a job; empty when it has none, or is gone before it has answered. Fails when the node owes too
    /// many answers.
    func show(_ id: JobID) -> EventLoopFuture<[String]> {
        guard handle != nil else { return core.loop.makeSucceededFuture([]) }
        guard openShows < Self.maximumShows else {
            let text = "the node \(introduction.name) does not answer: try again"
            return core.loop.makeFailedFuture(JobError(.unreachable, text))
        }
        openShows += 1
        let promise = core.loop.makePromise(of: [String].self)
        shows[id, default: []].append(promise)
        connection.write { LinkMessage.writeShow(id, to: &$0) }
        return promise.futureResult
    }

    func received(_ frame: RESPFrame, on connection: Connection) {
        if awaitsWelcome { welcomed(frame, on: connection) }
        guard let handle else { return }
        do throws(CommandError) {
            if let (number, report) = try LinkMessage.result(in: frame) {
                reportToTake = number
                return core.reported(report, from: handle)
            }
            switch try LinkMessage(frame) {
            // Read above.
            case .result: break
            case .credit(let count): core.change { $0.granted(handle, credit: count) }
            case .saved(let first, let last): core.change { $0.saved(first, through: last, by: handle) }
            case .returned(let returned): core.change { $0.returned(returned, by: handle) }
            case .refused(let refused, let reason):
                core.change { $0.refused(refused, by: handle, because: reason) }
            case .begun(let handOver, let attempt, let most):
                core.change { $0.began(handOver, attempt: attempt, of: most, at: handle) }
            case .paused(let handOver): core.change { $0.paused(handOver, at: handle) }
            case .waits(let handOver, let attempt): core.change { $0.failed(handOver, attempt: attempt, at: handle) }
            case .storageError(let reason): noteStorageError(reason)
            case .jobs(let names):
                core.change { $0.defines(handle, names, definitions) }
                core.noteDefined(names)
                core.defineSchedules(definitions.schedules, of: introduction.name)
            case .drain: core.change { $0.drains(handle) }
            case .adopted(let node, let isDone): core.change { $0.adopted(node, isDone, by: handle) }
            case .progress(let progress): core.progressed(progress, from: handle)
            case .shown(let id, let fields):
                let asked = shows.removeValue(forKey: id) ?? []
                openShows -= asked.count
                for promise in asked { promise.succeed(fields) }
            case .ping: break
            case .takesLaterOptions:
                takesLaterOptions = true
                core.sendHold(to: self)
            case .replaced(let message): core.change { $0.replaced(message, by: handle) }
            case .kept(let message): core.change { $0.kept(message, by: handle) }
            case .defines(let said, let problems):
                definitions = said
                core.noteProblems(of: introduction.name, problems)
            case .began(let id): core.tickBegan(id)
            case .permit(let id, let priority, let needs):
                core.change { $0.permit(id, priority: priority, needs, at: handle) }
            case .release(let id): core.change { $0.released(id, by: handle) }
            case .holds(let id, let seconds, let needs):
                core.change { $0.holds(id, secondsAgo: seconds, needs, at: handle) }
            case .job, .again, .unacceptable, .taken, .cancel, .show, .adopt, .permitted, .discarded, .replace, .hold:
                throw CommandError("ERR a node does not give jobs")
            }
        } catch {
            connection.refuse(error.line)
        }
    }

    private func noteStorageError(_ reason: String) {
        guard storageError != reason else { return }
        storageError = reason
        core.noteStorageError(of: introduction.name, reason)
    }

    func readCompleted(on connection: Connection) {
        guard let number = reportToTake else { return }
        reportToTake = nil
        core.noteMemory()
        // The node forgets them then.
        core.whenApplied { [core, introduction] in
            core.noteReceived(number, from: introduction)
            connection.write { LinkMessage.writeTaken(number, to: &$0) }
        }
        // What feedbacks have enqueued goes out in the same piece.
        core.takeSubmissions()
    }

    func disconnected(_ connection: Connection, reason: String?) {
        if let number = reportToTake {
            core.whenApplied { [core, introduction] in core.noteReceived(number, from: introduction) }
        }
        reportToTake = nil
        let unanswered = shows
        (shows, openShows) = ([:], 0)
        for promise in unanswered.values.joined() { promise.succeed([]) }
        if let handle {
            self.handle = nil
            core.nodeLost(handle, reason: reason)
        }
        ended(reason)
    }
}

extension JobOptions {
    /// A node of an earlier release does not know them, and has no need of them.
    mutating func dropLaterOptions() { (trace, priority, unique, tick) = (nil, nil, nil, nil) }
}

extension Job {
    /// The options as the next owner is to see them: the wait that is left, or the date, which are never longer than they may
    /// be, and the id apart.
    func optionsToSend(_ due: DueTime, now: @autoclosure () -> Moment) -> JobOptions {
        var options = options
        switch due {
        case .now: break
        case .steady(let time):
            let rest = time.elapsed(since: now().steady)
            if rest > 0 { options.after = min(Timestamp(microseconds: rest).seconds, JobLimits.seconds) }
        case .date(let time):
            let now = now().wall
            if time > now { options.runAt = min(time, now.advanced(bySeconds: JobLimits.seconds)) }
        }
        return options
    }
}
