import JobReactorWire
import NIOCore
import NIOEmbedded

/// A connection between a node and a distributor: what one end sends arrives at the other when the model says so, piece by
/// piece, or never.
final class SimulatedPipe {
    enum End: Hashable, Sendable, CaseIterable {
        case node, distributor

        var other: End { self == .node ? .distributor : .node }
    }

    private final class Side {
        let connection: Connection
        let channel: EmbeddedChannel
        /// Sent by this end and not arrived.
        var sent: [ByteBuffer] = []
        /// The process of this end is gone.
        var isDead = false
        /// What this end sends arrives nowhere.
        var isDeaf = false

        init(_ connection: Connection, _ loop: EmbeddedEventLoop) {
            self.connection = connection
            channel = EmbeddedChannel(handler: connection, loop: loop)
        }

        var isOpen: Bool { !isDead && channel.isActive }
    }

    let node: Int
    let distributor: Int
    private let sides: [End: Side]

    init(
        node: (Int, Connection), distributor: (Int, Connection), on loop: EmbeddedEventLoop
    ) throws {
        (self.node, self.distributor) = (node.0, distributor.0)
        // The distributor first: it listens.
        let there = Side(distributor.1, loop)
        let here = Side(node.1, loop)
        sides = [.distributor: there, .node: here]
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: 5000)
        try there.channel.connect(to: address).wait()
        try here.channel.connect(to: address).wait()
    }

    private func side(_ end: End) -> Side? { sides[end] }

    /// Takes what the ends have sent.
    func collect() throws {
        for end in End.allCases {
            guard let side = side(end) else { continue }
            while let buffer = try side.channel.readOutbound(as: ByteBuffer.self) {
                if !side.isDead, !side.isDeaf, buffer.readableBytes > 0 { side.sent.append(buffer) }
            }
        }
    }

    func isOpen(_ end: End) -> Bool { side(end)?.isOpen == true }

    func isDead(_ end: End) -> Bool { side(end)?.isDead == true }

    /// Whether something is on its way to that end, which can take it.
    func canDeliver(to end: End) -> Bool { isOpen(end) && side(end.other)?.sent.isEmpty == false }

    /// Whether that end can learn that the other has closed, or is gone: all that was on the way has arrived.
    func canNotice(_ end: End) -> Bool {
        isOpen(end) && !isOpen(end.other) && side(end.other)?.sent.isEmpty == true
    }

    /// Nothing can happen on it any more.
    var isOver: Bool { End.allCases.allSatisfy { !isOpen($0) } }

    func deliver(to end: End) throws {
        guard canDeliver(to: end), let buffer = side(end.other)?.sent.removeFirst() else { return }
        try side(end)?.channel.writeInbound(buffer)
    }

    func notice(_ end: End) { side(end)?.channel.close(promise: nil) }

    /// The cable breaks: what is on its way is lost, and `first` notices.
    func cut(noticedBy first: End) {
        for side in sides.values {
            side.sent = []
            side.isDeaf = true
        }
        notice(first)
    }

    /// The process at that end dies. What it has sent may still arrive.
    func kill(_ end: End) {
        guard let side = side(end) else { return }
        side.isDead = true
        sides[end.other]?.sent = []
    }

    /// The end of the simulation.
    func close() { for side in sides.values where side.channel.isActive { side.channel.close(promise: nil) } }

    /// For fingerprints.
    var state: String {
        End.allCases.map { end in
            let side = side(end)
            return (side?.isOpen == true ? "o" : "c")
                + (side?.sent ?? []).map { String(buffer: $0).replacing("\r\n", with: " ") }.joined(separator: "|")
        }.joined(separator: "/")
    }
}
