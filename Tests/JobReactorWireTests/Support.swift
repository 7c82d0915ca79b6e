import JobReactorTesting
import Foundation
import JobReactorCore
import Logging
import NIOCore
import NIOEmbedded
import NIOPosix
import Testing

@testable import JobReactorWire

// What the tests of several files use.

// MARK: Bytes

/// The bytes of a text.
func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// The text of bytes, as a transcript shows it.
func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }

/// An id with a number that is easy to read in a failure.
func id(_ number: Int) -> JobID { JobID(high: 0, low: UInt64(number)) }

/// A bulk string.
func bulk(_ text: String) -> RESPValue { .bulk(bytes(text)) }

/// A command as it comes in: an array of bulk strings.
func command(_ words: String...) -> RESPValue { .array(words.map(bulk)) }

/// What the body writes, as text.
func written(_ body: (inout ByteBuffer) -> Void) -> String {
    var buffer = ByteBuffer()
    body(&buffer)
    return String(buffer: buffer)
}

// MARK: Frames

/// What was read from a stream: the frames, and the error that ended it.
struct Reading: Equatable, CustomStringConvertible {
    var frames: [RESPValue] = []
    var error: RESPError?
    /// The most that the stream held between two helpings.
    var mostHeld = 0

    var description: String {
        "\(frames.count) frames\(frames.first.map { ", the first \("\($0)".prefix(200))" } ?? "")"
            + (error.map { ", then: \($0)" } ?? "")
    }

    static func == (left: Reading, right: Reading) -> Bool { left.frames == right.frames && left.error == right.error }
}

/// Reads the helpings one after another.
func read(
    _ helpings: some Sequence<some Collection<UInt8>>, _ side: RESPStream.Side = .server,
    limits: RESPLimits = RESPLimits()
) -> Reading {
    let stream = RESPStream(side: side, limits: limits)
    var reading = Reading()
    for helping in helpings {
        do throws(RESPError) {
            try feed(stream, Array(helping)) {
                reading.frames.append(RESPValue($0))
                return true
            }
        } catch {
            reading.error = error
            break
        }
        reading.mostHeld = max(reading.mostHeld, stream.heldBytes)
    }
    return reading
}

/// Reads a text at once.
func read(_ text: String, _ side: RESPStream.Side = .server, limits: RESPLimits = RESPLimits()) -> Reading {
    read([bytes(text)], side, limits: limits)
}

/// One helping for a stream.
func feed(_ stream: RESPStream, _ bytes: [UInt8], _ visit: (RESPFrame) -> Bool) throws(RESPError) {
    let result = bytes.withUnsafeBytes { buffer in
        Result { () throws(RESPError) in try stream.consume(buffer, visit) }
    }
    try result.get()
}

/// Hands the one frame that the text makes to `body`.
func withFrame<Answer>(_ text: String, _ body: (RESPFrame) throws -> Answer) throws -> Answer {
    var answer: Result<Answer, any Error>?
    try feed(RESPStream(side: .client, limits: RESPLimits()), bytes(text)) { frame in
        answer = Result { try body(frame) }
        return true
    }
    return try #require(answer, "no frame in: \(text)").get()
}

/// Hands a command of these words to `body`.
func withCommand<Answer>(_ words: [String], _ body: (RESPFrame) throws -> Answer) throws -> Answer {
    try withFrame(written { $0.writeRESPCommand(words) }, body)
}

/// Cuts the bytes into helpings of random size.
func randomHelpings(
    _ bytes: [UInt8], upTo most: Int, using random: inout SeededGenerator
) -> [ArraySlice<UInt8>] {
    var helpings: [ArraySlice<UInt8>] = []
    var rest = bytes[...]
    while !rest.isEmpty {
        helpings.append(rest.prefix(Int.random(in: 1...most, using: &random)))
        rest = rest.dropFirst(helpings.last?.count ?? 0)
    }
    return helpings
}

// MARK: Connections

/// Carries out nothing: answers `OK` at once, owes the reply of each PERFORM, and writes down what it was asked.
final class FakeService: CommandService {
    private(set) var commands: [ClientCommand] = []
    private(set) var owed: [String: CommandSession.Ticket] = [:]

