package import Logging
package import NIOCore
private import NIOPosix

/// Keeps one connection to an address: connects, and reconnects after a loss, for ever, with ``Backoff``.
///
/// Bound to one event loop.
package final class Dialer {
    package let address: Address
    private let loop: any EventLoop
    private let security: WireSecurity
    private let logger: Logger
    private let makeConnection: () -> Connection
    private var backoff: Backoff
    private var channel: (any Channel)?
    private var retry: Scheduled<Void>?
    private var isStopped = false
    private var isConnecting = false
    /// Called with the reason of a failed attempt, before the next one.
    package var onFailure: ((any Error) -> Void)?

    /// `makeConnection` is called on the loop for each attempt that reaches the other side.
    package init(
        to address: Address, on loop: any EventLoop, security: WireSecurity, logger: Logger,
        longestWait: Double = 10, makeConnection: @escaping () -> Connection
    ) {
        self.address = address
        self.loop = loop
        self.security = security
        self.logger = logger
        backoff = Backoff(longest: longestWait)
        self.makeConnection = makeConnection
    }

    package func start() {
        guard !isStopped, !isConnecting, channel == nil else { return }
        isConnecting = true
        let bound = NIOLoopBound(self, eventLoop: loop)
        Self.connect(to: address, on: loop, tls: security.tls) { bound.value.makeConnection() }
            .whenComplete { result in
                let dialer = bound.value
                dialer.isConnecting = false
                switch result {
                case .success(let channel): dialer.connected(channel)
                case .failure(let error):
                    dialer.onFailure?(error)
                    dialer.lost("cannot connect: \(Transport.describe(error))")
                }
            }
    }

    /// The handshake succeeded: the next loss starts again at the shortest wait.
    package func succeeded() { backoff.reset() }

    /// Closes the connection and does not reconnect.
    package func stop() {
        isStopped = true
        retry?.cancel()
        channel?.close(promise: nil)
    }

    /// Completes when the current connection, if any, is closed.
    package var closed: EventLoopFuture<Void> { channel?.closeFuture ?? loop.makeSucceededVoidFuture() }

    private func connected(_ channel: any Channel) {
        guard !isStopped else { return channel.close(promise: nil) }
        self.channel = channel
        let bound = NIOLoopBound(self, eventLoop: loop)
        channel.closeFuture.whenComplete { _ in
            bound.value.channel = nil
            bound.value.lost("connection lost")
        }
    }

    private func lost(_ what: String) {
        guard !isStopped else { return }
        let seconds = backoff.next(random: Double.random(in: 0..<1))
        logger.info("\(what), trying again", metadata: ["address": "\(address)", "in": "\(seconds.rounded()) s"])
        retry = loop.assumeIsolated().scheduleTask(in: .microseconds(Int64(seconds * 1_000_000))) { self.start() }
    }

    /// Opens a single connection. `place` is the host's address to connect to; without it, the first that answers.
    package static func connect(
        to address: Address, at place: SocketAddress? = nil, on loop: any EventLoop, tls: TransportSecurity?,
        makeConnection: @escaping () -> Connection
    ) -> EventLoopFuture<any Channel> {
        // What the library does with another port is to end the process.
        do { try address.validate() } catch { return loop.makeFailedFuture(error) }
        let bound = NIOLoopBound(makeConnection, eventLoop: loop)
        let bootstrap = ClientBootstrap(group: loop)
            .channelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(ChannelOptions.socketOption(.so_keepalive), value: 1)
            .channelOption(ChannelOptions.recvAllocator, value: Transport.receiveAllocator)
            .connectTimeout(.seconds(5))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try Transport.closeOnExec(channel)
                    if let tls {
                        try channel.pipeline.syncOperations.addHandlers(
                            try tls.clientHandler(host: address.host), HandshakeDeadline())
                    }
                    try channel.pipeline.syncOperations.addHandler(bound.value())
                }
            }
        return place.map { bootstrap.connect(to: $0) } ?? bootstrap.connect(host: address.host, port: address.port)
    }
}
