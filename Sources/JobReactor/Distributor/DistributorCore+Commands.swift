internal import JobReactorCore
internal import JobReactorWire
internal import NIOCore

/// The commands of Redis clients.
extension DistributorCore: CommandService {
    func perform(_ command: ClientCommand, for session: CommandSession) {
        switch command {
        case .enqueue(let request):
            guard !isStopping else { return refuse(session) }
            enqueue(request, for: session)
        case .perform(let request, let timeout):
            guard !isStopping else { return refuse(session) }
            perform(request, timeout: timeout, for: session)
        case .nodes: session.reply { self.writeNodes(to: &$0) }
        case .info(let section): session.reply { $0.writeRESPBulk(self.info(section)) }
        case .job(let id): show(id, to: session)
        case .cancel(let id):
            let isKnown = cancel(id)
            session.reply { $0.writeRESPInteger(isKnown ? 1 : 0) }
        case .handshake(.node(let introduction)):
            if let error = register(introduction, over: session.connection) {
                session.connection.refuse(error.line)
            }
        case .handshake(.producer(let id)):
            if let problem = Name.problem(in: id) {
                return session.connection.refuse("ERR a producer's id \(problem)")
            }
            ProducerLink(producer(id), connection: session.connection, core: self).begin()
        case .handshake:
            session.reply { $0.writeRESPError("ERR that handshake is for a node's port: this is a distributor") }
        case .reload:
            session.reply { $0.writeRESPError("ERR RELOAD is for a node's port: the job scripts are there") }
        case .retry, .destroy, .records, .record:
            session.reply { $0.writeRESPError("ERR that command is for the port of the node that has the job") }
        case .jobs:
            session.reply { $0.writeRESPError("ERR JOBS is for a node's port; NODES shows what nodes define") }
        case .ping, .auth, .hello, .quit, .commandTable, .clientSetting:
            // The session's own.
            break
        }
    }

    func commandsCompleted() {}

    private func enqueue(_ request: JobRequest, for session: CommandSession) {
        let job = makeJob(request)
        guard configuration.storage != nil else {
            submit(job, .none)
            return session.reply { $0.writeRESPBulk(job.id) }
        }
        let ticket = session.owe()
        submit(job, .acknowledgement(session, ticket)) { session.pay(ticket) { $0.writeRESPBulk(job.id) } }
    }

    private func refuse(_ session: CommandSession) {
        session.reply { $0.writeRESPError("ERR the distributor is stopping: enqueue at another") }
    }

    private func perform(_ request: JobRequest, timeout: Double?, for session: CommandSession) {
        let job = makeJob(request)
        let ticket = session.owe()
        let deadline = timeout.map { timeout in
            loop.assumeIsolated().scheduleTask(in: .microseconds(Int64(timeout * 1_000_000))) {
                session.pay(ticket) {
                    $0.writeRESPError("TIMEOUT no outcome of job \(job.id) within \(timeout) s; the job goes on")
                }
                self.forgetSink(of: job.id, ticket: ticket)
            }
        }
        guard submit(job, .command(session, ticket, deadline: deadline)) else {
            deadline?.cancel()
            return session.pay(ticket) { $0.writeRESPError("ERR a job with the id \(job.id) is under way already") }
        }
    }

    private func writeNodes(to buffer: inout ByteBuffer) {
        let nodes = nodes()
        buffer.writeRESPArray(count: nodes.count)
        for node in nodes {
            let fields: [(String, String)] = [
                ("name", node.name), ("address", node.address), ("durable", node.isDurable ? "1" : "0"),
                ("draining", node.isDraining ? "1" : "0"), ("window", "\(node.window)"), ("load", "\(node.load)"),
                ("storage_error", node.storageError ?? ""), ("jobs", node.jobs.joined(separator: " ")),
            ]
            buffer.writeRESPCommand(fields.flatMap { [$0.0, $0.1] })
        }
    }

    private func show(_ id: JobID, to session: CommandSession) {
        let ticket = session.owe()
        show(id).assumeIsolated().whenSuccess { fields in
            session.pay(ticket) { buffer in
                if fields.isEmpty { buffer.writeRESPNull() } else { buffer.writeRESPCommand(fields) }
            }
        }
    }

    private func info(_ section: String?) -> String {
        InfoText.make(
            section,
            [
                (
                    "Server",
                    [
                        ("jobreactor_version", JobReactorVersion.current), ("role", "distributor"), ("name", name),
                        ("id", identity),
                        ("tcp_port", "\(listener?.port ?? 0)"),
                        ("uptime_in_seconds", "\(Int(now.steady.seconds - startedAt.steady.seconds))"),
                    ]
                ),
                (
                    "Clients",
                    [("connected_clients", "\(listener?.connectionCount ?? 0)"), ("producers", "\(producerCount)")]
                ),
                (
                    "Jobs",
                    [
                        ("enqueued", "\(counters.enqueued)"), ("sent", "\(counters.sent)"),
                        ("succeeded", "\(counters.succeeded)"), ("failed", "\(counters.failed)"),
                        ("given_back", "\(counters.givenBack)"), ("repeated_reports", "\(counters.repeatedReports)"),
                        ("unfinished", "\(entries.count)"), ("waiting", "\(dispatcher.waitingCount)"),
                    ]
                ),
                (
                    "Waiting",
                    waitingJobs().map {
                        ($0.name, "count=\($0.count)" + ($0.isParked ? ",parked=no node defines it" : ""))
                    }
                ),
                (
                    "Nodes",
                    nodes().map { ($0.name, "address=\($0.address),load=\($0.load),window=\($0.window)") }
                ),
            ])
    }
}
