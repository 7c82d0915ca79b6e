internal import NIOCore
internal import NIOHTTP1

/// On each connection, between the decoder and the HTTP library: turns away what the library would end the process for or take
/// for good, and sees to it that the loss of a connection costs no request that it need not cost.
///
/// - An answer with a status below 100: the library takes such a head for one that others follow, and the end of the answer,
///   which comes in place of them, for a fault of its own.
/// - An answer in a transfer coding that nobody asked for, whose body would be taken as it is.
/// - An answer while the request is still being sent counts: that the rest cannot be sent any more is no error then, and the
///   connection is not used again.
/// - A connection that was used before, and is closed before a byte of the answer came, is told apart: the server had closed it
///   meanwhile, and the request can be sent again.
final class AnswerGuard: ChannelDuplexHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias InboundOut = HTTPClientResponsePart
    typealias OutboundIn = HTTPClientRequestPart
    typealias OutboundOut = HTTPClientRequestPart

    private enum Answer {
        /// No request is under way.
        case none
        /// Turns into `begun` with the first byte.
        case expected
        /// Turns into `known` with the head.
        case begun
        /// Turns into `none` with its end.
        case known
        /// It was turned away; the connection closes.
        case refused
    }

    private var answer = Answer.none
    private var method = HTTPMethod.GET
    /// Requests so far.
    private var requests = 0
    /// Parts of requests that the system has not taken yet.
    private var unsent = 0

    /// Puts it into the pipeline of a connection, on its event loop.
    static func watch(_ channel: any Channel) throws {
        let pipeline = channel.pipeline.syncOperations
        let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPResponseDecoder>.self)
        let watch = AnswerGuard()
        try pipeline.addHandler(ByteWatch(watch), position: .before(decoder))
        try pipeline.addHandler(watch, position: .after(decoder))
    }

    // MARK: The request

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .head(let head) = unwrapOutboundIn(data) {
            method = head.method
            requests += 1
            answer = .expected
        }
        unsent += 1
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { result in
            self.unsent -= 1
            switch (result, self.answer) {
            case (.success, _), (.failure, .known), (.failure, .none): promise?.succeed(())
            case (.failure(let error), _): promise?.fail(self.loss ?? error)
            }
        }
        context.write(data, promise: sent)
    }

    // MARK: The answer

    fileprivate func receivedByte() { if case .expected = answer { answer = .begun } }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .refused = answer { return }
        switch unwrapInboundIn(data) {
        case .head(var head) where head.status.code >= 200 || head.status == .switchingProtocols:
            if let coding = unknownCoding(head) { return refuse(.badTransferCoding(coding), context) }
            answer = .known
            if unsent > 0 { head.headers.replaceOrAdd(name: "Connection", value: "close") }
            context.fireChannelRead(wrapInboundOut(.head(head)))
        case .head(let head) where head.status.code < 100: refuse(.badStatus(head.status.code), context)
        case .head, .body: context.fireChannelRead(data)
        case .end:
            answer = .none
            context.fireChannelRead(data)
        }
    }

    private func refuse(_ failure: HTTPFailure, _ context: ChannelHandlerContext) {
        answer = .refused
        context.fireErrorCaught(failure)
        context.close(promise: nil)
    }

    /// Nil where there is none, or none but chunks.
    private func unknownCoding(_ head: HTTPResponseHead) -> String? {
        guard method != .HEAD, head.status != .noContent, head.status != .notModified else { return nil }
        let codings = head.headers[canonicalForm: "Transfer-Encoding"].map { $0.lowercased() }
        guard !codings.isEmpty, codings != ["chunked"], codings != ["identity"] else { return nil }
        return codings.joined(separator: ", ")
    }

    // MARK: The loss of the connection

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.fireErrorCaught(loss ?? error) }

    func channelInactive(context: ChannelHandlerContext) {
        // Before the library makes an error of its own of it, which would not tell whether the request was sent.
        switch answer {
        case .expected, .begun, .known: context.fireErrorCaught(loss ?? HTTPFailure.closed)
        case .none, .refused: break
        }
        context.fireChannelInactive()
    }

    /// What it is to lose a connection that was used before and says nothing of the answer; nil when this is none.
    private var loss: (any Error)? {
        guard case .expected = answer, requests > 1 else { return nil }
        return HTTPFailure.stale
    }
}

/// Before the decoder: tells the guard of the first byte of an answer.
private final class ByteWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let watch: AnswerGuard

    init(_ watch: AnswerGuard) { self.watch = watch }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        watch.receivedByte()
        context.fireChannelRead(data)
    }
}
