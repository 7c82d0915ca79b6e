package import Logging
package import NIOCore
private import NIOPosix

/// A listening port for any protocol, on all addresses of a host name. Bound to one event loop, which its connections
/// share.
package final class OpenPort {
    package let port: Int
    private let channels: [any Channel]

    private init(_ channels: [any Channel]) {
        self.channels = channels
        port = channels.first?.localAddress?.port ?? 0
    }

    /// Opens the port; port 0 takes a free one. `accept` is called on the loop for each new connection, after the TLS
    /// handlers were added, and adds the handlers of the protocol; if it throws, the connection is closed.
    ///
    /// Fails with `WireError`: `configuration` if the port would be open to the network without a password, `listen` if
    /// it cannot be opened.
    package static func bind(
        to address: Address, security: WireSecurity, logger: Logger, on loop: any EventLoop,
        accept: @escaping (any Channel) throws -> Void
    ) -> EventLoopFuture<NIOLoopBound<OpenPort>> {
        do {
            try address.validate()
            try security.checkListening(on: address)
            // Better here than on each connection: it throws when there is no certificate to show.
            _ = try security.tls?.serverHandler()
        } catch { return loop.makeFailedFuture(error) }
        let bound = NIOLoopBound(Opening(address, security.tls, logger, on: loop, accept), eventLoop: loop)
        return HostAddresses.resolve(address, on: loop)
            .flatMap { bound.value.open($0) }
            .flatMapErrorThrowing { error in
                throw WireError(
                    .listen,
                    "cannot listen on \(address): \(Transport.describe(error)):"
                        + " stop the program that uses the port, or choose another port", cause: error)
            }
            .map { NIOLoopBound(OpenPort(bound.value.channels), eventLoop: loop) }
    }

    /// Accepts no more connections; those open stay.
    package func stopAccepting() {
        for channel in channels { channel.close(promise: nil) }
    }

    /// Opens one address after the other, all with the same port.
    private final class Opening {
        private let address: Address
        private let tls: TransportSecurity?
        private let logger: Logger
        private let loop: any EventLoop
        private let accept: (any Channel) throws -> Void
        private(set) var channels: [any Channel] = []
        private var triesLeft = 10

        init(
            _ address: Address, _ tls: TransportSecurity?, _ logger: Logger, on loop: any EventLoop,
            _ accept: @escaping (any Channel) throws -> Void
        ) {
            self.address = address
            self.tls = tls
            self.logger = logger
            self.loop = loop
            self.accept = accept
        }

        func open(_ addresses: [SocketAddress]) -> EventLoopFuture<Void> {
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
            let bound = NIOLoopBound(self, eventLoop: loop)
            return ServerBootstrap(group: loop)
                .serverChannelOption(ChannelOptions.backlog, value: 1024)
                .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
                .serverChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try Transport.closeOnExec(channel)
                        try channel.pipeline.syncOperations.addHandler(
                            AcceptErrors(logger: bound.value.logger))
                    }
                }
                .childChannelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
                .childChannelOption(ChannelOptions.socketOption(.so_keepalive), value: 1)
                .childChannelOption(ChannelOptions.recvAllocator, value: Transport.receiveAllocator)
                // Over TLS the end of one side is the end of both.
                .childChannelOption(ChannelOptions.allowRemoteHalfClosure, value: tls == nil)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture { try bound.value.prepare(channel) }
                }
        }

        private func prepare(_ channel: any Channel) throws {
            try Transport.closeOnExec(channel)
            if let tls {
                try channel.pipeline.syncOperations.addHandlers(try tls.serverHandler(), HandshakeDeadline())
            }
            try accept(channel)
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
                "cannot accept connections: trying again every second; raise the limit of open files (ulimit -n)",
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
}
