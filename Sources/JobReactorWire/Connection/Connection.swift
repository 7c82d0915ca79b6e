package import NIOCore

/// One RESP connection: it reads frames and writes bytes; writes of one turn of the loop are flushed once.
///
/// Bound to its event loop: call everything on it.
package final class Connection: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    package enum Role: Sendable {
        /// The peer sends commands. If it does not read the replies, its commands are not read.
        case server
        /// We connected to the peer.
        case client
    }

    package let limits: RESPLimits
    /// Kept until the connection is gone.
    package private(set) var session: (any ConnectionSession)?
    /// `host:port` of the peer, for logs.
    package private(set) var peer = "?"
    package private(set) var remoteAddress: SocketAddress?
    /// The user that has logged in; nil for a stranger and for a dialled connection.
    package internal(set) var user: User?
    /// The state shared with the other connections of its port; nil for a dialled or closed connection.
    var portGuard: PortGuard?
    package var isOpen: Bool { state.isOpen }
    /// Whether it accepts further writes: it is open, and its end has not begun.
    package var isUp: Bool { state.isInUse }

    private let role: Role
    private let stream: RESPStream
    private var context: ChannelHandlerContext?
    private var outbound: ByteBuffer
    private var state: ConnectionState
    private var keepalive: Keepalive?
    private var keepaliveTimer: Scheduled<Void>?
    private var answerTimer: Scheduled<Void>?
    /// The port knows of a message that is not complete.
    private var holdsInput = false
    /// The port knows of bytes that the peer does not read.
    private var holdsOutput = false
    /// Bytes that were given to the channel in its life.
    private var written = 0
    /// Something has come.
    private var hasRead = false
    /// How often it was told to rest: the last counts.
    private var rests = 0
    private var waiting = WaitingInput()
    /// What waits is read in a turn of the loop that is to come.
    private var readsWaiting = false
    /// Whether the peer may close only its sending side.
    var allowsHalfClosure = false
    /// The end of the peer's side may come behind this read, before anything else.
    private var mayEndInput = true
    /// The peer has ended its side.
    private var isInputClosed = false
    private var closeTimer: Scheduled<Void>?
    /// It is about to be gone, and counts no more.
    private var isDismissed = false
    /// Takes what is written, where there is no channel; see ``init(inside:limits:session:output:)``.
    private var output: ((ByteBuffer) -> Void)?

    /// `session` is kept until the connection is gone.
    package init(role: Role, limits: RESPLimits, session: any ConnectionSession) {
        self.role = role
        self.limits = limits
        self.session = session
        state = ConnectionState(readsOn: role == .client)
        stream = RESPStream(side: role == .server ? .server : .client, limits: limits)
        outbound = ByteBuffer()
    }

    /// One without a channel, for somebody who speaks to this program in another way, at `peer`: what is written goes to
    /// `output` at once. ``endInside()`` is to follow.
    init(
        inside peer: String, limits: RESPLimits, session: any ConnectionSession, output: @escaping (ByteBuffer) -> Void
    ) {
        role = .server
        self.limits = limits
        self.session = session
        self.peer = peer
        self.output = output
        state = ConnectionState(readsOn: false)
        stream = RESPStream(side: .server, limits: limits)
        outbound = ByteBuffer()
    }

    /// Nothing more is said on a connection without a channel.
    func endInside() {
        output = nil
        session = nil
    }

    package var eventLoop: (any EventLoop)? { context?.eventLoop }

    /// Completes when the channel is closed; nil if it is already closed, or was never open.
    var closed: EventLoopFuture<Void>? { context?.channel.closeFuture }

    // MARK: Use

    /// Passes further frames to another session, for example after a handshake.
    package func handOver(to session: any ConnectionSession) {
        self.session = session
    }

    /// Writes bytes that are flushed at the end of this turn of the loop, or at once if they are many, because a short
    /// command can have a large reply.
    package func write(_ body: (inout ByteBuffer) -> Void) {
        guard state.isInUse, !isDismissed else { return }
        body(&outbound)
        if outbound.readableBytes >= Self.much, portGuard != nil, let context { return flushOutbound(context) }
        scheduleFlush()
    }

    private static let much = 1 << 20

    /// Flushes now instead of at the end of this turn of the loop, because the process may end before.
    package func flush() {
        if state.isInUse, let context { flushOutbound(context) }
    }

    /// Flushes, gives the peer `limit` to read, and closes; further input is not read.
    package func close(reason: String? = nil, within limit: TimeAmount = Connection.lingering) {
        guard let context, state.close(reason) else { return }
        waiting.removeAll()
        if state.readsToTheEnd() { context.read() }
        closeNow(after: max(limit, Self.lingering), on: context.eventLoop)
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { _ in self.said(on: context.eventLoop) }
        guard !isInputClosed else {
            // To close our side, too, would be to close all, with what waits to be sent.
            return flushOutbound(context, sent)
        }
        flushOutbound(context)
        // Closing both ways at once with unread input would reset the connection, and the peer lose our last words.
        context.close(mode: .output, promise: sent)
    }

    /// So long may a peer that has all of our words take to close its side.
    package static let lingering = TimeAmount.seconds(2)

    /// The peer has our last words, or the channel is gone.
    private func said(on loop: any EventLoop) {
        guard isOpen else { return }
        if isInputClosed { closeNow() } else { closeNow(after: Self.lingering, on: loop) }
    }

    private func closeNow(after time: TimeAmount, on loop: any EventLoop) {
        closeTimer?.cancel()
        closeTimer = loop.assumeIsolated().scheduleTask(in: time) { self.closeNow() }
    }

    /// Closes at the end of the service: as ``close(reason:within:)``, but without a wait if the peer has read
    /// everything.
    package func finish(within limit: TimeAmount) {
        guard isOpen, let context else { return }
        let unsent = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        if outbound.readableBytes > 0 || unsent > 0 || state.hasUnread { close(within: limit) } else { closeNow() }
    }

    /// Closes at once, with a last message for a peer that reads.
    func dismiss(_ error: String) {
        // What is said now must not be taken for one more reply that is not read.
        guard !isDismissed else { return }
        isDismissed = true
        if role == .server, state.isInUse { outbound.writeRESPError(error) }
        flush()
        closeNow(reason: error)
    }

    /// Raises the limits to at least these, from the next frame on.
    func raiseLimits(to limits: RESPLimits) { stream.raiseLimits(to: limits) }

    /// Closes without a last message.
    package func closeNow(reason: String? = nil) {
        state.note(reason)
        context?.close(promise: nil)
    }

    /// Stops or resumes reading, for a busy session: it gets no frame until it resumes, not even one that has arrived.
    package func pauseInput(_ pause: Bool) {
        guard let context else { return }
        goOn(context, asks: state.pauseInput(pause, isWritable: context.channel.isWritable))
    }

    /// The channel may read, perhaps; `asks` says that it wanted to before it might.
    private func goOn(_ context: ChannelHandlerContext, asks: Bool) {
        if asks { context.read() }
        readWaitingLater()
    }

    /// Stops reading for this time, also on a link, because a refused peer that asks again at once would delay others.
    package func rest(for time: TimeAmount) {
        guard let context else { return }
        rests += 1
        let number = rests
        _ = state.rest(true, isWritable: context.channel.isWritable)
        context.eventLoop.assumeIsolated().scheduleTask(in: time) { [weak self] in
            // One that is gone is not kept for it.
            guard let self, number == self.rests, let context = self.context else { return }
            self.goOn(context, asks: self.state.rest(false, isWritable: context.channel.isWritable))
        }
    }

    /// From now on both sides send messages on their own. A silent peer is dropped, and input is read even if the peer
    /// does not read: credit bounds the volume in both directions, and two sides that wait for each other would block
    /// for ever.
    package func becomeLink(keepalive: Keepalive? = nil) {
        // What is accepted at one side has room at the other, whatever is set there for commands.
        stream.raiseLimits(to: RESPLimits())
        let asks = state.becomeLink(isWritable: context?.channel.isWritable == true)
        // What a link has to send is bounded by its credit.
        if holdsOutput { noteUnread(0) }
        guard let context else { return }
        goOn(context, asks: asks)
        guard self.keepalive == nil else { return }
        self.keepalive = keepalive ?? Keepalive(limits)
        self.keepalive?.note(sentAt: context.eventLoop.now, receivedAt: context.eventLoop.now)
        scheduleKeepalive(context)
    }

    // MARK: Answers

    /// Waits for the peer's part of a handshake: without ``answered()`` within the time limit, or within `seconds`, the
    /// connection is closed.
    package func expectAnswer(within seconds: Int? = nil) {
        guard let context, state.isInUse else { return }
        answerTimer?.cancel()
        let seconds = seconds ?? limits.authenticationTime
        answerTimer = context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(Int64(seconds))) {
            self.close(reason: "no answer within \(seconds) s")
        }
    }

    package func answered() {
        answerTimer?.cancel()
        answerTimer = nil
    }

    // MARK: Output

    private func scheduleFlush() {
        guard let context else { return speakInside() }
        guard state.wrote() else { return }
        context.eventLoop.assumeIsolated().execute {
            if self.state.turnEnded(), let context = self.context { self.flushOutbound(context) }
        }
    }

    private func speakInside() {
        guard let output else { return }
        let bytes = outbound
        outbound = ByteBuffer()
        output(bytes)
    }

    /// `sent` is done when the peer's machine has this and all that was sent before.
    private func flushOutbound(_ context: ChannelHandlerContext, _ sent: EventLoopPromise<Void>? = nil) {
        guard outbound.readableBytes > 0 || sent != nil else { return }
        keepalive?.note(sentAt: context.eventLoop.now, receivedAt: nil)
        let bytes = outbound
        outbound = ByteBuffer()
        written += bytes.readableBytes
        context.writeAndFlush(wrapOutboundOut(bytes), promise: sent)
        reportUnread()
    }

    /// Reports to the port how many bytes wait for a peer that may not be reading.
    func reportUnread() {
        guard portGuard != nil, !isDismissed, !state.isLink, let context else { return }
        let bytes = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        if bytes > 0 || holdsOutput { noteUnread(bytes) }
    }

    private func noteUnread(_ bytes: Int) {
        holdsOutput = bytes > 0
        portGuard?.noteOutput(of: self, bytes, taken: written - bytes)
    }

    private func noteUnfinished(isNew: Bool) {
        guard let portGuard, !isDismissed else { return }
        let (bytes, waiting) = (stream.unfinishedBytes, waiting.count)
        guard bytes > 0 || waiting > 0 || holdsInput else { return }
        holdsInput = bytes > 0 || waiting > 0
        portGuard.noteInput(of: self, bytes, waiting: waiting, isNew: isNew)
    }

    // MARK: Keepalive

    private func scheduleKeepalive(_ context: ChannelHandlerContext) {
        guard let keepalive else { return }
        keepaliveTimer = context.eventLoop.assumeIsolated().scheduleTask(in: keepalive.interval) {
            self.checkKeepalive()
        }
    }

    private func checkKeepalive() {
        guard let context, state.isInUse else { return }
        switch keepalive?.check(at: context.eventLoop.now) {
        case .idle, nil: break
        case .ping: write { LinkMessage.writePing(to: &$0) }
        case .dead:
            let seconds = (keepalive?.timeout.nanoseconds ?? 0) / 1_000_000_000
            return closeNow(reason: "silent for \(seconds) s")
        }
        scheduleKeepalive(context)
    }

    // MARK: Handler

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        note(context.remoteAddress)
    }

    package func channelActive(context: ChannelHandlerContext) {
        note(context.remoteAddress)
        session?.connected(self)
        context.fireChannelActive()
    }

    private func note(_ address: SocketAddress?) {
        guard let address else { return }
        remoteAddress = address
        peer = Transport.describe(address)
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        finish()
        self.context = nil
    }

    package func channelInactive(context: ChannelHandlerContext) {
        finish()
        context.fireChannelInactive()
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        keepalive?.note(sentAt: nil, receivedAt: context.eventLoop.now)
        let buffer = unwrapInboundIn(data)
        mayEndInput = buffer.writableBytes == 0
        // Nothing overtakes what waits.
        let isNext = waiting.isEmpty && !state.holdsBack(isWritable: context.channel.isWritable)
        let taken = isNext ? read(buffer) : 0
        guard taken < buffer.readableBytes, state.isInUse, !isDismissed, !waiting.hasEnded else { return }
        waiting.append(buffer, behind: taken)
        noteUnfinished(isNew: false)
        readWaitingLater()
    }

    /// Gives the session what the bytes complete, as long as it takes frames. Returns how many bytes were read.
    private func read(_ buffer: ByteBuffer) -> Int {
        guard !waiting.hasEnded || !waiting.isEmpty, state.readBegan() else { return buffer.readableBytes }
        if !hasRead {
            hasRead = true
            if role == .server, Self.isTLS(buffer) {
                refuseTLS()
                return buffer.readableBytes
            }
        }
        var isComplete = false
        do throws(RESPError) {
            let taken = try buffer.withUnsafeReadableBytes { (bytes) throws(RESPError) -> Int in
                try stream.consumeSome(bytes) { frame in
                    isComplete = true
                    session?.received(frame, on: self)
                    return state.isInUse && !isDismissed && !state.isPaused
                }
            }
            noteUnfinished(isNew: isComplete)
            return taken
        } catch {
            // What follows cannot be told apart.
            if waiting.endNow() { session?.inputEnded("ERR Protocol error: \(error)", on: self) }
            return buffer.readableBytes
        }
    }

    /// Reads what waits, in a turn of its own: who lets reading go on may be in the middle of a frame.
    private func readWaitingLater() {
        guard waiting.hasAny, !readsWaiting, let context else { return }
        guard waiting.isEmpty || !state.holdsBack(isWritable: context.channel.isWritable) else { return }
        readsWaiting = true
        context.eventLoop.assumeIsolated().execute { self.readWaiting() }
    }

    private func readWaiting() {
        readsWaiting = false
        guard let context, state.isInUse, !isDismissed else { return waiting.removeAll() }
        if waiting.tellEnd() { session?.inputEnded(nil, on: self) }
        guard !waiting.isEmpty, !state.holdsBack(isWritable: context.channel.isWritable) else { return }
        let taken = read(waiting.part)
        waiting.take(taken)
        noteUnfinished(isNew: false)
        session?.readCompleted(on: self)
        if state.readEnded() { flushOutbound(context) }
        readWaitingLater()
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent {
            isInputClosed = true
            waiting.endBehind()
            if state.isInUse, waiting.tellEnd() { session?.inputEnded(nil, on: self) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// How a peer begins that would speak TLS: a record of the handshake, of any version.
    private static func isTLS(_ buffer: ByteBuffer) -> Bool {
        buffer.readableBytesView.starts(with: [0x16, 0x03])
    }

    private func refuseTLS() {
        let reason = "the peer uses TLS, and this port does not: start this side with TLS, or the peer without"
        portGuard?.handshakeFailed(on: self, reason: reason)
        state.note(reason)
        // Not at once: it may try again as fast as it is told.
        guard let context else { return }
        rest(for: .seconds(10))
        context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(500)) { self.closeNow(reason: reason) }
    }

    /// Sends a last error to a peer that violated the protocol. A server gets none, because it waits for commands.
    package func refuse(_ error: String) {
        if role == .server || state.isLink { write { $0.writeRESPError(error) } }
        close(reason: error)
    }

    /// Swift NIO says this also right before it closes the input side at the peer's end. It must not find the channel closed
    /// then, not even by a write that fails: its debug builds would end the process. So what follows from a read has a turn of
    /// its own, unless the last buffer had room left: no end comes behind such a one.
    package func channelReadComplete(context: ChannelHandlerContext) {
        if allowsHalfClosure, mayEndInput {
            context.eventLoop.assumeIsolated().execute {
                if let context = self.context { self.finishRead(context) }
            }
        } else {
            finishRead(context)
        }
        mayEndInput = true
        context.fireChannelReadComplete()
    }

    private func finishRead(_ context: ChannelHandlerContext) {
        session?.readCompleted(on: self)
        if state.readEnded() { flushOutbound(context) }
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        goOn(context, asks: state.writabilityChanged(context.channel.isWritable))
        context.fireChannelWritabilityChanged()
    }

    package func read(context: ChannelHandlerContext) {
        if state.asksToRead(isWritable: context.channel.isWritable) { context.read() }
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let reason = Transport.describe(error)
        if Transport.isHandshakeFailure(error) { portGuard?.handshakeFailed(on: self, reason: reason) }
        state.note(reason)
        context.close(promise: nil)
    }

    private func finish() {
        guard state.ended() else { return }
        keepaliveTimer?.cancel()
        keepaliveTimer = nil
        closeTimer?.cancel()
        closeTimer = nil
        waiting.removeAll()
        answered()
        portGuard?.closed(self)
        portGuard = nil
        let last = session
        session = nil
        last?.disconnected(self, reason: state.closeReason)
    }
}
