internal import NIOCore
internal import NIOHTTP1

/// On each connection that speaks HTTP/1.1: ends an answer with a status below 100. The HTTP library takes such a head for one that
/// others follow, and the end of the answer, which comes in place of them, for a fault of its own that ends the process.
final class AnswerGuard: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias InboundOut = HTTPClientResponsePart

    private var isBroken = false

    /// Puts it into the pipeline of a connection, on its event loop.
    static func watch(_ channel: any Channel) throws {
        let pipeline = channel.pipeline.syncOperations
        let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPResponseDecoder>.self)
        try pipeline.addHandler(AnswerGuard(), position: .after(decoder))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isBroken else { return }
        if case .head(let head) = unwrapInboundIn(data), head.status.code < 100 {
            isBroken = true
            context.fireErrorCaught(HTTPFailure.badStatus(head.status.code))
            return context.close(promise: nil)
        }
        context.fireChannelRead(data)
    }
}
