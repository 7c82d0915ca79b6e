package import NIOCore
private import NIOPosix

/// A port of ours. Bound to one event loop, which its connections share.
package final class Listener {
    package let port: Int
    private let channel: any Channel
    private let connections: Connections

    /// The open connections, to count and to close.
    private final class Connections {
        var open: [ObjectIdentifier: (channel: any Channel, connection: Connection)] = [:]
    }

    private init(channel: any Channel, connections: Connections) {
        self.channel = channel
        self.connections = connections
        port = channel.localAddress?.port ?? 0
    }

    /// Opens the port; `makeConnection` is called on the loop for each connection that is accepted.
    package static func bind(
        to address: Address, on loop: any EventLoop, security: WireSecurity, maximumConnections: Int,
        makeConnection: @escaping () -> Connection
    ) -> EventLoopFuture<NIOLoopBound<Listener>> {
        do {
            try security.checkListening(on: address)
            // Better here than on each connection: it throws when there is no certificate to show.
            _ = try security.tls?.serverHandler()
        } catch { return loop.makeFailedFuture(error) }
        let connections = Connections()
        let bound = NIOLoopBound((connections, makeConnection), eventLoop: loop)
        let tls = security.tls
        return ServerBootstrap(group: loop)
            .serverChannelOption(ChannelOptions.backlog, value: 1024)
            .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try Transport.closeOnExec(channel) }
            }
            .childChannelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(ChannelOptions.socketOption(.so_keepalive), value: 1)
            .childChannelOption(ChannelOptions.recvAllocator, value: Transport.receiveAllocator)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try Transport.closeOnExec(channel)
                    let (connections, makeConnection) = bound.value
                    if let tls {
                        try channel.pipeline.syncOperations.addHandlers(try tls.serverHandler(), HandshakeDeadline())
                    }
                    guard connections.open.count < maximumConnections else {
                        return try channel.pipeline.syncOperations.addHandler(Full(limit: maximumConnections))
                    }
                    let key = ObjectIdentifier(channel)
                    let connection = makeConnection()
                    connections.open[key] = (channel, connection)
                    channel.closeFuture.assumeIsolated().whenComplete { _ in connections.open[key] = nil }
                    try channel.pipeline.syncOperations.addHandler(connection)
                }
            }
            .bind(host: address.host, port: address.port)
            .flatMapErrorThrowing { error in
                throw WireError(
                    .listen,
                    "cannot listen on \(address): \(Transport.describe(error)):"
                        + " stop what uses the port, or choose another", cause: error)
            }
            .map { NIOLoopBound(Listener(channel: $0, connections: bound.value.0), eventLoop: loop) }
    }

    package var connectionCount: Int { connections.open.count }

    /// Accepts no more connections; those open stay.
    package func stopAccepting() {
        channel.close(promise: nil)
    }

    /// Closes all connections; the future is done when they are gone. Those to which something was said get it first, at
    /// most within `limit`.
    package func closeConnections(
        on loop: any EventLoop, within limit: TimeAmount = .seconds(2)
    ) -> EventLoopFuture<Void> {
        let open = Array(connections.open.values)
        for (_, connection) in open { connection.finish(within: limit) }
        return EventLoopFuture.andAllComplete(open.map(\.channel.closeFuture), on: loop)
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
