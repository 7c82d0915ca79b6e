internal import JobReactorCore
internal import JobReactorWire
internal import NIOCore
internal import NIOPosix

/// A proxy for a server on the loopback interface. A test can cut its connections at any byte in either direction.
public final class TCPProxy: Sendable {
    /// The port on 127.0.0.1 on which it listens.
    public let port: Int
    private let server: any Channel
    private let state: Locked<State>

    private struct State {
        var channels: [any Channel] = []
        /// Bytes, both ways together, after which each next connection is cut; empty for none.
        var cuts: [Int] = []
        var connections = 0
    }

    /// A proxy for the server at `port`. Each connection is cut after the number of bytes, in both directions together,
    /// that the next element of `cuts` gives; further connections are not cut.
    public static func start(to port: Int, cuts: [Int] = []) async throws -> TCPProxy {
        let state = Locked(State(cuts: cuts))
        let group = MultiThreadedEventLoopGroup.singleton
        let server = try await ServerBootstrap(group: group)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try Transport.closeOnExec(channel) }
            }
            .childChannelInitializer { front in
                do { try Transport.closeOnExec(front) } catch { return front.eventLoop.makeFailedFuture(error) }
                let cut = state.withLock { state in
                    state.connections += 1
                    return state.cuts.isEmpty ? nil as Int? : state.cuts.removeFirst()
                }
                let budget = Locked(cut ?? .max)
                return ClientBootstrap(group: front.eventLoop)
                    .channelInitializer { back in
                        back.eventLoop.makeCompletedFuture { try Transport.closeOnExec(back) }
                    }
                    .connect(host: "127.0.0.1", port: port)
                    .flatMapThrowing { back in
                        state.withLock { $0.channels += [front, back] }
                        try front.pipeline.syncOperations.addHandler(Relay(to: back, budget))
                        try back.pipeline.syncOperations.addHandler(Relay(to: front, budget))
                    }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return TCPProxy(server, state)
    }

    private init(_ server: any Channel, _ state: Locked<State>) {
        self.server = server
        self.state = state
        port = server.localAddress?.port ?? 0
    }

    /// The number of connections so far.
    public var connections: Int { state.withLock { $0.connections } }

    /// Cuts all current connections, and new ones at their first byte, until it is called with false.
    public func refuse(_ isRefusing: Bool) {
        state.withLock { $0.cuts = isRefusing ? Array(repeating: 0, count: 10_000) : [] }
        if isRefusing { cut() }
    }

    /// Cuts all current connections.
    public func cut() {
        let channels = state.withLock { state in
            defer { state.channels = [] }
            return state.channels
        }
        for channel in channels { channel.close(promise: nil) }
    }

    /// Accepts no more connections and cuts the current ones.
    public func stop() async {
        try? await server.close().get()
        cut()
    }

    private final class Relay: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let other: any Channel
        private let budget: Locked<Int>

        init(to other: any Channel, _ budget: Locked<Int>) {
            self.other = other
            self.budget = budget
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var bytes = unwrapInboundIn(data)
            let count = bytes.readableBytes
            let passed = budget.withLock { budget in
                let passed = min(budget, count)
                budget -= passed
                return passed
            }
            if let part = bytes.readSlice(length: passed), passed > 0 { other.writeAndFlush(part, promise: nil) }
            if passed < count {
                context.close(promise: nil)
                // What was passed on arrives first.
                other.close(promise: nil)
            }
        }

        func channelInactive(context: ChannelHandlerContext) { other.close(promise: nil) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