    func perform(_ command: ClientCommand, for session: CommandSession) {
        commands.append(command)
        if case .perform(let request, _) = command {
            owed[request.name] = session.owe()
        } else {
            session.reply { $0.writeRESPSimple("OK") }
        }
    }
}

/// What happened on a connection, in order.
final class RecordingSession: ConnectionSession {
    enum Event: Hashable, Sendable {
        case connected
        case frame(RESPValue)
        case disconnected(String?)
    }

    private(set) var events: [Event] = []
    private let onEvent: (Event, Connection) -> Void

    init(onEvent: @escaping (Event, Connection) -> Void = { _, _ in }) {
        self.onEvent = onEvent
    }

    func connected(_ connection: Connection) { record(.connected, connection) }
    func received(_ frame: RESPFrame, on connection: Connection) { record(.frame(RESPValue(frame)), connection) }
    func readCompleted(on connection: Connection) {}
    func disconnected(_ connection: Connection, reason: String?) { record(.disconnected(reason), connection) }

    private func record(_ event: Event, _ connection: Connection) {
        events.append(event)
        onEvent(event, connection)
    }
}

/// Counts how often the connection asks for more input.
final class ReadCounter: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    private(set) var reads = 0

    func read(context: ChannelHandlerContext) {
        reads += 1
        context.read()
    }
}

/// A connection over an embedded channel: the test is the peer and the clock.
final class EmbeddedPeer {
    let channel: EmbeddedChannel
    let connection: Connection
    let reads = ReadCounter()

    init(on loop: EmbeddedEventLoop = EmbeddedEventLoop(), _ make: (any EventLoop) -> Connection) throws {
        channel = EmbeddedChannel(loop: loop)
        connection = make(channel.embeddedEventLoop)
        try channel.pipeline.syncOperations.addHandlers([reads, connection])
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 4242)).wait()
    }

    /// Sends the text and returns what came back in that turn of the loop.
    @discardableResult
    func send(_ text: String) throws -> String {
        try channel.writeInbound(ByteBuffer(string: text))
        return try received()
    }

    /// Says that it says nothing more, and returns what came back in that turn of the loop.
    @discardableResult
    func endInput() throws -> String {
        channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        return try received()
    }

    /// What has come back since it was last asked.
    func received() throws -> String {
        channel.embeddedEventLoop.run()
        var all = ByteBuffer()
        while var part = try channel.readOutbound(as: ByteBuffer.self) { all.writeBuffer(&part) }
        return String(buffer: all)
    }

    /// Lets time go by and returns what came in it.
    @discardableResult
    func advance(_ seconds: Int64) throws -> String {
        channel.embeddedEventLoop.advanceTime(by: .seconds(seconds))
        return try received()
    }

    /// Whether the connection asks for more when the channel is ready to read.
    func isReading() -> Bool {
        let before = reads.reads
        channel.read()
        return reads.reads > before
    }

    func setWritable(_ isWritable: Bool) {
        channel.isWritable = isWritable
        channel.pipeline.fireChannelWritabilityChanged()
    }
}

// MARK: Sockets

/// A port of this machine that answers as ``FakeService`` does.
final class TestServer: Sendable {
    let port: Int
    private let listener: NIOLoopBound<Listener>
    private let loop: any EventLoop

    var address: Address { Address(host: "localhost", port: port) }

    private init(_ listener: NIOLoopBound<Listener>, port: Int, on loop: any EventLoop) {
        self.listener = listener
        self.port = port
        self.loop = loop
    }

    /// Port 0 takes a free one.
    static func start(
        host: String = "localhost", port: Int = 0, security: WireSecurity = WireSecurity(),
        limits: RESPLimits = RESPLimits(authenticationTime: 300),
        maximumConnections: Int = 100, logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) async throws -> TestServer {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        return try await loop.flatSubmit {
            let portGuard = PortGuard(
                limits: limits, maximumConnections: maximumConnections, password: security.password, logger: logger,
                on: loop)
            return Listener.bind(to: Address(host: host, port: port), guardedBy: portGuard, security: security) {
                CommandSession.accept(by: portGuard, service: FakeService())
            }.map { TestServer($0, port: $0.value.port, on: loop) }
        }.get()
    }

