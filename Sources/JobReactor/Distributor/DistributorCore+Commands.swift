internal import JobReactorCore
internal import JobReactorWire
internal import NIOCore

/// The commands of Redis clients.
extension DistributorCore: CommandService {
    func perform(_ command: ClientCommand, for session: CommandSession) {
        switch command {
        case .enqueue(let request):
            guard !isStopping else { return refuse(session) }
            guard mayTake(from: account(of: session)) else { return refuseBusy(session) }
            if let refusal = refusal(of: request, for: session) { return session.reply { $0.writeRESPError(refusal) } }
            enqueue(request, for: session)
        case .perform(let request, let timeout):
            guard !isStopping else { return refuse(session) }
            guard mayTake(from: account(of: session)) else { return refuseBusy(session) }
            if let refusal = refusal(of: request, for: session) { return session.reply { $0.writeRESPError(refusal) } }
            perform(request, timeout: timeout, for: session)
        case .nodes: session.reply { self.writeNodes(to: &$0) }
        case .info(let section): session.reply { $0.writeRESPBulk(self.info(section)) }
        case .job(let id):
            if let refusal = refusal(of: command, on: id, for: session) {
                return session.reply { $0.writeRESPError(refusal) }
            }
            show(id, to: session)
        case .cancel(let id):
            if let refusal = refusal(of: command, on: id, for: session) {
                return session.reply { $0.writeRESPError(refusal) }
            }
            answer(cancel(id), to: session, "CANCEL", "the job \(id) is cancelled")
        case .handshake(.node(let introduction)):
            session.leave()
            let user = user(of: session)
            guard user.mayBe(node: introduction.name) else {
                let reason =
                    "the user \(user.name) may not be the node \(introduction.name): add nodes=\(introduction.name)"
                return session.connection.refuse("NOPERM \(reason) to its line of the users file")
            }
            if let error = register(introduction, over: session.connection) {
                session.connection.refuse(error.line)
            }
        case .handshake(.producer(let id)):
            if let problem = Name.problem(in: id) {
                return session.connection.refuse("ERR a producer's id \(problem)")
            }
            let ownID = user(of: session).ownProducer(id)
            // Each is known for a while, whether it brings anything or not.
            guard isKnown(producer: ownID) || mayTake(from: account(of: session)) else {
                return session.turnAway("BUSY \(refusal)")
            }
            let producer = producer(ownID)
            session.leave()
            ProducerLink(producer, connection: session.connection, core: self).begin()
        case .handshake where session.user == nil:
            session.reply { $0.writeRESPError("NOAUTH Authentication required.") }
        case .handshake:
            session.reply { $0.writeRESPError("ERR that handshake is for a node's port: this is a distributor") }
        case .reload:
            session.reply { $0.writeRESPError("ERR RELOAD is for a node's port: the job scripts are there") }
        case .audit(let count): audit.answer(count, to: session)
        case .pause(let target):
            answer(
                pause(target, by: user(of: session).name), to: session, "PAUSE",
                "the \(target.kind) \(target.name) is paused")
        case .resume(let target):
            answer(resume(target), to: session, "RESUME", "the \(target.kind) \(target.name) is not paused any more")
        case .pauses: session.reply { self.writePauses(to: &$0) }
        case .schedule(let order): perform(order, for: session)
        case .schedules:
            let rows = schedules.names.compactMap { scheduleRow($0) }
            session.reply { buffer in
                buffer.writeRESPArray(count: rows.count)
                for row in rows { buffer.writeRESPCommand(row) }
            }
        case .limits: session.reply { self.writeLimits(to: &$0) }
        case .retry(let id):
            guard !isStopping, change({ $0.retry(id) }) else { return refuseForNode(session) }
            answer(stored(true), to: session, "RETRY", "the failed job \(id) runs again")
        case .destroy(let id):
            if change({ $0.destroy(id) }) {
                return answer(stored(true), to: session, "DESTROY", "the record of the failed job \(id) is removed")
            }
            // A node that is away cannot be asked, and may never come back.
            guard ask({ $0.isAway(id) }) else { return refuseForNode(session) }
            answer(cancel(id), to: session, "DESTROY", "the job \(id), whose node is away, is cancelled")
        case .orders(let order, let filter, let isDry):
            let carriedOut = audit.noting(
                order, of: filter, isDry: isDry, by: session.user, over: session.connection
            ) { carryOut(order, filter, isDry: isDry, begin: $0) }
            answer(carriedOut, to: session) { $0.write(order, isDry: isDry, to: &$1) }
        case .records(let query):
            answer(rows(query), to: session) { [user = user(of: session)] rows, buffer in
                buffer.writeRESPArray(count: rows.count)
                for row in rows { self.visible(row, to: user).write(to: &buffer) }
            }
        case .record(let id):
            answer(row(id), to: session) { [user = user(of: session)] row, buffer in
                if let row { self.visible(row, to: user).write(to: &buffer) } else { buffer.writeRESPNull() }
            }
        case .jobs:
            session.reply { $0.writeRESPError("ERR JOBS is for a node's port; NODES shows what nodes define") }
        case .ping, .auth, .hello, .whoAmI, .quit, .commandTable, .clientSetting:
            // The session's own.
            break
        }
    }

