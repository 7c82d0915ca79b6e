package import NIOCore

/// A listening port on all addresses of its host name. Bound to one event loop, which its connections share.
package final class Listener {
    /// What its connections share.
    package let portGuard: PortGuard
    private let open: OpenPort

    private init(_ open: OpenPort, portGuard: PortGuard) {
        self.open = open
        self.portGuard = portGuard
    }

    /// Opens the port; `makeConnection` is called on the loop for each accepted connection.
    package static func bind(
        to address: Address, guardedBy portGuard: PortGuard, security: WireSecurity,
        makeConnection: @escaping () -> Connection
    ) -> EventLoopFuture<NIOLoopBound<Listener>> {
        let loop = portGuard.eventLoop
        let bound = NIOLoopBound((portGuard, makeConnection), eventLoop: loop)
        return OpenPort.bind(to: address, security: security, logger: portGuard.logger, on: loop) { channel in
            let (portGuard, makeConnection) = bound.value
            try accept(channel, makeConnection(), portGuard, hasTLS: security.tls != nil)
        }.map { open in
            NIOLoopBound(Listener(open.value, portGuard: bound.value.0), eventLoop: loop)
        }
    }

    private static func accept(
        _ channel: any Channel, _ connection: Connection, _ portGuard: PortGuard, hasTLS: Bool
    ) throws {
        connection.allowsHalfClosure = !hasTLS
        guard portGuard.admit(connection) else {
            return try channel.pipeline.syncOperations.addHandler(Full(limit: portGuard.connectionLimit))
        }
        do {
            try channel.pipeline.syncOperations.addHandler(connection)
        } catch {
            portGuard.closed(connection)
            throw error
        }
    }

    package var port: Int { open.port }
    package var connectionCount: Int { portGuard.connectionCount }

    /// Accepts no more connections; those open stay.
    package func stopAccepting() { open.stopAccepting() }

    /// Closes all connections; the future completes when they are closed. Pending output is sent first, within at most
    /// `limit`.
    package func closeConnections(
        on loop: any EventLoop, within limit: TimeAmount = .seconds(2)
    ) -> EventLoopFuture<Void> {
        let open = portGuard.open
        let closed = open.compactMap(\.closed)
        for connection in open { connection.finish(within: limit) }
        return EventLoopFuture.andAllComplete(closed, on: loop)
    }

    /// Tells one connection too many why it is closed.
    private final class Full: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        let limit: Int

        init(limit: Int) { self.limit = limit }

        func channelActive(context: ChannelHandlerContext) {
            var buffer = ByteBuffer()
            buffer.writeRESPError("ERR max number of clients reached: the connection limit is \(limit)")
            let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
            context.writeAndFlush(wrapOutboundOut(buffer)).whenComplete { _ in bound.value.close(promise: nil) }
        }
    }
}