    var connectionCount: Int {
        get async throws { try await loop.submit { self.listener.value.connectionCount }.get() }
    }

    func closeConnections() async throws {
        try await loop.flatSubmit { self.listener.value.closeConnections(on: self.loop) }.get()
    }

    /// What the port knows, read on its loop.
    func ask<Answer: Sendable>(_ body: @escaping @Sendable (PortGuard) -> Answer) async throws -> Answer {
        try await loop.submit { body(self.listener.value.portGuard) }.get()
    }

    /// Accepts no more and closes what is open.
    func stop() async throws {
        try await loop.submit { self.listener.value.stopAccepting() }.get()
        try await closeConnections()
    }
}

/// Starts a server for as long as the body takes.
func withServer(
    security: WireSecurity = WireSecurity(), limits: RESPLimits = RESPLimits(), maximumConnections: Int = 100,
    _ body: (TestServer) async throws -> Void
) async throws {
    let server = try await TestServer.start(
        security: security, limits: limits, maximumConnections: maximumConnections)
    do {
        try await body(server)
    } catch {
        try await server.stop()
        throw error
    }
    try await server.stop()
}

/// A peer that keeps to no protocol: sends what it is told to, then the flood again and again, until it hears something,
/// and hears until the other side is done. With `endsInput` it says so behind what it sends first.
enum RawPeer {
    static func exchange(
        port: Int, sending first: String, flood: String = "", endsInput: Bool = false
    ) async throws -> String {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let end = loop.makePromise(of: String.self)
        do {
            _ = try await ClientBootstrap(group: loop)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let handler = Handler(
                            ByteBuffer(string: first), flood: ByteBuffer(string: flood), endsInput: endsInput, end)
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                }
                .connect(host: "localhost", port: port).get()
        } catch {
            end.fail(error)
        }
        return try await end.futureResult.get()
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let first: ByteBuffer
        private let flood: ByteBuffer
        private let endsInput: Bool
        private let end: EventLoopPromise<String>
        private var heard = ByteBuffer()

        init(_ first: ByteBuffer, flood: ByteBuffer, endsInput: Bool, _ end: EventLoopPromise<String>) {
            self.first = first
            self.flood = flood
            self.endsInput = endsInput
            self.end = end
        }

        func channelActive(context: ChannelHandlerContext) {
            if first.readableBytes > 0 { context.writeAndFlush(wrapOutboundOut(first), promise: nil) }
            if endsInput { context.close(mode: .output, promise: nil) }
            sendFlood(context)
        }

        private func sendFlood(_ context: ChannelHandlerContext) {
            guard flood.readableBytes > 0, heard.readableBytes == 0, context.channel.isActive else { return }
            context.writeAndFlush(wrapOutboundOut(flood)).assumeIsolated().whenSuccess { self.sendFlood(context) }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            heard.writeImmutableBuffer(unwrapInboundIn(data))
        }

        func channelInactive(context: ChannelHandlerContext) { end.succeed(String(buffer: heard)) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

/// What happens on the connections of one who dials, as it happens.
struct DialledEvents {
    enum Event: Hashable, Sendable {
        case connection(RecordingSession.Event)
        /// A try that did not reach the other side.
        case failure(String)
    }

    private var iterator: AsyncStream<Event>.Iterator
    let continuation: AsyncStream<Event>.Continuation

    init() {
        let (stream, continuation) = AsyncStream.makeStream(of: Event.self)
        iterator = stream.makeAsyncIterator()
        self.continuation = continuation
    }

    mutating func next() async throws -> Event { try #require(await iterator.next(isolation: nil)) }
}

/// A session that says PING when it is connected and reports what happens.
func pingingSession(_ events: AsyncStream<DialledEvents.Event>.Continuation) -> RecordingSession {
    RecordingSession { event, connection in
        if event == .connected { connection.write { $0.writeRESPCommand(["PING"]) } }
        events.yield(.connection(event))
    }
}
