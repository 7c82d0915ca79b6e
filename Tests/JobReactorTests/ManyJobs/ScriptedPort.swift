import JobReactorCore
import JobReactorWire
import NIOCore
import NIOPosix
import Testing

/// A port that answers each command as a test says: what a peer of another release, or a hostile one, may answer.
final class ScriptedPort: Sendable {
    let address: Address
    private let channel: any Channel

    private init(_ channel: any Channel, port: Int) {
        self.channel = channel
        address = Address(host: "127.0.0.1", port: port)
    }

    /// `answer` gets the words of a command, and writes the reply.
    static func open(
        _ answer: @escaping @Sendable ([String], inout ByteBuffer) -> Void
    ) async throws -> ScriptedPort {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Mouth(answer)) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return ScriptedPort(channel, port: try #require(channel.localAddress?.port))
    }

    func close() async { try? await channel.close().get() }

    private final class Mouth: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let answer: @Sendable ([String], inout ByteBuffer) -> Void
        private var text = ""

        init(_ answer: @escaping @Sendable ([String], inout ByteBuffer) -> Void) { self.answer = answer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            text += String(buffer: unwrapInboundIn(data))
            // One command at a time: `*2`, then a length and a word for each.
            while let words = next() {
                var reply = ByteBuffer()
                answer(words, &reply)
                context.writeAndFlush(wrapOutboundOut(reply), promise: nil)
            }
        }

        private func next() -> [String]? {
            let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
            guard let count = lines.first.flatMap({ Int($0.dropFirst()) }), lines.count >= 2 * count + 2 else {
                return nil
            }
            let words = (0..<count).map { String(lines[2 * $0 + 2]) }
            text = lines.dropFirst(2 * count + 1).joined(separator: "\r\n")
            return words
        }
    }
}
