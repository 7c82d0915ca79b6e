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
        /// From the end of the request to the beginning of the answer.
        var answering = TimeAmount.seconds(60)
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
        /// Exits: the answer is there, or the deadline, to `sending`, or to `streaming`.
        case answering
        /// The body comes bit by bit. Exits: its end, to `sending`; the end of the input, or bytes that are not read in time, to
        /// `closed`.
        case streaming(HTTPStream)
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
    private var body = ByteBuffer()

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
        endStream()
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
        endStream()
        state = .closed
        deadline?.cancel()
        deadline = nil
        onClosed(self)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent {
            switch state {
            case .reading, .streaming, .lingering: close()
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
        case (.reading(.some), .body(var part)): body.writeBuffer(&part)
        case (.reading(let head?), .end): ask(head, from: context.channel)
        // A second request gets no answer.
        default: break
        }
    }

    // MARK: The answer

    private func ask(_ head: HTTPRequestHead, from channel: any Channel) {
        state = .answering
        within(times.answering) { $0.send(.text(.serviceUnavailable, ["there is no answer in time"]), to: head) }
        let parts = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let question = HTTPQuestion(
            method: head.method, path: String(parts[0]), query: parts.count > 1 ? String(parts[1]) : "",
            headers: head.headers, body: body, peer: PeerNetwork(channel.remoteAddress),
            address: channel.remoteAddress.map { Transport.describe($0) } ?? "?",
            isLocal: IPAddress(channel.remoteAddress)?.isLoopback ?? false)
        body = ByteBuffer()
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
        case .streaming, .sending, .lingering, .closed: return
        }
        guard let context else { return }
        var headers = answer.headers
        headers.add(name: "Connection", value: "close")
        if !headers.contains(name: "Cache-Control") { headers.add(name: "Cache-Control", value: "no-store") }
        headers.add(name: "X-Content-Type-Options", value: "nosniff")
        if let body = answer.stream, request?.method == .GET { return begin(body, answer.status, headers, context) }
        headers.add(name: "Content-Length", value: "\(answer.body.readableBytes)")
        let head = HTTPResponseHead(version: .http1_1, status: answer.status, headers: headers)
        within(times.sending) { $0.close() }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if request?.method != .HEAD { context.write(wrapOutboundOut(.body(.byteBuffer(answer.body))), promise: nil) }
        sendEnd(context)
    }

    private func sendEnd(_ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(.end(nil))).assumeIsolated().whenComplete { result in
            if case .success = result { self.linger() } else { self.close() }
        }
    }

    // MARK: A body that comes bit by bit

    private func begin(
        _ body: (HTTPStream) -> Void, _ status: HTTPResponseStatus, _ headers: HTTPHeaders,
        _ context: ChannelHandlerContext
    ) {
        deadline?.cancel()
        let stream = HTTPStream(of: self)
        state = .streaming(stream)
        let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
        context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
        body(stream)
    }

    /// Sends more of the body. Until the peer's machine has it, nothing else is sent.
    fileprivate func say(_ bytes: ByteBuffer) {
        guard case .streaming(let stream) = state, !stream.isBusy, let context else { return }
        stream.isBusy = true
        within(times.sending) { $0.close() }
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(bytes)))).assumeIsolated().whenSuccess {
            stream.isBusy = false
            if case .streaming = self.state { self.deadline?.cancel() }
        }
    }

    fileprivate func endBody() {
        guard case .streaming = state, let context else { return }
        endStream()
        state = .sending
        within(times.sending) { $0.close() }
        sendEnd(context)
    }

    private func endStream() {
        if case .streaming(let stream) = state { stream.ended() }
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

/// A body that comes bit by bit, for as long as the connection stays. On one event loop.
final class HTTPStream {
    private weak var connection: HTTPConnection?
    fileprivate var isBusy = false
    /// Called once, when nobody reads it any more, or it has been ended.
    var onEnd: (() -> Void)?

    fileprivate init(of connection: HTTPConnection) { self.connection = connection }

    /// Sends it; it is dropped where the peer has not read what was sent before.
    func send(_ text: String) { connection?.say(ByteBuffer(string: text)) }

    /// Ends the body, and the connection.
    func end() { connection?.endBody() }

    fileprivate func ended() {
        let onEnd = onEnd
        self.onEnd = nil
        onEnd?()
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