    /// A command that comes in another way than over a connection.
    func ask(_ words: [String], as user: User, at peer: String) -> EventLoopFuture<RESPValue> {
        guard let listener else {
            return loop.makeFailedFuture(JobError(.stopped, "the distributor is starting: ask again"))
        }
        let promise = loop.makePromise(of: RESPValue.self)
        CommandSession.carryOut(words, as: user, at: peer, guardedBy: listener.portGuard, service: self) {
            promise.succeed($0)
        }
        return promise.futureResult
    }

    func left(_ session: CommandSession) {
        if let account = session.account { close(account) }
    }

    private func account(of session: CommandSession) -> MemoryShares.Account {
        if let account = session.account { return account }
        let account = openAccount(of: session.connection)
        session.account = account
        return account
    }

    /// A job of a command, whose span ends when it is made: what comes of it is told in the answer.
    private func makeTracedJob(_ request: JobRequest) -> Job {
        guard let tracing else { return makeJob(request) }
        var request = request
        let span = tracing.begin(request.name, &request.options)
        let job = makeJob(request)
        tracing.end(span, job.id)
        return job
    }

    private func enqueue(_ request: JobRequest, for session: CommandSession) {
        let job = makeTracedJob(request)
        guard configuration.storage != nil || job.unique != nil else {
            if submit(job, .none, by: account(of: session)) { ownJobs.note(job.id, by: user(of: session)) }
            return session.reply { $0.writeRESPBulk(job.id) }
        }
        let ticket = session.owe()
        let sink = configuration.storage == nil ? Sink.none : .acknowledgement(session, ticket)
        let isNew = submit(job, sink, by: account(of: session)) { holder, isRefused in
            session.pay(ticket) { buffer in
                if isRefused { buffer.writeRESPError("UNIQUE \(holder)") } else { buffer.writeRESPBulk(holder) }
            }
        } accepted: {
            session.pay(ticket) { $0.writeRESPBulk(job.id) }
        }
        if isNew { ownJobs.note(job.id, by: user(of: session)) }
    }

    private func user(of session: CommandSession) -> User { session.user ?? .standard }

    /// Why the command may not be about that job; nil when it may. Who enqueues may look at and cancel what is its own.
    private func refusal(of command: ClientCommand, on id: JobID, for session: CommandSession) -> String? {
        let user = user(of: session)
        guard let role = command.role, !user.has(role), !ownJobs.has(id, user) else { return nil }
        if let producer = ask({ $0.producer(of: id) }), user.owns(producer: producer.id) { return nil }
        return "NOPERM this needs the role \(role.rawValue): \(user.name) has not recently enqueued this job here"
    }

