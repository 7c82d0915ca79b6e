internal import DequeModule
package import NIOCore

/// Executes the commands that the session does not handle itself. Called on the connection's event loop.
package protocol CommandService: AnyObject {
    /// Replies with ``CommandSession/reply(_:)`` at once, or later through a ticket.
    func perform(_ command: ClientCommand, for session: CommandSession)
    /// The current user of the session has left: the connection is gone, or another user has logged in on it.
    func left(_ session: CommandSession)
}

extension CommandService {
    package func left(_ session: CommandSession) {}
}

/// The session of a new connection on a port, which is a Redis client until a handshake.
///
/// It authenticates, answers the automatic commands of client libraries, and keeps replies in the order of their
/// commands, also with deferred replies. Bound to the connection's event loop.
package final class CommandSession: ConnectionSession {
    /// A deferred reply.
    package struct Ticket: Hashable, Sendable {
        fileprivate let number: Int
    }

    package let connection: Connection
    private let service: any CommandService
    private let portGuard: PortGuard
    /// The user that has logged in; nil for a stranger.
    package private(set) var user: User?
    /// The state of the service for this user on this connection; nil again after ``CommandService/left(_:)``.
    package var account: UInt16?
    private var authenticationDeadline: Scheduled<Void>?
    private var owed: Deque<Reply> = []
    private var firstOwed = 0
    /// Bytes of the commands whose replies are owed.
    private var owedBytes = 0
    /// Bytes of the command being carried out.
    private var commandBytes = 0
    /// Bytes of replies that wait behind one that is owed.
    private var waitingBytes = 0
    /// No more commands are taken: when all replies have gone, the connection goes.
    private var isEnding = false
    /// What is said behind the last reply.
    private var lastWord: String?
    private var endDeadline: Scheduled<Void>?

    /// A password is being checked elsewhere, or was wrong and is not answered yet: what has come behind it is not read.
    private var isLoggingIn = false

    /// A reply in its place: nil while it is owed. `command` is the bytes of its command.
    private struct Reply {
        var text: ByteBuffer?
        var command: Int
    }

    /// The largest number of commands with deferred or waiting replies; then no more are read.
    static let maximumOwed = 10_000
    static let maximumOwedBytes = 64 << 20
    static let maximumWaitingBytes = 1 << 20

    private init(connection: Connection, service: any CommandService, portGuard: PortGuard) {
        self.connection = connection
        self.service = service
        self.portGuard = portGuard
        if !portGuard.asksForPassword { user = .standard }
    }

    /// Makes the session of an accepted connection.
    package static func accept(by portGuard: PortGuard, service: any CommandService) -> Connection {
        let door = Door()
        let limits = portGuard.limits
        let asksForPassword = portGuard.asksForPassword
        let connection = Connection(
            role: .server, limits: asksForPassword ? limits.beforeAuthentication : limits, session: door)
        let session = CommandSession(connection: connection, service: service, portGuard: portGuard)
        connection.handOver(to: session)
        if asksForPassword {
            session.expectAuthentication(within: limits.authenticationTime, on: portGuard.eventLoop)
        }
        return connection
    }

    /// Carries out one command of a user who is at another port of this program, at the address `peer`: as over a connection on
    /// which that user has logged in. `answer` gets its reply on the loop, perhaps before this returns. What is about a
    /// connection, such as a handshake, is refused.
    package static func carryOut(
        _ words: [String], as user: User, at peer: String, guardedBy portGuard: PortGuard,
        service: any CommandService, answer: @escaping (RESPValue) -> Void
    ) {
        var answer: ((RESPValue) -> Void)? = answer
        var inside: CommandSession?
        let connection = Connection(inside: peer, limits: portGuard.limits, session: Door()) { bytes in
            guard let say = answer else { return }
            answer = nil
            inside?.leave()
            inside?.connection.endInside()
            inside = nil
            say(RESPValue(reading: bytes) ?? .error("ERR there is no answer"))
        }
        connection.user = user
        let session = CommandSession(connection: connection, service: service, portGuard: portGuard)
        session.user = user
        inside = session
        session.carryOutInside(words)
    }

    private func carryOutInside(_ words: [String]) {
        var buffer = ByteBuffer()
        buffer.writeRESPCommand(words)
        do throws(RESPError) {
            let stream = RESPStream(side: .server, limits: connection.limits)
            try buffer.withUnsafeReadableBytes { (bytes) throws(RESPError) in
                try stream.consume(bytes) { frame in
                    self.receivedInside(frame)
                    return false
                }
            }
        } catch { reply { $0.writeRESPError("ERR Protocol error: \(error)") } }
    }

    private func receivedInside(_ frame: RESPFrame) {
        commandBytes = frame.byteCount
        do throws(CommandError) {
            let command = try ClientCommand(frame)
            switch command {
            case .handshake, .auth, .hello, .quit: throw CommandError("ERR that is about a connection: make one")
            default: try carryOut(command)
            }
        } catch { reply { $0.writeRESPError(error.line) } }
    }

    /// Nothing arrives before the session that follows it is there.
    private final class Door: ConnectionSession {
        func received(_ frame: RESPFrame, on connection: Connection) {}
        func readCompleted(on connection: Connection) {}
        func disconnected(_ connection: Connection, reason: String?) {}
    }

    // MARK: Replies

    /// The reply to the current command.
    package func reply(_ body: (inout ByteBuffer) -> Void) {
        guard !owed.isEmpty else { return connection.write(body) }
        var buffer = ByteBuffer()
        body(&buffer)
        waitingBytes += buffer.readableBytes
        owed.append(Reply(text: buffer, command: 0))
        pauseWhenMuchIsOwed()
    }

    /// Defers the reply to the current command; replies to later commands wait for it.
    package func owe() -> Ticket {
        owed.append(Reply(text: nil, command: commandBytes))
        owedBytes += commandBytes
        pauseWhenMuchIsOwed()
        return Ticket(number: firstOwed + owed.count - 1)
    }

    /// Sends the reply that ``owe()`` deferred; a second call has no effect.
    package func pay(_ ticket: Ticket, _ body: (inout ByteBuffer) -> Void) {
        let index = ticket.number - firstOwed
        guard owed.indices.contains(index), owed[index].text == nil else { return }
        var buffer = ByteBuffer()
        body(&buffer)
        waitingBytes += buffer.readableBytes
        owed[index].text = buffer
        owedBytes -= owed[index].command
        while var ready = owed.first?.text {
            owed.removeFirst()
            firstOwed += 1
            waitingBytes -= ready.readableBytes
            connection.write { $0.writeBuffer(&ready) }
        }
        if isEnding { return endWhenAnswered() }
        readOn()
    }

    private func readOn() {
        if !isLoggingIn, !isEnding, owed.count < Self.maximumOwed / 2,
            owedBytes < Self.maximumOwedBytes / 2,
            waitingBytes < Self.maximumWaitingBytes / 2
        {
            connection.pauseInput(false)
        }
    }

    /// Stops reading for a tenth of a second, because a refused client that asks again at once would delay others.
    package func rest() { connection.rest(for: Self.restTime) }

    static let restTime = TimeAmount.milliseconds(100)

    /// Sends a last error to a client that cannot be served, after a second; its further input is ignored.
    package func turnAway(_ error: String) {
        guard let loop = connection.eventLoop else { return }
        isEnding = true
        connection.rest(for: .seconds(10))
        loop.assumeIsolated().scheduleTask(in: .seconds(1)) { self.connection.refuse(error) }
    }

    private func pauseWhenMuchIsOwed() {
        if owed.count >= Self.maximumOwed || owedBytes >= Self.maximumOwedBytes
            || waitingBytes >= Self.maximumWaitingBytes
        {
            connection.pauseInput(true)
        }
    }

    // MARK: Session

    package func received(_ frame: RESPFrame, on connection: Connection) {
        guard !isEnding else { return }
        commandBytes = frame.byteCount
        do throws(CommandError) {
            try carryOut(try ClientCommand(frame))
        } catch {
            if Self.isHTTP(frame) {
                return end("ERR this is not an HTTP port: closing, because the request may come from a web page")
            }
            reply { $0.writeRESPError(user == nil ? Self.unauthenticated(error.line) : error.line) }
        }
    }

    // MARK: The end

    package func inputEnded(_ error: String?, on connection: Connection) {
        end(error)
        guard !owed.isEmpty else { return }
        portGuard.inputEnded(connection)
        let seconds = portGuard.limits.messageTime
        endDeadline = portGuard.eventLoop.assumeIsolated().scheduleTask(in: .seconds(Int64(seconds))) {
            connection.refuse("ERR no answer within \(seconds) s after the end of the input: closing")
        }
    }

    /// Takes no more commands. The connection closes when the replies that are owed have gone, and behind them the last word.
    private func end(_ lastWord: String? = nil) {
        // Nothing behind QUIT counts.
        guard !isEnding else { return }
        isEnding = true
        self.lastWord = lastWord
        connection.pauseInput(true)
        endWhenAnswered()
    }

    private func endWhenAnswered() {
        guard owed.isEmpty else { return }
        if let lastWord { connection.write { $0.writeRESPError(lastWord) } }
        connection.close(reason: lastWord, within: .seconds(Int64(portGuard.limits.messageTime)))
    }

    // MARK: Strangers

    /// A web page can make its reader's browser send a request to this machine, with lines of the page's choice in it:
    /// they must not be taken for typed commands. One of these lines comes before any of them.
    private static func isHTTP(_ frame: RESPFrame) -> Bool {
        guard frame.wordCount != nil else { return false }
        return CommandWord.matches(frame.word(0), "POST") || CommandWord.matches(frame.word(0), "HOST:")
    }

    /// Who has not said the password learns nothing from errors but about the commands open to him.
    private static func unauthenticated(_ line: String) -> String {
        let isOpen = ["NOPROTO", "ERR Client sent AUTH", "ERR wrong number of arguments for 'auth' command"]
        return isOpen.contains { line.hasPrefix($0) } ? line : "NOAUTH Authentication required."
    }

    package func readCompleted(on connection: Connection) {}

    package func disconnected(_ connection: Connection, reason: String?) {
        leave()
        authenticationDeadline?.cancel()
        endDeadline?.cancel()
        owed.removeAll()
    }

    private func carryOut(_ command: ClientCommand) throws(CommandError) {
        guard user != nil || command.isAllowedBeforeAuthentication else {
            throw CommandError("NOAUTH Authentication required.")
        }
        if let user, let role = command.role, !user.has(role), !(command.isForOwnJobs && user.has(.producer)) {
            throw CommandError("NOPERM this needs the role \(role.rawValue)")
        }
        switch command {
        case .ping(let text):
            reply { buffer in
                if let text { buffer.writeRESPBulk(text) } else { buffer.writeRESPSimple("PONG") }
            }
        case .auth(let credentials):
            guard portGuard.asksForPassword else {
                throw CommandError(
                    "ERR Client sent AUTH, but no password is set. Did you mean a server with a password?")
            }
            authenticate(credentials) { $0.writeRESPSimple("OK") }
        case .hello(_, let credentials?) where portGuard.asksForPassword:
            authenticate(credentials, thenReply: Self.writeHello)
        case .hello:
            guard user != nil else {
                throw CommandError("NOAUTH HELLO must be called with the client already authenticated")
            }
            reply(Self.writeHello)
        case .whoAmI:
            let user = user ?? .standard
            reply { $0.writeRESPCommand(["user", user.name, "roles", user.roleNames]) }
        case .quit:
            reply { $0.writeRESPSimple("OK") }
            end()
        case .commandTable(let isCount):
            reply { if isCount { $0.writeRESPInteger(0) } else { $0.writeRESPArray(count: 0) } }
        case .clientSetting:
            reply { $0.writeRESPSimple("OK") }
        default:
            service.perform(command, for: self)
        }
    }

    private static func writeHello(to buffer: inout ByteBuffer) {
        let fields: [(String, String?)] = [
            ("server", "jobreactor"), ("version", JobReactorVersion.current), ("proto", nil), ("mode", "standalone"),
            ("role", "master"),
        ]
        buffer.writeRESPArray(count: 2 * fields.count + 2)
        for (name, value) in fields {
            buffer.writeRESPBulk(name)
            if let value { buffer.writeRESPBulk(value) } else { buffer.writeRESPInteger(2) }
        }
        buffer.writeRESPBulk("modules")
        buffer.writeRESPArray(count: 0)
    }

    // MARK: Logging in

    /// A right password is answered with `answer`; a wrong one is answered here, later.
    private func authenticate(
        _ credentials: ClientCommand.Credentials, thenReply answer: @escaping (inout ByteBuffer) -> Void
    ) {
        var ticket: Ticket?
        let isKnown = portGuard.check(credentials.user, credentials.password, on: connection) { user in
            guard self.connection.isUp else { return }
            guard let user else { return self.wrongPassword(ticket ?? self.owe()) }
            self.authenticated(as: user)
            guard let ticket else { return self.reply(answer) }
            self.isLoggingIn = false
            self.pay(ticket, answer)
        }
        guard !isKnown else { return }
        ticket = owe()
        holdInput()
    }

    /// One that guesses has one guess checked at a time, and the next when it has its answer.
    private func wrongPassword(_ ticket: Ticket) {
        holdInput()
        portGuard.wrongPassword(on: connection) {
            guard self.connection.isUp else { return }
            self.isLoggingIn = false
            self.pay(ticket) {
                $0.writeRESPError("WRONGPASS invalid username-password pair or user is disabled.")
            }
        }
    }

    private func holdInput() {
        isLoggingIn = true
        connection.pauseInput(true)
    }

    /// The peer has logged in, or has proven its identity in another way.
    package func authenticated(as user: User) {
        let isNew = self.user == nil
        if self.user?.name != user.name { leave() }
        self.user = user
        connection.user = user
        guard isNew else { return }
        authenticationDeadline?.cancel()
        authenticationDeadline = nil
        connection.raiseLimits(to: portGuard.limits)
        portGuard.authenticated(connection)
    }

    /// Calls ``CommandService/left(_:)``. Call this before another session takes the connection over.
    package func leave() {
        guard account != nil else { return }
        service.left(self)
        account = nil
    }

    private func expectAuthentication(within seconds: Int, on loop: any EventLoop) {
        authenticationDeadline = loop.assumeIsolated().scheduleTask(in: .seconds(Int64(seconds))) {
            self.connection.refuse("NOAUTH Authentication required within \(seconds) seconds: closing.")
        }
    }
}
