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

    func send(_ job: Job, now: Timestamp) {
        if introduction.isDurable { unsaved.append(job.id) }
        let request = JobRequest(name: job.name, args: job.args, options: job.optionsToSend(now: now))
        connection.write { LinkMessage.writeJob(job.id, request, to: &$0) }
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
            case .ping: break
            case .job, .taken: throw CommandError("ERR a node does not give jobs")
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
        connection.write { LinkMessage.writeTaken(count, to: &$0) }
    }

    func disconnected(_ connection: Connection, reason: String?) {
        if let handle {
            self.handle = nil
            core.nodeLost(handle, name: introduction.name, reason: reason)
        }
        ended(reason)
    }
}

extension Job {
    /// The options as the next owner is to see them: the wait that is left, and the id apart.
    func optionsToSend(now: Timestamp) -> JobOptions {
        JobOptions(
            after: dueAt > now ? dueAt.seconds - now.seconds : nil, period: period, node: node, notNode: notNode,
            isDeferred: isDeferred, maxAttempt: maxAttempt, retryMultiplier: retryMultiplier)
    }
}
