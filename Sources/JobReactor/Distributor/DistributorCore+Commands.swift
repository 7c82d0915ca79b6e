internal import JobReactorCore
internal import JobReactorWire
internal import NIOCore

/// The commands of Redis clients.
extension DistributorCore: CommandService {
    func perform(_ command: ClientCommand, for session: CommandSession) {
        switch command {
        case .enqueue(let request):
            guard !isStopping else { return refuse(session) }
            guard !memory.isFull() else { return refuseBusy(session) }
            enqueue(request, for: session)
        case .perform(let request, let timeout):
            guard !isStopping else { return refuse(session) }
            guard !memory.isFull() else { return refuseBusy(session) }
            perform(request, timeout: timeout, for: session)
        case .nodes: session.reply { self.writeNodes(to: &$0) }
        case .info(let section): session.reply { $0.writeRESPBulk(self.info(section)) }
        case .job(let id): show(id, to: session)
        case .cancel(let id):
            let ticket = session.owe()
            cancel(id).assumeIsolated().whenComplete { result in
                session.pay(ticket) { buffer in
                    switch result {
                    case .success(let isKnown): buffer.writeRESPInteger(isKnown ? 1 : 0)
                    case .failure(let error): buffer.writeRESPError("ERR \(error)")
                    }
                }
            }
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
        case .retry(let id): answer(!isStopping && change { $0.retry(id) }, to: session)
        case .destroy(let id): answer(change { $0.destroy(id) }, to: session)
        case .records(let after, let count):
            let failed = ledger.kept.page(after: after, count: count)
            session.reply { buffer in
                buffer.writeRESPArray(count: failed.count)
                for job in failed { JobRecord.write(job, to: &buffer) }
            }
        case .record(let id):
            let failed = ledger.kept[id]
            session.reply { if let failed { JobRecord.write(failed, to: &$0) } else { $0.writeRESPNull() } }
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

    private func refuseForNode(_ session: CommandSession) {
        session.reply { $0.writeRESPError("ERR that command is for the port of the node that has the job") }
    }

    /// Of jobs that are kept here, as they failed here; the others are at nodes.
    private func answer(_ isKept: Bool, to session: CommandSession) {
        guard isKept else { return refuseForNode(session) }
        session.reply { $0.writeRESPInteger(1) }
    }

    private func refuse(_ session: CommandSession) {
        session.reply { $0.writeRESPError("ERR the distributor is stopping: enqueue at another") }
    }

    private func refuseBusy(_ session: CommandSession) {
        session.reply { $0.writeRESPError("BUSY \(memory.fullMessage)") }
    }

    private func perform(_ request: JobRequest, timeout: Double?, for session: CommandSession) {
        let job = makeJob(request)
        let ticket = session.owe()
        let deadline = timeout.map { timeout in
            loop.assumeIsolated().scheduleTask(in: .microseconds(Int64(timeout * 1_000_000))) {
                session.pay(ticket) {
                    $0.writeRESPError("TIMEOUT no outcome of job \(job.id) within \(timeout) s; the job goes on")
                }
                self.forgetWaiter(of: job.id, ticket)
            }
        }
        guard submit(job, .command(session, ticket, deadline: deadline)) else {
            deadline?.cancel()
            return session.pay(ticket) { $0.writeRESPError("ERR a job with the id \(job.id) is under way already") }
        }
    }

    /// A `PERFORM` is no longer waited for; the job goes on.
    private func forgetWaiter(of id: JobID, _ ticket: CommandSession.Ticket) {
        change { $0.forget(id) { if case .command(_, ticket, _) = $0 { true } else { false } } }
    }

    /// The record of a job, name and value in turn: the node's when one has it. Empty when it is not known.
    func show(_ id: JobID) -> EventLoopFuture<[String]> {
        if let failed = ledger.kept[id] { return loop.makeSucceededFuture(shown(failed)) }
        guard let known = ledger.find(id) else { return showElsewhere(id) }
        let record = known.job.map { shown($0) } ?? []
        guard let node = known.node, let link = links[node] else { return loop.makeSucceededFuture(record) }
        let nodeName = link.introduction.name
        return link.show(id).map { [record] in ($0.isEmpty ? record : $0) + ["on_node", nodeName] }
    }

    private func shown(_ job: Job) -> [String] {
        var job = job
        job.distributor = name
        return job.shownFields
    }

    private func writeNodes(to buffer: inout ByteBuffer) {
        let nodes = nodes()
        buffer.writeRESPArray(count: nodes.count)
        for node in nodes {
            let fields: [(String, String)] = [
                ("name", node.name), ("address", node.address), ("durable", node.isDurable ? "1" : "0"),
                ("draining", node.isDraining ? "1" : "0"), ("window", "\(node.window)"), ("load", "\(node.load)"),
                ("storage_error", node.storageError ?? ""), ("jobs_count", "\(node.jobs.count)"),
                ("jobs", node.jobs.prefix(1000).joined(separator: " ")),
            ]
            buffer.writeRESPCommand(fields.flatMap { [$0.0, $0.1] })
        }
    }

    private func show(_ id: JobID, to session: CommandSession) {
        let ticket = session.owe()
        show(id).assumeIsolated().whenComplete { result in
            session.pay(ticket) { buffer in
                switch result {
                case .success(let fields) where fields.isEmpty: buffer.writeRESPNull()
                case .success(let fields): buffer.writeRESPCommand(fields)
                case .failure(let error): buffer.writeRESPError("ERR \(error)")
                }
            }
        }
    }

    /// The names with most jobs, and the others in one line, whose key no job can have.
    private var waitingFields: [(String, String)] {
        let listed = waitingJobs(limit: 100)
        let others = ledger.dispatcher.waitingCount - listed.reduce(0) { $0 + $1.count }
        return listed.map { ($0.name, "count=\($0.count)" + ($0.isParked ? ",parked=no node defines it" : "")) }
            + (others > 0 ? [("jobs of other names", "count=\(others)")] : [])
    }

    private func info(_ section: String?) -> String {
        let counters = ledger.counters
        return InfoText.make(
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
                    (listener?.portGuard.infoFields ?? []) + [("producers", "\(producerCount)")]
                ),
                (
                    "Memory",
                    [
                        ("waiting_bytes", "\(memory.count)"), ("max_memory", "\(memory.limit)"),
                        ("busy", memory.isFull() ? "1" : "0"),
                    ]
                ),
                (
                    "Jobs",
                    [
                        ("enqueued", "\(counters.enqueued)"), ("sent", "\(counters.sent)"),
                        ("succeeded", "\(counters.succeeded)"), ("failed", "\(counters.failed)"),
                        ("given_back", "\(counters.givenBack)"), ("repeated_reports", "\(counters.repeatedReports)"),
                        ("unfinished", "\(ledger.entries.count)"), ("waiting", "\(ledger.dispatcher.waitingCount)"),
                        ("kept_failed", "\(ledger.kept.count)"),
                    ]
                ),
                (
                    "Waiting",
                    waitingFields
                ),
                (
                    "Nodes",
                    nodes().map { ($0.name, "address=\($0.address),load=\($0.load),window=\($0.window)") }
                ),
            ])
    }
}
