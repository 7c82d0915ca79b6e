internal import JobReactorCore
internal import JobReactorWire
internal import Logging
internal import NIOCore

/// A node from its introduction to its end: the connection it opened, and the one over which it is served, which is
/// another when the node listens and can be reached. The loss of either ends both; the node comes back by itself.
final class NodeRegistration: ConnectionSession {
    let introduction: NodeIntroduction
    private let connection: Connection
    private let core: DistributorCore
    private var link: NodeLink?
    private var isOver = false

    init(_ introduction: NodeIntroduction, connection: Connection, core: DistributorCore) {
        self.introduction = introduction
        self.connection = connection
        self.core = core
    }

    var address: String { introduction.server ?? connection.peer }

    func begin() {
        connection.handOver(to: self)
        connection.becomeLink()
        connection.write { Handshake.distributor(id: self.core.identity, name: self.core.name).write(to: &$0) }
        if let server = introduction.server { dial(server) } else { serveHere() }
    }

    func close(reason: String) {
        guard !isOver else { return }
        isOver = true
        core.forget(self)
        if let link, link.connection !== connection { link.connection.close(reason: reason) }
        connection.close(reason: reason)
        // Its place is free from now on, not only when the connection has closed.
        link?.disconnected(connection, reason: reason)
    }

    private func serveHere() {
        guard !isOver, connection.isOpen else { return }
        let received = core.lastReport(from: introduction)
        connection.write { Handshake.serve(received: received).write(to: &$0) }
        let link = makeLink(over: connection)
        connection.handOver(to: link)
        // The node has not said yet whether it takes this distributor.
        link.beginWhenWelcome()
    }

    private func makeLink(over connection: Connection) -> NodeLink {
        let link = NodeLink(introduction, connection: connection, core: core) { [weak self] reason in
            self?.close(reason: reason ?? "closed")
        }
        self.link = link
        return link
    }

    // MARK: Dialling back

    private func dial(_ server: String) {
        guard let address = Address(server) else { return dialFailed("'\(server)' is not host:port") }
        let bound = NIOLoopBound(self, eventLoop: core.loop)
        let configuration = core.configuration
        let peer = connection.remoteAddress
        HostAddresses.resolve(address, on: core.loop).flatMap { addresses in
            let allowed = DialRule.allowed(of: addresses, host: address.host, for: peer, configuration.dialAllow)
            return bound.value.dial(address, at: allowed[...])
        }.whenFailure { error in
            bound.value.dialFailed(Transport.describe(error))
        }
    }

    /// Tries one of the places after the other.
    private func dial(_ address: Address, at places: ArraySlice<SocketAddress>) -> EventLoopFuture<Void> {
        guard let place = places.first else {
            let reason = "it is neither the address of the node nor in \(SettingName.dialAllow)"
            return core.loop.makeFailedFuture(WireError(.connect, reason))
        }
        let bound = NIOLoopBound(self, eventLoop: core.loop)
        let configuration = core.configuration
        return Dialer.connect(to: address, at: place, on: core.loop, tls: configuration.security.tls) {
            Connection(role: .client, limits: configuration.limits, session: DialBack(bound.value))
        }.map { _ in }.flatMapError { error in
            let rest = places.dropFirst()
            return rest.isEmpty ? bound.eventLoop.makeFailedFuture(error) : bound.value.dial(address, at: rest)
        }
    }

    private func dialFailed(_ reason: String) {
        guard !isOver, link == nil else { return }
        core.logger.warning(
            "cannot connect back to the node, so its own connection is used; check its \(SettingName.connectTo)",
            metadata: [
                "node": "\(introduction.name)", "address": "\(introduction.server ?? "")", "reason": "\(reason)",
            ])
        serveHere()
    }

    /// The connection to the node's port, until the node has said that it is the right one.
    private final class DialBack: ConnectionSession {
        private let registration: NodeRegistration
        private var isLinked = false
        private var failure: String?

        init(_ registration: NodeRegistration) { self.registration = registration }

        func connected(_ connection: Connection) {
            connection.expectAnswer()
            // No password: whoever listens there has not proven anything yet.
            let introduction = registration.introduction
            let identity = registration.core.identity
            let received = registration.core.lastReport(from: introduction)
            connection.write {
                Handshake.link(distributor: identity, token: introduction.token, received: received)
                    .write(to: &$0)
            }
        }

        func received(_ frame: RESPFrame, on connection: Connection) {
            let answer = try? Handshake(frame)
            if case .unwelcome(let reason) = answer {
                isLinked = true
                connection.close(reason: reason)
                return registration.unwelcome(reason)
            }
            guard !registration.isOver, answer == .linked else {
                failure = RESPValue(frame).text ?? "an invalid answer"
                return connection.close(reason: failure)
            }
            isLinked = true
            connection.answered()
            let link = registration.makeLink(over: connection)
            connection.handOver(to: link)
            link.begin()
        }

        func readCompleted(on connection: Connection) {}

        func disconnected(_ connection: Connection, reason: String?) {
            if !isLinked { registration.dialFailed(failure ?? reason ?? "connection closed") }
        }
    }

    // MARK: The node's own connection, when the link is another

    /// The node does not take this distributor.
    fileprivate func unwelcome(_ reason: String) {
        core.noteUnwelcome(at: introduction.name, address, reason)
        close(reason: reason)
    }

    func received(_ frame: RESPFrame, on connection: Connection) {
        if case .unwelcome(let reason) = try? Handshake(frame) { return unwelcome(reason) }
        if (try? LinkMessage(frame)) != .ping {
            connection.refuse("ERR this connection only keeps the node registered")
        }
    }

    func readCompleted(on connection: Connection) {}

    func disconnected(_ connection: Connection, reason: String?) {
        // What has come over the link before is still read: a process that ends loses both in one moment.
        core.loop.assumeIsolated().execute { self.close(reason: reason ?? "closed") }
    }
}

extension DistributorCore {
    /// A node does not take this distributor: said once, not at every try of the node.
    func noteUnwelcome(at node: String, _ address: String, _ reason: String) {
        guard unwelcome[node] != reason else { return }
        // Names come from outside.
        if unwelcome.count >= 1000 { unwelcome = [:] }
        unwelcome[node] = reason
        logger.error(
            "a node refuses this distributor",
            metadata: ["node": "\(node)", "address": "\(address)", "reason": "\(reason)"])
    }
}
