import JobReactorCore
import NIOCore
import NIOPosix

extension HTTPPeer {
    /// What has come on a connection that stays.
    final class Listening: Sendable {
        private let channel: any Channel
        private let heard: Locked<String>

        fileprivate init(_ channel: any Channel, _ heard: Locked<String>) {
            self.channel = channel
            self.heard = heard
        }

        var text: String { heard.withLock { $0 } }
        var isOpen: Bool { channel.isActive }
        func close() async { try? await channel.close().get() }
    }

    /// A connection that says that, and reads what comes until it is closed.
    static func listen(port: Int, _ text: String) async throws -> Listening {
        let heard = Locked("")
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Ear(heard))
                }
            }
            .connect(host: "localhost", port: port).get()
        channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
        return Listening(channel, heard)
    }

    private final class Ear: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let heard: Locked<String>
        init(_ heard: Locked<String>) { self.heard = heard }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let text = String(buffer: unwrapInboundIn(data))
            heard.withLock { $0 += text }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
