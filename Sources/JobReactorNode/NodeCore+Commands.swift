internal import JobReactor
internal import JobReactorCore
internal import JobReactorWire
internal import NIOCore

/// The commands on the node's own port.
extension NodeCore: CommandService {
    func perform(_ command: ClientCommand, for session: CommandSession) {
        // Who enqueued a job only distributors know.
        if let role = command.role, session.user?.has(role) != true {
            return session.reply { $0.writeRESPError("NOPERM this needs the role \(role.rawValue)") }
        }
        let (user, hidesArgs) = (session.user ?? .standard, configuration.security.hidesArgs)
        switch command {
        case .info(let section): session.reply { $0.writeRESPBulk(self.info(section)) }
        case .jobs: session.reply { self.writeJobs(to: &$0) }
        case .job(let id):
            answer(session, loop.answer { storage.load(id, done: $0) }) { [self] job, buffer in
                if let job = job.map({ user.sees($0, hidesArgs: hidesArgs) }) {
                    var budget = Self.hintBudget
                    let reason = reasonToWait(job, &budget).map { ["waits_for", $0] } ?? []
                    buffer.writeRESPCommand(job.shownFields + reason)
                } else {
                    buffer.writeRESPNull()
                }
            }
        case .records(let query):
            answer(session, records(query)) { [self] jobs, buffer in
                buffer.writeRESPArray(count: jobs.count)
                write(jobs.map { user.sees($0, hidesArgs: hidesArgs) }, to: &buffer)
            }
        case .record(let id):
            answer(session, loop.answer { storage.load(id, done: $0) }) { [self] job, buffer in
                if let job {
                    write([user.sees(job, hidesArgs: hidesArgs)], to: &buffer)
                } else {
                    buffer.writeRESPNull()
                }
            }
        case .cancel(let id):
            answer(session, cancel(id)) { [audit] isKnown, buffer in
                if isKnown { audit.note("CANCEL", "the job \(id) is cancelled", by: user, over: session.connection) }
                buffer.writeRESPInteger(isKnown ? 1 : 0)
            }
        case .retry(let id):
            answer(session, loop.answer { self.retry(id, $0) }) { [audit] isDone, buffer in
                if isDone { audit.note("RETRY", "the job \(id) runs now", by: user, over: session.connection) }
                buffer.writeRESPInteger(isDone ? 1 : 0)
            }
        case .destroy(let id):
            answer(session, loop.answer { self.destroy(id, $0) }) { [audit] isDone, buffer in
                if isDone { audit.note("DESTROY", "the job \(id) is gone", by: user, over: session.connection) }
                buffer.writeRESPInteger(isDone ? 1 : 0)
            }
        case .orders(let order, let filter, let isDry):
            answer(session, carryOut(order, filter, isDry: isDry)) { [audit] done, buffer in
                audit.note(order, done, of: filter, isDry: isDry, by: user, over: session.connection)
                done.write(order, isDry: isDry, to: &buffer)
            }
        case .audit(let count): audit.answer(count, to: session)
        case .reload:
            answer(session, reload()) { [audit] text, buffer in
                audit.note("RELOAD", "the scripts are loaded anew", by: user, over: session.connection)
                buffer.writeRESPBulk(text)
            }
        case .handshake(.link(let distributor, let token, let received)):
            if let error = acceptLink(from: distributor, token: token, received: received, over: session) {
                session.connection.refuse(error.line)
            }
        case .handshake:
            session.reply { $0.writeRESPError("ERR that handshake is for a distributor's port: this is a node") }
        case .enqueue, .perform, .nodes:
            session.reply { $0.writeRESPError("ERR this is a node: send that command to a distributor") }
        case .ping, .auth, .hello, .whoAmI, .quit, .commandTable, .clientSetting:
            // The session's own.
            break
        }
    }

    private func answer<Value>(
        _ session: CommandSession, _ result: EventLoopFuture<Value>,
        _ write: @escaping (Value, inout ByteBuffer) -> Void
    ) {
        let ticket = session.owe()
        result.assumeIsolated().whenComplete { result in
            session.pay(ticket) { buffer in
                switch result {
                case .success(let value): write(value, &buffer)
                case .failure(let error):
                    buffer.writeRESPError("ERR \(error is StorageError ? "the storage fails: " : "")\(error)")
                }
            }
        }
    }

    private func writeJobs(to buffer: inout ByteBuffer) {
        let definitions = scripts?.definitions ?? []
        buffer.writeRESPArray(count: definitions.count)
        for definition in definitions {
            buffer.writeRESPCommand([
                "name", definition.name, "file", definition.file, "line", "\(definition.line)",
                "callbacks", "\(definition.callbacks)", "errbacks", "\(definition.errbacks)",
            ])
        }
    }
}
