import JobReactorCore
import NIOCore
import NIOPosix

/// A server on a free port that answers the first bytes of each connection with bytes, and then closes, or says nothing more.
final class RawServer: Sendable {
    let port: Int
    private let channel: any Channel

    /// Runs a server for as long as `body` runs.
    static func with(
        _ answer: [UInt8], closes: Bool, _ body: (RawServer) async throws -> Void
    ) async throws {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { child in
                child.eventLoop.makeCompletedFuture {
                    try child.pipeline.syncOperations.addHandler(Handler(answer, closes: closes))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = RawServer(channel)
        do {
            try await body(server)
        } catch {
            try? await channel.close().get()
            throw error
        }
        try? await channel.close().get()
    }

    private init(_ channel: any Channel) {
        self.channel = channel
        port = channel.localAddress?.port ?? 0
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let answer: [UInt8]
        private let closes: Bool
        private var hasAnswered = false

        init(_ answer: [UInt8], closes: Bool) {
            self.answer = answer
            self.closes = closes
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard !hasAnswered else { return }
            hasAnswered = true
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: answer)), promise: nil)
            if closes { context.close(promise: nil) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
