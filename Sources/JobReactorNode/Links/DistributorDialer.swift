internal import JobReactorCore
internal import JobReactorWire
internal import Logging
internal import NIOCore

/// Keeps the node registered with one distributor: connects, introduces the node, and becomes the link itself when the
/// distributor says so; when it dials back instead, keeps the registration alive. The loss of either ends both, and the
/// dialer starts again.
final class DistributorDialer {
    private let core: NodeCore
    let address: Address
    private var dialer: Dialer?
    private var connection: Connection?
    private var lastRefusal: String?
    /// What the distributor shows that dials back for the connection that is open now.
    fileprivate private(set) var token = ""

    init(to address: Address, core: NodeCore) {
        self.address = address
        self.core = core
    }

    func start() {
        let configuration = core.configuration
        let dialer = Dialer(
            to: address, on: core.loop, security: configuration.security, logger: configuration.logger
        ) {
            // The dialer and this hold each other until the stop.
            self.makeConnection()
        }
        self.dialer = dialer
        dialer.start()
    }

    /// The node's end of a connection to the distributor's port: introduces the node when it is up.
    func makeConnection() -> Connection {
        let connection = Connection(role: .client, limits: core.configuration.limits, session: Registration(self))
        self.connection = connection
        token = Self.makeToken()
        return connection
    }

    /// Nobody can guess it.
    private static func makeToken() -> String {
        var random = SystemRandomNumberGenerator()
        return JobID(high: random.next(), low: random.next()).description
    }

    func stop() {
        closed = dialer?.closed ?? core.loop.makeSucceededVoidFuture()
        dialer?.stop()
        dialer = nil
    }

    /// Done when nothing of it is open any more; made by the stop.
    private(set) lazy var closed: EventLoopFuture<Void> = core.loop.makeSucceededVoidFuture()

    /// The distributor has dialled back.
    fileprivate func linkCame() { connection?.answered() }

    /// The link that this registration led to, over another connection, is gone.
    fileprivate func linkEnded(_ reason: String?) {
        connection?.close(reason: reason ?? "the link is gone")
    }

    /// The conversation on the connection that the node opened.
    fileprivate final class Registration: ConnectionSession {
        private let owner: DistributorDialer
        private var distributor: (id: String, name: String)?
        private var awaitsAuthentication: Bool
        private var hasLink = false
        private var isRefused = false

        init(_ owner: DistributorDialer) {
            self.owner = owner
            awaitsAuthentication = owner.core.configuration.security.password != nil
        }

        func connected(_ connection: Connection) {
            let core = owner.core
            connection.expectAnswer()
            if let login = core.configuration.security.login { connection.write { $0.writeRESPCommand(login) } }
            let introduction = core.introduction(token: owner.token)
            connection.write { Handshake.node(introduction).write(to: &$0) }
        }

        func received(_ frame: RESPFrame, on connection: Connection) {
            if awaitsAuthentication, frame.kind(ofToken: 0) == .simple {
                awaitsAuthentication = false
                return
            }
            if (try? LinkMessage(frame)) == .ping { return }
            switch try? Handshake(frame) {
            case .distributor(let id, let name)?:
                // The wait for the next try goes on growing: it was not taken.
                if let reason = owner.core.nameConflict(of: id, named: name) {
                    return unwelcome(reason, connection)
                }
                distributor = (id, name)
                // It may have to find out first that this node's port cannot be reached.
                connection.expectAnswer(within: 3 * owner.core.configuration.limits.authenticationTime + 10)
                owner.dialer?.succeeded()
                owner.lastRefusal = nil
                connection.becomeLink()
                owner.core.expectLink(from: id, named: name, owner)
            case .serve(let received)?:
                guard let distributor else { return connection.close(reason: "SERVE before DISTRIBUTOR") }
                if let reason = owner.core.nameConflict(of: distributor.id, named: distributor.name) {
                    return unwelcome(reason, connection)
                }
                hasLink = true
                connection.answered()
                owner.core.stopExpectingLink(from: distributor.id, owner)
                owner.core.directory.addresses[distributor.name] = owner.address
                DistributorLink(
                    distributor: distributor.name, process: distributor.id, received: received, connection: connection,
                    core: owner.core
                ) { _ in }.begin()
            default:
                refused(RESPValue(frame).text ?? "an invalid answer", connection)
            }
        }

        private func refused(_ reason: String, _ connection: Connection) {
            isRefused = true
            log("the distributor refuses this node", reason)
            connection.close(reason: reason)
        }

        private func unwelcome(_ reason: String, _ connection: Connection) {
            isRefused = true
            log("this node refuses the distributor", reason)
            connection.write { Handshake.unwelcome(reason).write(to: &$0) }
            connection.close(reason: reason)
        }

        /// Said once, not at every try.
        private func log(_ what: Logger.Message, _ reason: String) {
            guard owner.lastRefusal != reason else { return }
            owner.lastRefusal = reason
            owner.core.logger.error(what, metadata: ["address": "\(owner.address)", "reason": "\(reason)"])
        }

        func readCompleted(on connection: Connection) {}

        func disconnected(_ connection: Connection, reason: String?) {
            guard !hasLink else { return }
            guard let distributor else {
                if let reason, !isRefused { log("the distributor does not answer", reason) }
                return
            }
            owner.core.registrationLost(distributor.id, owner)
        }
    }
}

