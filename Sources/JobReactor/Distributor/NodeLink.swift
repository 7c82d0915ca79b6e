internal import DequeModule
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
    /// Jobs sent to a durable node that it has not yet said to have saved, in the order they were sent.
    private var unsaved: Deque<JobID> = []
    private var reportsToTake = 0
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
    }

    /// Takes over the connection.
    func begin() {
        connection.becomeLink(keepalive: Keepalive())
        core.nodeReady(self)
    }

    /// `isAgain` says that the node may have it already.
    func send(_ job: Job, isAgain: Bool = false, now: Timestamp) {
        if introduction.isDurable { unsaved.append(job.id) }
        let request = JobRequest(name: job.name, args: job.args, options: job.optionsToSend(now: now))
        connection.write { LinkMessage.writeJob(job.id, request, isAgain: isAgain, to: &$0) }
    }

    func sendAdopt(_ node: String?) {
        connection.write { LinkMessage.writeAdopt(node, to: &$0) }
    }

    func sendCancel(_ id: JobID) {
        connection.write { LinkMessage.writeCancel(id, to: &$0) }
    }

    /// The node's record of a job; empty when it has none, or is gone before it has answered.
    func show(_ id: JobID) -> EventLoopFuture<[String]> {
        let promise = core.loop.makePromise(of: [String].self)
        shows[id, default: []].append(promise)
        connection.write { LinkMessage.writeShow(id, to: &$0) }
        return promise.futureResult
    }

    func received(_ frame: RESPFrame, on connection: Connection) {
        guard let handle else { return }
        do throws(CommandError) {
            switch try LinkMessage(frame) {
            case .result(let report):
                reportsToTake += 1
                core.reported(report)
            case .credit(let count): core.node(handle, granted: count)
            case .saved(let count): saved(count, handle)
            case .returned(let ids): core.node(handle, returned: ids)
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

    private func saved(_ count: Int, _ handle: Dispatcher.NodeHandle) {
        guard introduction.isDurable else { return }
        for _ in 0..<min(count, unsaved.count) {
            if let id = unsaved.popFirst() { core.node(handle, owns: id) }
        }
    }

    func readCompleted(on connection: Connection) {
        guard reportsToTake > 0 else { return }
        let count = reportsToTake
        reportsToTake = 0
        core.noteReceived(count, from: introduction)
        connection.write { LinkMessage.writeTaken(count, to: &$0) }
        // What feedbacks have enqueued goes out in the same piece.
        core.takeSubmissions()
    }

    func disconnected(_ connection: Connection, reason: String?) {
        if reportsToTake > 0 { core.noteReceived(reportsToTake, from: introduction) }
        reportsToTake = 0
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
    /// The options as the next owner is to see them: the wait that is left, which is never longer than it may be, and the
    /// id apart.
    func optionsToSend(now: Timestamp) -> JobOptions {
        JobOptions(
            after: dueAt > now ? min(dueAt.seconds - now.seconds, JobLimits.seconds) : nil, period: period, node: node,
            notNode: notNode, isDeferred: isDeferred, maxAttempt: maxAttempt, retryMultiplier: retryMultiplier)
    }
}