    /// Why a job may not have the id that its producer chose: another's job would be taken for its own, or it would end with
    /// one that ends.
    private func refusal(of request: JobRequest, for session: CommandSession) -> String? {
        guard let id = request.options.id else { return nil }
        if let reason = reasonToWait(for: id) { return "ERR \(reason)" }
        guard let user = session.user, !user.seesAllJobs, ask({ $0.isKnown(id) }),
            !ownJobs.has(id, user), ask({ $0.producer(of: id) }).map({ user.owns(producer: $0.id) }) != true
        else { return nil }
        return "NOPERM \(Self.anothersJob(id))"
    }

    static func anothersJob(_ id: JobID) -> String {
        "the id \(id) belongs to a job of another user: choose another id"
    }

    private func visible(_ row: Row, to user: User) -> Row {
        let job = user.sees(row.job, hidesArgs: configuration.security.hidesArgs)
        return Row(job: job, node: row.node, reason: row.reason)
    }

    /// Of jobs that are kept here, as they failed here; the others are at nodes.
    private func refuseForNode(_ session: CommandSession) {
        session.reply {
            $0.writeRESPError("ERR no job with that id has failed here; for a job at a node, use the node's port")
        }
    }

    /// Before 1 is answered the audit log has the change.
    private func answer(
        _ future: EventLoopFuture<Bool>, to session: CommandSession, _ command: String, _ change: String
    ) {
        let ticket = session.owe()
        let user = session.user
        future.assumeIsolated().whenComplete { [audit] result in
            switch result {
            case .success(true):
                audit.note(command, change, by: user, over: session.connection) {
                    session.pay(ticket) { $0.writeRESPInteger(1) }
                }
            case .success(false): session.pay(ticket) { $0.writeRESPInteger(0) }
            case .failure(let error): session.pay(ticket) { $0.writeRESPError("ERR \(error)") }
            }
        }
    }

    private func answer<Value>(
        _ future: EventLoopFuture<Value>, to session: CommandSession,
        _ write: @escaping (Value, inout ByteBuffer) -> Void
    ) {
        let ticket = session.owe()
        future.assumeIsolated().whenComplete { result in
            session.pay(ticket) { buffer in
                switch result {
                case .success(let value): write(value, &buffer)
                case .failure(let error): buffer.writeRESPError("ERR \(error)")
                }
            }
        }
    }

    private func perform(_ order: ScheduleOrder, for session: CommandSession) {
        let (name, user) = (order.name, session.user)
        func noted<Value>(
            _ future: EventLoopFuture<Value>, _ change: String, _ write: @escaping (Value, inout ByteBuffer) -> Void
        ) {
            let ticket = session.owe()
            future.assumeIsolated().whenComplete { [audit] result in
                switch result {
                case .success(let value):
                    audit.note("SCHEDULE", change, by: user, over: session.connection) {
                        session.pay(ticket) { write(value, &$0) }
                    }
                case .failure(let error): session.pay(ticket) { $0.writeRESPError("ERR \(error)") }
                }
            }
        }
        switch order {
        case .set(let schedule):
            noted(set(schedule), "the schedule \(name) is set") { _, buffer in buffer.writeRESPSimple("OK") }
        case .delete: answer(deleteSchedule(name), to: session, "SCHEDULE", "the schedule \(name) is deleted")
        case .pause:
            answer(
                pauseSchedule(name, by: self.user(of: session).name), to: session, "SCHEDULE",
                "the schedule \(name) is paused")
        case .resume:
            answer(
                pauseSchedule(name, by: nil), to: session, "SCHEDULE", "the schedule \(name) is resumed")
        case .run:
            noted(runSchedule(name), "a tick of the schedule \(name) is made") { id, buffer in
                if let id { buffer.writeRESPBulk(id) } else { buffer.writeRESPNull() }
            }
        case .get:
            let row = scheduleRow(name)
            session.reply { if let row { $0.writeRESPCommand(row) } else { $0.writeRESPNull() } }
        }
    }

    private func refuse(_ session: CommandSession) {
        session.reply { $0.writeRESPError("ERR the distributor is stopping: enqueue at another") }
    }

