private import Logging
package import NIOCore
private import NIOPosix

/// A port of ours, on all addresses of its host's name. Bound to one event loop, which its connections share.
package final class Listener {
    package let port: Int
    /// What its connections share.
    package let portGuard: PortGuard
    private let channels: [any Channel]

    private init(channels: [any Channel], portGuard: PortGuard) {
        self.channels = channels
        self.portGuard = portGuard
        port = channels.first?.localAddress?.port ?? 0
    }

    /// Opens the port; `makeConnection` is called on the loop for each connection that is accepted.
    package static func bind(
        to address: Address, guardedBy portGuard: PortGuard, security: WireSecurity,
        makeConnection: @escaping () -> Connection
    ) -> EventLoopFuture<NIOLoopBound<Listener>> {
        let loop = portGuard.eventLoop
        do {
            try address.validate()
            try security.checkListening(on: address)
            // Better here than on each connection: it throws when there is no certificate to show.
            _ = try security.tls?.serverHandler()
        } catch { return loop.makeFailedFuture(error) }
        let opening = Opening(address, portGuard, security.tls, makeConnection)
        let bound = NIOLoopBound(opening, eventLoop: loop)
        return HostAddresses.resolve(address, on: loop)
            .flatMap { bound.value.open($0) }
            .flatMapErrorThrowing { error in
                throw WireError(
                    .listen,
                    "cannot listen on \(address): \(Transport.describe(error)):"
                        + " stop what uses the port, or choose another", cause: error)
            }
            .map {
                NIOLoopBound(
                    Listener(channels: bound.value.channels, portGuard: bound.value.portGuard), eventLoop: loop)
            }
    }

    package var connectionCount: Int { portGuard.connectionCount }

    /// Accepts no more connections; those open stay.
    package func stopAccepting() {
        for channel in channels { channel.close(promise: nil) }
    }

    /// Closes all connections; the future is done when they are gone. Those to which something was said get it first, at
    /// most within `limit`.
    package func closeConnections(
        on loop: any EventLoop, within limit: TimeAmount = .seconds(2)
    ) -> EventLoopFuture<Void> {
        let open = portGuard.open
        let closed = open.compactMap(\.closed)
        for connection in open { connection.finish(within: limit) }
        return EventLoopFuture.andAllComplete(closed, on: loop)
    }

    /// Opens one address after the other, all with the same port.
    private final class Opening {
        let address: Address
        let portGuard: PortGuard
        let tls: TransportSecurity?
        let makeConnection: () -> Connection
        private(set) var channels: [any Channel] = []
        private var triesLeft = 10

        init(
            _ address: Address, _ portGuard: PortGuard, _ tls: TransportSecurity?,
            _ makeConnection: @escaping () -> Connection
        ) {
            self.address = address
            self.portGuard = portGuard
            self.tls = tls
            self.makeConnection = makeConnection
        }

        func open(_ addresses: [SocketAddress]) -> EventLoopFuture<Void> {
            let loop = portGuard.eventLoop
            guard channels.count < addresses.count else { return loop.makeSucceededVoidFuture() }
            var next = addresses[channels.count]
            if address.port == 0, let port = channels.first?.localAddress?.port { next.port = port }
            let bound = NIOLoopBound(self, eventLoop: loop)
            return bootstrap().bind(to: next)
                .flatMap { channel in
                    bound.value.channels.append(channel)
                    return bound.value.open(addresses)
                }
                .flatMapError { error in bound.value.openFailed(error, addresses) }
        }

        private func openFailed(_ error: any Error, _ addresses: [SocketAddress]) -> EventLoopFuture<Void> {
            let loop = portGuard.eventLoop
            // A machine may know a name for an address that it does not have, such as ::1 where IPv6 is off.
            let isMissing = [EADDRNOTAVAIL, EAFNOSUPPORT].contains((error as? IOError)?.errnoCode)
            if isMissing, addresses.count > 1 {
                var rest = addresses
                rest.remove(at: channels.count)
                return open(rest)
            }
            let bound = NIOLoopBound(self, eventLoop: loop)
            let open = channels
            channels = []
            let closed = EventLoopFuture.andAllComplete(open.map { $0.close() }, on: loop)
            // The port that the system chose for the first address is another's at the second.
            if address.port == 0, !open.isEmpty, triesLeft > 0 {
                triesLeft -= 1
                return closed.flatMap { bound.value.open(addresses) }
            }
            return closed.flatMapThrowing { throw error }
        }

        private func bootstrap() -> ServerBootstrap {
            let bound = NIOLoopBound(self, eventLoop: portGuard.eventLoop)
            return ServerBootstrap(group: portGuard.eventLoop)
                .serverChannelOption(ChannelOptions.backlog, value: 1024)
                .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
                .serverChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try Transport.closeOnExec(channel)
                        try channel.pipeline.syncOperations.addHandler(
                            AcceptErrors(logger: bound.value.portGuard.logger))
                    }
                }
                .childChannelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
                .childChannelOption(ChannelOptions.socketOption(.so_keepalive), value: 1)
                .childChannelOption(ChannelOptions.recvAllocator, value: Transport.receiveAllocator)
                // Over TLS the end of one side is the end of both.
                .childChannelOption(ChannelOptions.allowRemoteHalfClosure, value: tls == nil)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture { try bound.value.accept(channel) }
                }
        }

        private func accept(_ channel: any Channel) throws {
            try Transport.closeOnExec(channel)
            if let tls {
                try channel.pipeline.syncOperations.addHandlers(try tls.serverHandler(), HandshakeDeadline())
            }
            let connection = makeConnection()
            connection.allowsHalfClosure = tls == nil
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
    }

    /// Makes accepting pause for a second after an error, as when no files are left; says so once, and once when it is over.
    ///
    /// Swift NIO's `AcceptBackoffHandler` keeps back the next read, but the read that failed stays asked for, and is tried
    /// again without a pause.
    private final class AcceptErrors: ChannelInboundHandler {
        typealias InboundIn = any Channel
        private let logger: Logger
        private var isFailing = false
        private var isPaused = false
        private var errors = 0

        init(logger: Logger) { self.logger = logger }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            errors += 1
            pause(context)
            guard !isFailing else { return }
            isFailing = true
            logger.error(
                "cannot accept connections: trying again each second; raise the limit of open files (ulimit -n)",
                metadata: ["reason": "\(Transport.describe(error))"])
        }

        private func pause(_ context: ChannelHandlerContext) {
            guard !isPaused else { return }
            isPaused = true
            try? context.channel.syncOptions?.setOption(.autoRead, value: false)
            context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) {
                self.isPaused = false
                try? context.channel.syncOptions?.setOption(.autoRead, value: true)
                self.expectGood(context)
            }
        }

        /// A second without an error, and it is over.
        private func expectGood(_ context: ChannelHandlerContext) {
            let number = errors
            context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) {
                guard number == self.errors, self.isFailing else { return }
                self.isFailing = false
                self.logger.notice("connections are accepted again")
            }
        }
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