/// Where the distributors of a node are, and which of them are expected to dial back.
struct DistributorDirectory {
    /// By the identity of the distributor that is to dial back.
    var registrations: [String: (dialer: DistributorDialer, name: String)] = [:]
    /// Where the distributor of a name was last reached.
    var addresses: [String: Address] = [:]
}

extension NodeCore {
    /// A distributor that dials back does so for this registration.
    func expectLink(from distributor: String, named name: String, _ dialer: DistributorDialer) {
        directory.registrations[distributor] = (dialer, name)
    }

    /// Why a process that calls itself a distributor of that name is not taken: another of the name has the link. Both at
    /// once would take the link from each other, and what one had sent would run again for the other. A distributor that
    /// died without an end of its connection has the link until the keepalive ends that, after 40 s at most.
    func nameConflict(of process: String, named name: String) -> String? {
        guard let link = destinations.known(name)?.link, link.process != process, link.connection.isUp else {
            return nil
        }
        let first = directory.addresses[name]?.description ?? link.connection.peer
        return "DISTRIBUTORNAME a distributor named \(name) is already linked to this node, from \(first):"
            + " give one of them another name"
    }

    func stopExpectingLink(from distributor: String, _ dialer: DistributorDialer) {
        if directory.registrations[distributor]?.dialer === dialer { directory.registrations[distributor] = nil }
    }

    func registrationLost(_ distributor: String, _ dialer: DistributorDialer) {
        guard let (known, name) = directory.registrations[distributor], known === dialer else { return }
        directory.registrations[distributor] = nil
        if destinations.known(name)?.delivery.process == distributor {
            closeLink(to: name, reason: "the registration is gone")
        }
    }

    /// A distributor dialled back: it has the token that this node gave it. Returns why it is not welcome.
    func acceptLink(
        from distributor: String, token: String, received: Int, over session: CommandSession
    ) -> CommandError? {
        let connection = session.connection
        guard let (dialer, name) = directory.registrations[distributor],
            let expected = Password(dialer.token), Array(token.utf8).withUnsafeBytes({ expected.matches($0) })
        else {
            return CommandError("ERR another node than the one that gave this address listens here")
        }
        session.authenticated(as: .standard)
        if let reason = nameConflict(of: distributor, named: name) {
            connection.write { Handshake.unwelcome(reason).write(to: &$0) }
            connection.close(reason: reason)
            return nil
        }
        directory.addresses[name] = dialer.address
        dialer.linkCame()
        connection.write { Handshake.linked.write(to: &$0) }
        DistributorLink(
            distributor: name, process: distributor, received: received, connection: connection, core: self
        ) { [weak dialer] reason in
            dialer?.linkEnded(reason)
        }.begin()
        return nil
    }
}
