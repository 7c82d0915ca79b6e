import NIOCore
import NIOEmbedded
import NIOTLS
import Testing

@testable import JobReactorWire

@Suite struct HandshakeDeadlineTests {
    private let channel = EmbeddedChannel()
    private let session = RecordingSession()

    init() throws {
        let connection = Connection(role: .server, limits: RESPLimits(), session: session)
        try channel.pipeline.syncOperations.addHandlers(HandshakeDeadline(), connection)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 4242)).wait()
    }

    @Test("a peer that has not agreed on TLS within 10 s is dropped, and the log says why")
    func late() {
        channel.embeddedEventLoop.advanceTime(by: .seconds(9))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
        #expect(session.events == [.connected, .disconnected("no TLS handshake within 10 s")])
    }

    @Test("one that has stays")
    func inTime() throws {
        channel.embeddedEventLoop.advanceTime(by: .seconds(9))
        channel.pipeline.fireUserInboundEventTriggered(TLSUserEvent.handshakeCompleted(negotiatedProtocol: nil))
        channel.embeddedEventLoop.advanceTime(by: .seconds(3600))
        #expect(channel.isActive)
        #expect(throws: ChannelPipelineError.notFound) {
            try channel.pipeline.syncOperations.handler(type: HandshakeDeadline.self)
        }
    }

    @Test("one that leaves before is forgotten")
    func leaves() throws {
        try channel.close().wait()
        channel.embeddedEventLoop.advanceTime(by: .seconds(60))
        #expect(session.events == [.connected, .disconnected(nil)])
    }
}
