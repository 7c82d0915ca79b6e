internal import JobReactorCore
internal import JobReactorWire
internal import NIOCore

/// The connection over which one distributor gives jobs and gets reports.
final class DistributorLink: ConnectionSession {
    /// The identity of the distributor's process.
    let distributor: String
    let connection: Connection
    /// Tells this link from those before it.
    let number: UInt32
    private let core: NodeCore
    private let ended: (String?) -> Void
    private var received: [Job] = []

    /// `ended` is called once, when the connection is gone.
    init(distributor: String, connection: Connection, core: NodeCore, ended: @escaping (String?) -> Void) {
        self.distributor = distributor
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

    func acknowledge(saved: Int, credit: Int) {
        connection.write {
            LinkMessage.writeSaved(saved, to: &$0)
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
                var options = request.options
                options.id = id
                received.append(
                    Job(
                        id: id, name: request.name, args: request.args, options: options, distributor: distributor,
                        createdAt: .now))
            case .taken(let count): core.taken(count, by: distributor)
            case .ping: break
            case .credit, .saved, .result, .returned, .jobs, .drain:
                throw CommandError("ERR a distributor does not take jobs")
            }
        } catch {
            connection.refuse(error.line)
        }
    }

    func readCompleted(on connection: Connection) {
        guard !received.isEmpty else { return }
        let jobs = received
        received = []
        core.receive(jobs, over: self)
    }

    func disconnected(_ connection: Connection, reason: String?) {
        core.unlinked(self, reason: reason)
        ended(reason)
    }
}
