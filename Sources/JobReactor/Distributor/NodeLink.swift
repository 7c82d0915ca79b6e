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
    /// Those of a durable node, which answers each, are kept until it has.
    private var handOvers: HandOvers
    /// The number of the last report that came and is not acknowledged yet.
    private var reportToTake: Int?
    /// Why the node's storage refuses; empty while it works.
    private(set) var storageError = ""
    /// Who asked for records.
    private var shows: [JobID: [EventLoopPromise<[String]>]] = [:]

    /// `ended` is called once, when the connection is gone.
    init(
        _ introduction: NodeIntroduction, connection: Connection, core: DistributorCore,
        ended: @escaping (String?) -> Void
    ) {
        self.introduction = introduction
        self.connection = connection
        self.core = core
        self.ended = ended
        handOvers = HandOvers(awaitsAnswers: introduction.isDurable)
    }

    /// Takes over the connection.
    func begin() {
        connection.becomeLink(keepalive: Keepalive())
        core.nodeReady(self)
    }

    /// Returns the number of the hand-over. `isAgain` says that the node may have the job already.
    func send(_ job: Job, due: DueTime, isAgain: Bool = false, now: @autoclosure () -> Moment) -> Int {
        let number = handOvers.add(job.id)
        let request = JobRequest(name: job.name, args: job.args, options: job.optionsToSend(due, now: now()))
        connection.write { LinkMessage.writeJob(HandOver(number, job.id), request, isAgain: isAgain, to: &$0) }
        return number
    }

    func sendAdopt(_ node: String?) {
        connection.write { LinkMessage.writeAdopt(node, to: &$0) }
    }

    func sendCancel(_ id: JobID) {
        connection.write { LinkMessage.writeCancel(id, to: &$0) }
    }

    /// The node's record of a job; empty when it has none, or is gone before it has answered.
    func show(_ id: JobID) -> EventLoopFuture<[String]> {
        guard handle != nil else { return core.loop.makeSucceededFuture([]) }
        let promise = core.loop.makePromise(of: [String].self)
        shows[id, default: []].append(promise)
        connection.write { LinkMessage.writeShow(id, to: &$0) }
        return promise.futureResult
    }

    func received(_ frame: RESPFrame, on connection: Connection) {
        guard let handle else { return }
        do throws(CommandError) {
            switch try LinkMessage(frame) {
            case .result(let number, let report):
                reportToTake = number
                core.reported(report)
            case .credit(let count): core.node(handle, granted: count)
            case .saved(let first, let last): saved(first, last, handle)
            case .returned(let returned): self.returned(returned, handle)
            case .refused(let refused, let reason):
                if handOvers.answer(refused) || !introduction.isDurable {
                    core.node(handle, refused: refused, because: reason)
                }
            case .storageError(let reason): noteStorageError(reason)
            case .jobs(let names): core.node(handle, defines: names)
            case .drain: core.nodeDrains(handle)
            case .adopted(let node, let isDone): core.adopted(node, isDone, by: self)
            case .progress(let progress): core.progressed(progress)
            case .shown(let id, let fields):
                for promise in shows.removeValue(forKey: id) ?? [] { promise.succeed(fields) }
            case .ping: break
            case .job, .again, .unacceptable, .taken, .cancel, .show, .adopt:
                throw CommandError("ERR a node does not give jobs")
            }
        } catch {
            connection.refuse(error.line)
        }
    }

    private func saved(_ first: Int, _ last: Int, _ handle: Dispatcher.NodeHandle) {
        handOvers.answer(first, through: last) { core.node(handle, owns: $0) }
    }

    private func returned(_ returned: [HandOver], _ handle: Dispatcher.NodeHandle) {
        for handOver in returned {
            // One of a node that owns nothing is looked for by what the job itself knows of it.
            let isOpen = handOvers.answer(handOver) || !introduction.isDurable
            if isOpen { core.node(handle, returned: handOver) }
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
        core.noteReceived(number, from: introduction)
        connection.write { LinkMessage.writeTaken(number, to: &$0) }
        // What feedbacks have enqueued goes out in the same piece.
        core.takeSubmissions()
    }

    func disconnected(_ connection: Connection, reason: String?) {
        if let reportToTake { core.noteReceived(reportToTake, from: introduction) }
        reportToTake = nil
        let unanswered = shows
        shows = [:]
        for promise in unanswered.values.joined() { promise.succeed([]) }
        if let handle {
            self.handle = nil
            core.nodeLost(
                handle, introduction, reason: reason)
        }
        ended(reason)
    }
}

extension Job {
    /// The options as the next owner is to see them: the wait that is left, or the date, which are never longer than they may
    /// be, and the id apart.
    func optionsToSend(_ due: DueTime, now: @autoclosure () -> Moment) -> JobOptions {
        var options = JobOptions(
            period: period, node: node, notNode: notNode, isDeferred: isDeferred, maxAttempt: maxAttempt,
            retryMultiplier: retryMultiplier)
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
