package import NIOCore

/// The messages by which a connection becomes a link. Every handshake begins with the version of the protocol.
package enum Handshake: Hashable, Sendable {
    package static let version = 3

    /// From a node to a distributor: its introduction. The distributor answers ``distributor(id:name:)`` and dials
    /// `server`, or sends ``serve(received:)`` if there is no server or it cannot be reached.
    case node(NodeIntroduction)
    /// From a producer to a distributor, which answers ``distributor(id:name:)``; the connection is the link at once.
    case producer(id: String)
    /// The distributor's answer: the id of its process, and its name, which stays the same after a restart.
    case distributor(id: String, name: String)
    /// From a distributor to the node at the address that it gave. The token from the node's introduction proves the
    /// identity of the distributor instead of a password. `received` is the number of the last report that has arrived
    /// from that process of the node; 0 for none.
    case link(distributor: String, token: String, received: Int)
    /// The node's answer to ``link(distributor:token:received:)``.
    case linked
    /// From a distributor to a node: this connection is the link. `received` as in ``link(distributor:token:received:)``.
    case serve(received: Int)
    /// From a node to a distributor, instead of ``linked`` or at any time before the link is used: the node refuses
    /// this distributor for this reason, and closes the connection.
    case unwelcome(String)

    package init?(_ frame: RESPFrame) throws(CommandError) {
        guard let count = frame.wordCount else { return nil }
        let verb = frame.word(0)
        let isNode = CommandWord.matches(verb, "NODE")
        if isNode || CommandWord.matches(verb, "PRODUCER") || CommandWord.matches(verb, "DISTRIBUTOR")
            || CommandWord.matches(verb, "LINK")
        {
            let name = CommandWord.shown(verb)
            guard count > 1, let version = CommandWord.integer(frame.word(1)) else {
                throw CommandError(
                    "ERR \(name) is a handshake between nodes and distributors and starts with a version")
            }
            guard version == Self.version else {
                throw CommandError(
                    "NOPROTO the peer asks for link version \(version), but this side has version \(Self.version):"
                        + " run the same release of jobreactor on both")
            }
        }
        if isNode, count == 8 {
            let isDurable = CommandWord.matches(frame.word(4), "DURABLE")
            guard isDurable || CommandWord.matches(frame.word(4), "VOLATILE") else {
                throw CommandError("ERR a node is DURABLE or VOLATILE, not '\(CommandWord.shown(frame.word(4)))'")
            }
            self = .node(
                NodeIntroduction(
                    name: frame.text(2), instance: frame.text(3),
                    isDurable: isDurable,
                    server: frame.word(5).isEmpty ? nil : frame.text(5),
                    place: frame.word(6).isEmpty ? nil : frame.text(6), token: frame.text(7)))
        } else if CommandWord.matches(verb, "PRODUCER"), count == 3 {
            self = .producer(id: frame.text(2))
        } else if CommandWord.matches(verb, "DISTRIBUTOR"), count == 4 {
            self = .distributor(id: frame.text(2), name: frame.text(3))
        } else if CommandWord.matches(verb, "LINK"), count == 5,
            let received = CommandWord.integer(frame.word(4)), received >= 0
        {
            self = .link(distributor: frame.text(2), token: frame.text(3), received: received)
        } else if CommandWord.matches(verb, "LINKED"), count == 1 {
            self = .linked
        } else if CommandWord.matches(verb, "SERVE"), count == 2,
            let received = CommandWord.integer(frame.word(1)), received >= 0
        {
            self = .serve(received: received)
        } else if CommandWord.matches(verb, "UNWELCOME"), count == 2 {
            self = .unwelcome(frame.text(1))
        } else {
            return nil
        }
    }

    package func write(to buffer: inout ByteBuffer) {
        let version = "\(Self.version)"
        switch self {
        case .node(let node):
            buffer.writeRESPCommand([
                "NODE", version, node.name, node.instance, node.isDurable ? "DURABLE" : "VOLATILE", node.server ?? "",
                node.place ?? "", node.token,
            ])
        case .producer(let id): buffer.writeRESPCommand(["PRODUCER", version, id])
        case .distributor(let id, let name): buffer.writeRESPCommand(["DISTRIBUTOR", version, id, name])
        case .link(let distributor, let token, let received):
            buffer.writeRESPCommand(["LINK", version, distributor, token, "\(received)"])
        case .linked: buffer.writeRESPCommand(["LINKED"])
        case .serve(let received): buffer.writeRESPCommand(["SERVE", "\(received)"])
        case .unwelcome(let reason): buffer.writeRESPCommand(["UNWELCOME", reason])
        }
    }
}

/// The introduction of a node.
package struct NodeIntroduction: Hashable, Sendable {
    package var name: String
    /// A new value for each process.
    package var instance: String
    /// Whether it owns the jobs it has saved.
    package var isDurable: Bool
    /// The address on which it listens; nil for a node that uses the connection that it opened.
    package var server: String?
    /// The identity of its shared storage, from which other nodes could take over its jobs; nil for none.
    package var place: String?
    /// The token by which a distributor that dials back proves its identity. Made for one connection; empty without a
    /// server.
    package var token: String

    package init(
        name: String, instance: String, isDurable: Bool, server: String?, place: String? = nil, token: String = ""
    ) {
        self.name = name
        self.instance = instance
        self.isDurable = isDurable
        self.server = server
        self.place = place
        self.token = token
    }
}
