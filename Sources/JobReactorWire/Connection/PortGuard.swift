package import Logging
package import NIOCore

/// The shared state of the connections of a port: the connection limit, the memory, and the addresses of password
/// guessers.
///
/// Bound to the event loop of the port.
package final class PortGuard {
    package let limits: RESPLimits
    private let password: Password?
    private let users: (any UserDirectory)?
    /// The number of the last known state of ``users``.
    private var usersState = 0
    /// Somebody has logged in since, as a user that may have changed meanwhile.
    private var hasNewUsers = false
    private var checks = PasswordChecks<ObjectIdentifier>()
    package let eventLoop: any EventLoop
    let logger: Logger
    private var admission: Admission<ObjectIdentifier>
    private var held: HeldBytes<ObjectIdentifier>
    private var wrong = WrongPasswords()
    private var connections: [ObjectIdentifier: Connection] = [:]
    private var sweep: Scheduled<Void>?
    private var sweptAt = NIODeadline.uptimeNanoseconds(0)
    private let wrongLog: RepeatedLine
    private let handshakeLog: RepeatedLine

    package init(
        limits: RESPLimits, maximumConnections: Int, password: Password?,
        users: (any UserDirectory)? = nil, logger: Logger, on loop: any EventLoop
    ) {
        self.limits = limits
        self.password = password
        self.users = users
        self.logger = logger
        eventLoop = loop
        wrongLog = RepeatedLine("wrong password", logger, on: loop)
        handshakeLog = RepeatedLine("no TLS with a peer", logger, on: loop)
        admission = Admission(limit: maximumConnections, asksForPassword: password != nil || users != nil)
        held = HeldBytes(
            budget: limits.heldBytes, mostUnread: limits.unreadBytes, seconds: limits.messageTime)
        if users != nil { lookForUsersLater() }
    }

    // MARK: Places

    package var connectionCount: Int { admission.count }
    /// The number of connections that have not given the password.
    package var strangerCount: Int { admission.strangersCount }
    /// The number of wrong passwords since the start.
    package var wrongPasswordCount: Int { wrong.count }
    /// Passwords that wait to be checked.
    var waitingChecks: Int { checks.waitingCount }
    /// Bytes of unfinished messages, of commands that wait, and of replies that are not read.
    package var heldBytes: Int { held.total }

    /// The section `Clients` of INFO.
    package var infoFields: [(String, String)] {
        [
            ("connected_clients", "\(connectionCount)"), ("unauthenticated_clients", "\(strangerCount)"),
            ("wrong_passwords", "\(wrongPasswordCount)"), ("held_bytes", "\(heldBytes)"),
        ]
    }

    /// The most connections at once.
    var connectionLimit: Int { admission.limit }

    var open: [Connection] { Array(connections.values) }

    /// A connection has come. Returns whether there is a place for it; when there is, ``closed(_:)`` is to follow.
    func admit(_ connection: Connection) -> Bool {
        let key = ObjectIdentifier(connection)
        switch admission.accept(key) {
        case .refused: return false
        case .admitted: break
        case .admittedInsteadOf(let oldest):
            let gone = connections.removeValue(forKey: oldest)
            held.remove(oldest)
            let reason = gone?.user == nil ? "NOAUTH Authentication required" : "ERR the input has ended"
            gone?.dismiss("\(reason): closing, because others wait for the connection.")
        }
        connections[key] = connection
        connection.portGuard = self
        return true
    }

    /// It has said who it is.
    func authenticated(_ connection: Connection) { admission.authenticated(ObjectIdentifier(connection)) }

    /// Its peer says nothing more, and waits for answers.
    func inputEnded(_ connection: Connection) {
        let key = ObjectIdentifier(connection)
        if connections[key] != nil { admission.inputEnded(key) }
    }

    func closed(_ connection: Connection) {
        let key = ObjectIdentifier(connection)
        held.remove(key)
        checks.remove(key, from: PeerNetwork(connection.remoteAddress))
        if connections.removeValue(forKey: key) != nil { admission.closed(key) }
    }

    // MARK: Users

    var asksForPassword: Bool { password != nil || users != nil }

    /// Whether the password that has come is that of the user, nil being `default`; `done` gets the user or nil, at once or
    /// later, but not when the connection has gone before its turn came. Returns whether it was at once.
    func check(
        _ name: String?, _ candidate: [UInt8], on connection: Connection, done: @escaping (User?) -> Void
    ) -> Bool {
        // Where there is only one, its name does not matter.
        guard let users, let name, name != User.standard.name else {
            let isRight = password.map { password in candidate.withUnsafeBytes { password.matches($0) } } == true
            done(isRight ? .standard : nil)
            return true
        }
        if let user = users.known(name, candidate) {
            hasNewUsers = true
            done(user)
            return true
        }
        let bound = NIOLoopBound((self, done), eventLoop: eventLoop)
        let peer = PeerNetwork(connection.remoteAddress)
        checks.add(ObjectIdentifier(connection), from: peer) { [eventLoop] in
            let began = eventLoop.now
            users.check(name, candidate) { user in
                bound.eventLoop.execute {
                    let (portGuard, done) = bound.value
                    if user != nil { portGuard.hasNewUsers = true }
                    done(user)
                    portGuard.checked(peer, wrongAfter: user == nil ? eventLoop.now - began : nil)
                }
            }
        }
        beginChecks()
        return false
    }

    private func beginChecks() {
        while let begin = checks.next() { begin() }
    }

    /// Who guesses does not keep a core busy, however many connections it has: where a password was wrong the next one of
    /// that address waits nine times as long as the check took, at most a second.
    private func checked(_ peer: PeerNetwork, wrongAfter time: TimeAmount?) {
        checks.ended()
        if let time, time > .zero {
            eventLoop.assumeIsolated().scheduleTask(in: min(.seconds(1), time * 9)) {
                self.checks.rested(peer)
                self.beginChecks()
            }
        } else {
            checks.rested(peer)
        }
        beginChecks()
    }

    private func lookForUsersLater() {
        eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { [weak self] in self?.lookForUsers() }
    }

    private func lookForUsers() {
        let bound = NIOLoopBound(WeakGuard(self), eventLoop: eventLoop)
        users?.look(since: usersState) { users, state in
            bound.eventLoop.execute { bound.value.portGuard?.found(users, state) }
        }
    }

    private struct WeakGuard {
        weak var portGuard: PortGuard?
        init(_ portGuard: PortGuard) { self.portGuard = portGuard }
    }

    /// Who is not there any more, or may do other things than before, has to log in anew.
    private func found(_ users: [String: User], _ state: Int) {
        lookForUsersLater()
        guard state != usersState || hasNewUsers else { return }
        (usersState, hasNewUsers) = (state, false)
        for connection in open {
            guard let user = connection.user, user != .standard, users[user.name] != user else { continue }
            logger.notice(
                "a user has changed: closed a connection",
                metadata: ["user": "\(user.name)", "address": "\(connection.peer)"])
            connection.dismiss("NOPERM the user \(user.name) has changed: log in again")
        }
    }

    // MARK: Wrong passwords

    /// A wrong password has come; `answer` is called when it may be said so. Nothing else of that peer is read until then.
    func wrongPassword(on connection: Connection, answer: @escaping () -> Void) {
        let peer = PeerNetwork(connection.remoteAddress)
        wrongLog.note(["address": "\(connection.peer)"])
        switch wrong.wrong(from: peer, at: eventLoop.now) {
        case .after(let time):
            eventLoop.assumeIsolated().scheduleTask(in: time) {
                self.wrong.answered(peer)
                answer()
            }
        case .never: connection.closeNow(reason: "too many wrong passwords from this address wait for an answer")
        }
    }

    /// A peer and this side have not agreed on TLS.
    func handshakeFailed(on connection: Connection, reason: String) {
        handshakeLog.note(["address": "\(connection.peer)", "reason": "\(reason)"])
    }

    // MARK: Memory

    /// How many bytes the connection holds of a message that is not complete, and of what waits; see ``HeldBytes``.
    func noteInput(of connection: Connection, _ bytes: Int, waiting: Int, isNew: Bool) {
        let key = ObjectIdentifier(connection)
        guard connections[key] != nil else { return }
        end(held.noteInput(key, bytes, waiting: waiting, isNew: isNew, at: eventLoop.now))
        scheduleSweep()
    }

    /// How many bytes wait for the connection's peer, and how many it has taken.
    func noteOutput(of connection: Connection, _ bytes: Int, taken: Int) {
        let key = ObjectIdentifier(connection)
        guard connections[key] != nil else { return }
        end(held.noteOutput(key, bytes, taken: taken, at: eventLoop.now))
        scheduleSweep()
    }

    private func end(_ found: (key: ObjectIdentifier, reason: HeldBytes<ObjectIdentifier>.Reason)?) {
        guard let found, let connection = connections[found.key] else { return }
        // It counts no more, though it is there until its channel has closed.
        held.remove(found.key)
        logger.notice(
            "closed a connection", metadata: ["address": "\(connection.peer)", "reason": "\(found.reason)"])
        connection.dismiss("ERR Protocol error: \(found.reason)")
    }

    /// Looks at all who keep us waiting, as long as there are any.
    private func scheduleSweep() {
        guard sweep == nil, !held.isEmpty else { return }
        sweptAt = eventLoop.now
        sweep = eventLoop.assumeIsolated().scheduleTask(in: Self.sweepTime(limits)) { self.look() }
    }

    private static func sweepTime(_ limits: RESPLimits) -> TimeAmount {
        .milliseconds(Int64(min(5000, 250 * max(1, limits.messageTime))))
    }

    private func look() {
        sweep = nil
        let now = eventLoop.now
        // When this is late it is we who were held up: what was said meanwhile waits to be read.
        let isLate = now - sweptAt >= .nanoseconds(2 * Self.sweepTime(limits).nanoseconds)
        for key in held.unread { connections[key]?.reportUnread() }
        if !isLate { for found in held.overdue(at: now) { end(found) } }
        scheduleSweep()
    }
}
