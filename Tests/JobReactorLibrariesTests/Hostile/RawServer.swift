import JobReactorCore
import NIOCore
import NIOPosix

/// What a ``RawServer`` says to bytes that came.
struct RawAnswer: Sendable {
    enum End: Sendable {
        /// It says nothing more to these, and hears what else comes.
        case open
        case close
        /// It closes without having read what else has come: the other side is told that its bytes are lost.
        case reset
        /// It neither closes nor reads.
        case deaf
    }

    /// Each is sent for itself.
    var pieces: [[UInt8]]
    var end: End
    var delay: TimeAmount = .zero

    init(_ pieces: [[UInt8]], _ end: End, delay: TimeAmount = .zero) {
        (self.pieces, self.end, self.delay) = (pieces, end, delay)
    }

    init(_ text: String, _ end: End, delay: TimeAmount = .zero) { self.init([Array(text.utf8)], end, delay: delay) }
}

/// A server on a free port that answers bytes with bytes.
final class RawServer: Sendable {
    /// The bytes that came, the number of the connection and how many times it has answered there before.
    typealias Talk = @Sendable (_ bytes: [UInt8], _ connection: Int, _ before: Int) -> RawAnswer

    let port: Int
    private let channel: any Channel
    private let children: Locked<[any Channel]>

    /// How many there have been.
    var connections: Int { children.withLock { $0.count } }

    /// Runs a server for as long as `body` runs. `greeting` is what it says before it is asked.
    static func with(
        greeting: [UInt8] = [], _ talk: @escaping Talk, _ body: (RawServer) async throws -> Void
    ) async throws {
        let children = Locked<[any Channel]>([])
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(ChannelOptions.backlog, value: 1024)
            .childChannelOption(ChannelOptions.maxMessagesPerRead, value: 1)
            .childChannelInitializer { child in
                let number = children.withLock { children in
                    children.append(child)
                    return children.count - 1
                }
                return child.eventLoop.makeCompletedFuture {
                    try child.pipeline.syncOperations.addHandler(Handler(greeting, talk, number))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = RawServer(channel, children)
        do {
            try await body(server)
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    /// One that answers the first bytes of each connection, and then closes, or says nothing more.
    static func with(_ answer: [UInt8], closes: Bool, _ body: (RawServer) async throws -> Void) async throws {
        try await with({ _, _, before in RawAnswer(before == 0 ? [answer] : [], closes ? .close : .open) }, body)
    }

    private init(_ channel: any Channel, _ children: Locked<[any Channel]>) {
        self.channel = channel
        port = channel.localAddress?.port ?? 0
        self.children = children
    }

    private func stop() async {
        try? await channel.close().get()
        for child in children.withLock({ $0 }) { child.close(promise: nil) }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let greeting: [UInt8]
        private let talk: Talk
        private let number: Int
        private var before = 0

        init(_ greeting: [UInt8], _ talk: @escaping Talk, _ number: Int) {
            self.greeting = greeting
            self.talk = talk
            self.number = number
        }

        func channelActive(context: ChannelHandlerContext) {
            if !greeting.isEmpty {
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: greeting)), promise: nil)
            }
            context.fireChannelActive()
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let answer = talk(Array(unwrapInboundIn(data).readableBytesView), number, before)
            before += 1
            if case .deaf = answer.end { deafen(context) }
            if case .reset = answer.end { deafen(context) }
            guard answer.delay > .zero else { return send(answer.pieces[...], answer.end, context) }
            _ = context.eventLoop.assumeIsolated().scheduleTask(in: answer.delay) {
                self.send(answer.pieces[...], answer.end, context)
            }
        }

        private func deafen(_ context: ChannelHandlerContext) {
            try? context.channel.syncOptions?.setOption(ChannelOptions.autoRead, value: false)
        }

        /// Each piece in a turn of the loop of its own.
        private func send(_ pieces: ArraySlice<[UInt8]>, _ end: RawAnswer.End, _ context: ChannelHandlerContext) {
            guard let piece = pieces.first else {
                switch end {
                case .close, .reset: context.close(promise: nil)
                case .open, .deaf: break
                }
                return
            }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: piece)), promise: nil)
            context.eventLoop.assumeIsolated().execute { self.send(pieces.dropFirst(), end, context) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
