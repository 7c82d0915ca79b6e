internal import JobReactorWire
internal import NIOCore
internal import NIOHTTP1

/// One connection to an HTTP port, for one request: it is bounded in its size and in its time, and so is the time in which its
/// answer has to be read. On one event loop.
final class HTTPConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// How long each step may take.
    struct Times: Sendable {
        /// From the connection to the end of the request.
        var reading = TimeAmount.seconds(10)
        /// From the beginning of the answer to its end.
        var sending = TimeAmount.seconds(30)
        /// For the peer to close, after it has everything. Were the connection closed while bytes of the peer are under way, it
        /// would lose the answer.
        var lingering = TimeAmount.seconds(2)
    }

    private enum State {
        /// Of the request this has come. Exits: its end, to `answering`; a fault or the deadline, to `sending`; the end of the
        /// input, to `closed`.
        case reading(HTTPRequestHead?)
        /// Exit: the answer is there, to `sending`.
        case answering
        /// Exits: all is written, to `lingering`; the deadline, to `closed`.
        case sending
        /// What comes is dropped. Exits: the end of the input, or the deadline, to `closed`.
        case lingering
        case closed
    }

    private let times: Times
    private let answer: (HTTPQuestion) -> EventLoopFuture<HTTPAnswer>
    private let onClosed: (HTTPConnection) -> Void
    private var state = State.reading(nil)
    private var context: ChannelHandlerContext?
    private var deadline: Scheduled<Void>?

    /// `onClosed` is called once, when the connection is gone.
    init(
        _ times: Times, answer: @escaping (HTTPQuestion) -> EventLoopFuture<HTTPAnswer>,
        onClosed: @escaping (HTTPConnection) -> Void
    ) {
        self.times = times
        self.answer = answer
        self.onClosed = onClosed
    }

    /// Ends it, whatever it is at.
    func close() {
        state = .closed
        deadline?.cancel()
        deadline = nil
        context?.close(promise: nil)
    }

    // MARK: The channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        within(times.reading) { $0.send(.text(.requestTimeout), to: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { gone() }

    func channelInactive(context: ChannelHandlerContext) {
        gone()
        context.fireChannelInactive()
    }

    private func gone() {
        guard context != nil else { return }
        context = nil
        state = .closed
        deadline?.cancel()
        deadline = nil
        onClosed(self)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent {
            switch state {
            case .reading, .lingering: close()
            // It waits for the answer.
            case .answering, .sending, .closed: break
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch (state, error) {
        case (.reading(nil), is HTTPInputLimit.Exceeded), (.reading(nil), HTTPParserError.headerOverflow):
            send(.text(.requestHeaderFieldsTooLarge), to: nil)
        case (.reading(let head?), is HTTPInputLimit.Exceeded): send(.text(.payloadTooLarge), to: head)
        case (.reading(let head), is HTTPParserError): send(.text(.badRequest), to: head)
        // What comes behind a fault is one as well.
        case (_, is HTTPInputLimit.Exceeded), (_, is HTTPParserError),
            (_, is ByteToMessageDecoderError):
            break
        default: close()
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (state, unwrapInboundIn(data)) {
        case (.reading(nil), .head(let head)): state = .reading(head)
        case (.reading(let head?), .end): ask(head, from: context.channel)
        // A body says nothing here, and a second request gets no answer.
        default: break
        }
    }

    // MARK: The answer

    private func ask(_ head: HTTPRequestHead, from channel: any Channel) {
        state = .answering
        deadline?.cancel()
        let question = HTTPQuestion(
            method: head.method, path: String(head.uri.prefix { $0 != "?" }),
            authorization: head.headers.first(name: "Authorization"), peer: PeerNetwork(channel.remoteAddress))
        answer(question).assumeIsolated().whenComplete { result in
            switch result {
            case .success(let answer): self.send(answer, to: head)
            case .failure: self.send(.text(.internalServerError), to: head)
            }
        }
    }

    private func send(_ answer: HTTPAnswer, to request: HTTPRequestHead?) {
        switch state {
        case .reading, .answering: state = .sending
        case .sending, .lingering, .closed: return
        }
        guard let context else { return }
        var headers = answer.headers
        headers.add(name: "Content-Length", value: "\(answer.body.readableBytes)")
        headers.add(name: "Connection", value: "close")
        headers.add(name: "Cache-Control", value: "no-store")
        headers.add(name: "X-Content-Type-Options", value: "nosniff")
        let head = HTTPResponseHead(version: .http1_1, status: answer.status, headers: headers)
        within(times.sending) { $0.close() }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if request?.method != .HEAD { context.write(wrapOutboundOut(.body(.byteBuffer(answer.body))), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil))).assumeIsolated().whenComplete { result in
            if case .success = result { self.linger() } else { self.close() }
        }
    }

    private func linger() {
        guard case .sending = state, let context else { return }
        state = .lingering
        within(times.lingering) { $0.close() }
        context.close(mode: .output).assumeIsolated().whenFailure { _ in self.close() }
    }

    private func within(_ time: TimeAmount, _ body: @escaping (HTTPConnection) -> Void) {
        deadline?.cancel()
        deadline = context?.eventLoop.assumeIsolated().scheduleTask(in: time) { [weak self] in
            if let self { body(self) }
        }
    }
}

/// Bounds what a connection may say: there is one request on it.
final class HTTPInputLimit: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    struct Exceeded: Error {}

    /// A request has a few hundred bytes.
    static let bytes = 16 << 10
    private var count = 0

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let wasExceeded = count > Self.bytes
        count += unwrapInboundIn(data).readableBytes
        if count <= Self.bytes { return context.fireChannelRead(data) }
        if !wasExceeded { context.fireErrorCaught(Exceeded()) }
    }
}
