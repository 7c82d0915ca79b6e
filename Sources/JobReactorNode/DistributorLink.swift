internal import JobReactorCore
internal import JobReactorWire
internal import NIOCore

/// The connection over which one distributor gives jobs and gets reports.
final class DistributorLink: ConnectionSession {
    /// The distributor's name.
    let distributor: String
    /// The identity of its process.
    let process: String
    /// How many reports have arrived there from this process of the node.
    let received: Int
    let connection: Connection
    /// Tells this link from those before it.
    let number: UInt32
    private let core: NodeCore
    private let ended: (String?) -> Void
    private var jobs: [Job] = []
    private var receivedAt = Timestamp.now
    /// Those of them that have been here before.
    private var known: Set<JobID> = []

    /// `ended` is called once, when the connection is gone.
    init(
        distributor: String, process: String, received: Int, connection: Connection, core: NodeCore,
        ended: @escaping (String?) -> Void
    ) {
        self.distributor = distributor
        self.process = process
        self.received = received
        self.connection = connection
        self.core = core
        self.ended = ended
        number = core.nextLinkNumber()
    }

    /// Takes over the connection.
    func begin() {
        connection.handOver(to: self)
        connection.becomeLink(keepalive: Keepalive())
        core.linked(self)
    }

    func sendGreeting(jobs: [String], credit: Int) {
        connection.write {
            LinkMessage.writeJobs(jobs, to: &$0)
            LinkMessage.writeCredit(credit, to: &$0)
        }
    }

    func sendJobs(_ jobs: [String]) {
        connection.write { LinkMessage.writeJobs(jobs, to: &$0) }
    }

    /// Jobs are stored. Of a storage that forgets the distributor keeps them anyhow: it need not be woken.
    func acknowledge(saved: Int, credit: Int) {
        let isOwner = core.storage.isDurable
        guard isOwner || credit > 0 else { return }
        connection.write {
            if isOwner { LinkMessage.writeSaved(saved, to: &$0) }
            if credit > 0 { LinkMessage.writeCredit(credit, to: &$0) }
        }
    }

    func grant(_ credit: Int) {
        if credit > 0 { connection.write { LinkMessage.writeCredit(credit, to: &$0) } }
    }

    func sendReturned(_ ids: [JobID]) {
        connection.write { LinkMessage.writeReturned(ids, to: &$0) }
    }

    func sendDrain() {
        connection.write { LinkMessage.writeDrain(to: &$0) }
    }

    func received(_ frame: RESPFrame, on connection: Connection) {
        do throws(CommandError) {
            switch try LinkMessage(frame) {
            case .job(let id, let request):
                take(id, request)
            case .again(let id, let request):
                // Now, not at the end of the read: a receipt behind it may be that of the job's report.
                if core.knows(id, of: distributor) { known.insert(id) }
                take(id, request)
            case .unacceptable(let id, let name, let reason):
                refuse(id, name: name, reason: reason)
            case .taken(let count): core.taken(count, by: distributor)
            case .cancel(let id):
                // Behind the jobs that came before it.
                takeJobs()
                _ = core.cancel(id)
            case .show(let id):
                takeJobs()
                show(id)
            case .adopt(let node):
                takeJobs()
                core.adopt(node) { isDone in self.connection.write { LinkMessage.writeAdopted(node, isDone, to: &$0) } }
            case .ping: break
            case .adopted, .credit, .saved, .result, .progress, .shown, .returned, .jobs, .drain:
                throw CommandError("ERR a distributor does not take jobs")
            }
        } catch {
            connection.refuse(error.line)
        }
    }

    func readCompleted(on connection: Connection) {
        takeJobs()
    }

    private func takeJobs() {
        guard !jobs.isEmpty else { return }
        let (received, receivedBefore) = (jobs, known)
        jobs = []
        known = []
        core.receive(received, known: receivedBefore, over: self)
    }

    private func take(_ id: JobID, _ request: JobRequest) {
        // One moment for all of a read.
        if jobs.isEmpty { receivedAt = .now }
        jobs.append(
            Job(
                id: id, name: request.name, args: request.args, options: request.options, distributor: distributor,
                createdAt: receivedAt))
    }

    /// A job that breaks a rule has failed. It is acknowledged in its turn, as one that has been here before.
    private func refuse(_ id: JobID, name: String, reason: String) {
        if !core.knows(id, of: distributor) {
            core.report(JobReport.refusal(of: id, name: name, reason: reason), to: distributor)
        }
        known.insert(id)
        take(id, JobRequest(name: name, args: JobArguments()))
    }

    private func show(_ id: JobID) {
        core.load(id) { result in
            let fields = (try? result.get())?.shownFields ?? []
            self.connection.write { LinkMessage.writeShown(id, fields, to: &$0) }
        }
    }

    func disconnected(_ connection: Connection, reason: String?) {
        core.unlinked(self, reason: reason)
        ended(reason)
    }
}
