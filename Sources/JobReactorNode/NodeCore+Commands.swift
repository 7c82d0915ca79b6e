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
                if let job = job.map({ user.sees(shown($0), hidesArgs: hidesArgs) }) {
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
                write(shown(jobs).map { user.sees($0, hidesArgs: hidesArgs) }, to: &buffer)
            }
        case .record(let id):
            answer(session, loop.answer { storage.load(id, done: $0) }) { [self] job, buffer in
                if let job {
                    write([user.sees(shown(job), hidesArgs: hidesArgs)], to: &buffer)
                } else {
                    buffer.writeRESPNull()
                }
            }
        case .cancel(let id): answer(session, cancel(id), "CANCEL", "the job \(id) is cancelled")
        case .retry(let id):
            answer(session, loop.answer { self.retry(id, $0) }, "RETRY", "the job \(id) runs now")
        case .destroy(let id):
            answer(session, loop.answer { self.destroy(id, $0) }, "DESTROY", "the job \(id) is gone")
        case .orders(let order, let filter, let isDry):
            let carriedOut = audit.noting(
                order, of: filter, isDry: isDry, by: session.user, over: session.connection
            ) { carryOut(order, filter, isDry: isDry, begin: $0) }
            answer(session, carriedOut) { $0.write(order, isDry: isDry, to: &$1) }
        case .audit(let count): audit.answer(count, to: session)
        case .reload:
            answer(session, audited(reload(), session, "RELOAD", "the scripts are reloaded") { _ in true }) {
                $1.writeRESPBulk($0)
            }
        case .handshake(.link(let distributor, let token, let received)):
            if let error = acceptLink(from: distributor, token: token, received: received, over: session) {
                session.connection.refuse(error.line)
            }
        case .handshake:
            session.reply { $0.writeRESPError("ERR that handshake is for a distributor's port: this is a node") }
        case .enqueue, .perform, .nodes, .pause, .resume, .pauses, .schedule, .schedules, .limits:
            session.reply { $0.writeRESPError("ERR this is a node: send that command to a distributor") }
        case .ping, .auth, .hello, .whoAmI, .quit, .commandTable, .clientSetting:
            // The session's own.
            break
        }
    }

    /// 1 when it is done, and 0 when there was nothing to do.
    private func answer(
        _ session: CommandSession, _ isDone: EventLoopFuture<Bool>, _ command: String, _ change: String
    ) {
        answer(session, audited(isDone, session, command, change) { $0 }) { $1.writeRESPInteger($0 ? 1 : 0) }
    }

    /// The result, when the audit log has it, as far as it `hasChanged` anything.
    private func audited<Value: Sendable>(
        _ result: EventLoopFuture<Value>, _ session: CommandSession, _ command: String, _ change: String,
        _ hasChanged: @escaping (Value) -> Bool
    ) -> EventLoopFuture<Value> {
        let promise = loop.makePromise(of: Value.self)
        let user = session.user
        result.assumeIsolated().whenComplete { [audit] result in
            guard case .success(let value) = result, hasChanged(value) else { return promise.completeWith(result) }
            audit.note(command, change, by: user, over: session.connection) { promise.succeed(value) }
        }
        return promise.futureResult
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