    private func refuseBusy(_ session: CommandSession) {
        session.reply { $0.writeRESPError("BUSY \(refusal)") }
        session.rest()
    }

    private func perform(_ request: JobRequest, timeout: Double?, for session: CommandSession) {
        let job = makeTracedJob(request)
        let ticket = session.owe()
        let deadline = timeout.map { timeout in
            loop.assumeIsolated().scheduleTask(in: .microseconds(Int64(timeout * 1_000_000))) {
                let reason = self.parkedReason(job.name).map { ": \($0)" } ?? ""
                let text = "no outcome of job \(job.id) within \(timeout) s; the job continues\(reason)"
                session.pay(ticket) { $0.writeRESPError("TIMEOUT \(text)") }
                self.forgetWaiter(of: job.id, ticket)
            }
        }
        guard submit(job, .command(session, ticket, deadline: deadline), by: account(of: session)) else {
            deadline?.cancel()
            return session.pay(ticket) { $0.writeRESPError("ERR an unfinished job already has the id \(job.id)") }
        }
        ownJobs.note(job.id, by: user(of: session))
    }

    /// A `PERFORM` is no longer waited for; the job goes on.
    private func forgetWaiter(of id: JobID, _ ticket: CommandSession.Ticket) {
        change { $0.forget(id) { if case .command(_, ticket, _) = $0 { true } else { false } } }
    }

    /// The record of a job, name and value in turn: the node's when one has it, or what is known here when that is away or
    /// does not answer. Empty when it is not known.
    func show(_ id: JobID) -> EventLoopFuture<[String]> {
        if let failed = ledger.kept[id] { return loop.makeSucceededFuture(shown(failed)) }
        if ledger.paged.contains(id), let keeper { return showStored(id, in: keeper) }
        guard let known = ledger.find(id) else { return showElsewhere(id) }
        let record = known.job.map { shown($0) } ?? shown(id, named: known.name)
        guard let node = known.node, let link = links[node] else {
            let owner = known.owner.map { ["on_node", $0] } ?? []
            return loop.makeSucceededFuture(record + owner + reason(id))
        }
        return show(id, at: link, orElse: record)
    }

    /// Of one that waits in the storage alone; it may be on its way to a node meanwhile.
    private func showStored(_ id: JobID, in keeper: JobKeeper) -> EventLoopFuture<[String]> {
        let promise = loop.makePromise(of: [String].self)
        keeper.load([id]) { records in
            switch records.first?.result {
            case .success(let job?): promise.succeed(self.shown(job) + self.reason(id))
            case .success(nil), nil: promise.succeed([])
            case .failure(let error): promise.fail(error)
            }
        }
        return promise.futureResult
    }

    /// Of a job that a node owns, and whose args are not here.
    private func shown(_ id: JobID, named job: String) -> [String] {
        ["id", id.description, "name", job, "status", JobStatus.queued.rawValue, "distributor", name]
    }

    private func shown(_ job: Job) -> [String] {
        var job = job
        job.distributor = name
        return job.shownFields
    }

    /// What a job waits for, as a field of its record; empty where that is its time alone.
    private func reason(_ id: JobID) -> [String] {
        var reasons = Dispatcher.WaitReasons()
        let reason = ask { ledger in ledger.listed(id).flatMap { ledger.reason($0, &reasons) } }
        return reason.map { ["waits_for", $0.description] } ?? []
    }

    private func show(_ id: JobID, to session: CommandSession) {
        let ticket = session.owe()
        let (user, hidesArgs) = (user(of: session), configuration.security.hidesArgs)
        show(id).assumeIsolated().whenComplete { result in
            session.pay(ticket) { buffer in
                switch result {
                case .success(let fields) where fields.isEmpty: buffer.writeRESPNull()
                case .success(let fields): buffer.writeRESPCommand(user.sees(fields, hidesArgs: hidesArgs))
                case .failure(let error): buffer.writeRESPError("ERR \(error)")
                }
            }
        }
    }
}
