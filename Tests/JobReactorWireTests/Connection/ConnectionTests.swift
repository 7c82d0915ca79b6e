import NIOCore
import NIOEmbedded
import Testing

@testable import JobReactorWire

@Suite struct ConnectionTests {
    private static let limits = RESPLimits(frameBytes: 1_000, elements: 10)

    private func peer(_ role: Connection.Role, _ session: RecordingSession) throws -> EmbeddedPeer {
        try EmbeddedPeer { _ in Connection(role: role, limits: Self.limits, session: session) }
    }

    // MARK: Frames

    @Test("a connection reports that it is up, its frames, and that it is gone")
    func transcript() throws {
        let session = RecordingSession()
        let peer = try peer(.server, session)
        try peer.send("*1\r\n$1\r\na\r\nPING\r\n*1\r\n$1")
        try peer.send("\r\nb\r\n")
        try peer.channel.close().wait()
        peer.channel.embeddedEventLoop.run()
        #expect(
            session.events == [
                .connected, .frame(command("a")), .frame(command("PING")), .frame(command("b")), .disconnected(nil),
            ])
        #expect(!peer.connection.isOpen)
    }

    @Test("what is written during one read goes out in one piece")
    func coalesced() throws {
        let session = RecordingSession { event, connection in
            if case .frame = event { connection.write { $0.writeRESPSimple("OK") } }
        }
        let peer = try peer(.server, session)
        try peer.channel.writeInbound(ByteBuffer(string: "PING\r\nPING\r\nPING\r\n"))
        #expect(try peer.channel.readOutbound(as: ByteBuffer.self) == ByteBuffer(string: "+OK\r\n+OK\r\n+OK\r\n"))
        #expect(try peer.channel.readOutbound(as: ByteBuffer.self) == nil)
        // And of one turn of the loop.
        peer.connection.write { $0.writeRESPInteger(1) }
        peer.connection.write { $0.writeRESPInteger(2) }
        #expect(try peer.channel.readOutbound(as: ByteBuffer.self) == nil)
        peer.channel.embeddedEventLoop.run()
        #expect(try peer.channel.readOutbound(as: ByteBuffer.self) == ByteBuffer(string: ":1\r\n:2\r\n"))
    }

    @Test("where the peer's end may come right behind a read, what follows from the read has a turn of its own")
    func endBehindRead() throws {
        let session = RecordingSession { event, connection in
            if case .frame = event { connection.write { $0.writeRESPSimple("OK") } }
        }
        let peer = try peer(.server, session)
        peer.connection.allowsHalfClosure = true
        let ok = ByteBuffer(string: "+OK\r\n")
        var withRoom = ByteBuffer(string: "PING\r\n")
        withRoom.reserveCapacity(64)
        try peer.channel.writeInbound(withRoom)
        #expect(try peer.channel.readOutbound(as: ByteBuffer.self) == ok)
        let full = try #require(withRoom.getSlice(at: 0, length: withRoom.readableBytes))
        #expect(full.writableBytes == 0)
        try peer.channel.writeInbound(full)
        #expect(try peer.channel.readOutbound(as: ByteBuffer.self) == nil)
        peer.channel.embeddedEventLoop.run()
        #expect(try peer.channel.readOutbound(as: ByteBuffer.self) == ok)
        // At the end itself there is nothing before it.
        peer.connection.write { $0.writeRESPSimple("OK") }
        peer.channel.pipeline.fireChannelReadComplete()
        #expect(try peer.channel.readOutbound(as: ByteBuffer.self) == nil)
        peer.channel.embeddedEventLoop.run()
        #expect(try peer.channel.readOutbound(as: ByteBuffer.self) == ok)
    }

    @Test("frames after a hand-over go to the next session, those of the same read too")
    func handOver() throws {
        let second = RecordingSession()
        let first = RecordingSession { event, connection in
            if event == .frame(command("SERVE")) { connection.handOver(to: second) }
        }
        let peer = try peer(.server, first)
        try peer.send("PING\r\nSERVE\r\nDRAIN\r\n")
        try peer.channel.close().wait()
        #expect(first.events == [.connected, .frame(command("PING")), .frame(command("SERVE"))])
        #expect(second.events == [.frame(command("DRAIN")), .disconnected(nil)])
    }

    // MARK: Closing

    @Test("what is written before the close goes out, what is written after does not")
    func close() throws {
        let session = RecordingSession()
        let peer = try peer(.server, session)
        peer.connection.write { $0.writeRESPSimple("OK") }
        peer.connection.close(reason: "enough")
        peer.connection.write { $0.writeRESPSimple("OK") }
        peer.connection.close(reason: "again")
        #expect(try peer.received() == "+OK\r\n")
        #expect(session.events == [.connected, .disconnected("enough")])
        #expect(try peer.advance(10) == "")
    }

    @Test("an error of the channel ends the connection with its text")
    func channelError() throws {
        let session = RecordingSession()
        let peer = try peer(.client, session)
        peer.channel.pipeline.fireErrorCaught(ChannelError.inputClosed)
        #expect(session.events == [.connected, .disconnected("\(ChannelError.inputClosed)")])
    }

    @Test(
        "who breaks a limit is told which, and the connection is closed",
        arguments: [
            (
                "*1\r\n$2000\r\n" + String(repeating: "x", count: 1_065),
                "a command is larger than the frame limit of 1000 bytes"
            ),
            (
                "*1\r\n$1001\r\n" + String(repeating: "x", count: 1_001) + "\r\n",
                "a command is larger than the frame limit of 1000 bytes"
            ),
            ("*11\r\n", "a command has more than the element limit of 10"),
            ("1 2 3 4 5 6 7 8 9 10 11\r\n", "a command has more than the element limit of 10"),
            (String(repeating: "x", count: 65_537), "an inline command is longer than the limit of 1000 bytes"),
            ("PING 'x\r\n", "unbalanced quotes in an inline command"),
            (String(repeating: "*1\r\n", count: 9), "No support for nested multi bulk replies with depth > 7"),
            ("*-2\r\n", "Multi-bulk length out of range"),
            ("*1\r\nPING\r\n", "Protocol error, got \"P\" as reply type byte"),
        ])
    func refused(stream: String, reason: String) throws {
        let session = RecordingSession()
        let peer = try peer(.server, session)
        let line = "ERR Protocol error: " + reason
        #expect(try peer.send("*1\r\n$4\r\nPING\r\n" + stream) == "-\(line)\r\n")
        #expect(session.events == [.connected, .frame(command("PING")), .disconnected(line)])
        #expect(!peer.channel.isActive)
    }

    @Test("a server that breaks a limit is told nothing, but left")
    func refusedReply() throws {
        let session = RecordingSession()
        let peer = try peer(.client, session)
        #expect(try peer.send("+OK\r\nHTTP/1.1 200 OK\r\n") == "")
        #expect(
            session.events == [
                .connected, .frame(.simple("OK")),
                .disconnected("ERR Protocol error: Protocol error, got \"H\" as reply type byte"),
            ])
    }

    // MARK: A peer that does not read

    @Test("a client that does not read its replies is not read, until it does")
    func unreadReplies() throws {
        let peer = try peer(.server, RecordingSession())
        #expect(peer.isReading())
        peer.setWritable(false)
        #expect(!peer.isReading())
        let before = peer.reads.reads
        peer.setWritable(true)
        #expect(peer.reads.reads == before + 1)
        #expect(peer.isReading())
    }

    @Test("a paused session is not read, until it goes on and the client reads")
    func paused() throws {
        let peer = try peer(.server, RecordingSession())
        peer.connection.pauseInput(true)
        #expect(!peer.isReading())
        peer.setWritable(false)
        peer.connection.pauseInput(false)
        #expect(!peer.isReading())
        peer.setWritable(true)
        #expect(peer.isReading())
    }

    @Test("what came in one piece is read up to a pause, and the rest when it is over, by a link too")
    func pausedWithin() throws {
        let session = RecordingSession { event, connection in
            if event == .frame(command("a")) { connection.pauseInput(true) }
            if event == .frame(command("b")) { connection.becomeLink(keepalive: Keepalive()) }
        }
        let peer = try peer(.server, session)
        try peer.send("a\r\n*1\r\n$1\r\nb\r\nc")
        #expect(session.events == [.connected, .frame(command("a"))])
        peer.connection.pauseInput(false)
        #expect(session.events.count == 2)
        #expect(try peer.received() == "")
        #expect(session.events.dropFirst(2) == [.frame(command("b"))])
        try peer.send("\r\nd\r\n")
        #expect(session.events.dropFirst(3) == [.frame(command("c")), .frame(command("d"))])
        #expect(peer.channel.isActive)
        // The end of a link is the end.
        try peer.endInput()
        #expect(session.events.last == .disconnected(nil) && !peer.channel.isActive)
    }

    @Test("who is not read, and ends, is heard to the end first")
    func endsWhilePaused() throws {
        let session = RecordingSession { event, connection in
            if event == .frame(command("a")) { connection.pauseInput(true) }
        }
        let peer = try peer(.server, session)
        try peer.send("a\r\nb\r\n")
        try peer.send("c\r\n")
        try peer.endInput()
        #expect(session.events == [.connected, .frame(command("a"))])
        peer.connection.pauseInput(false)
        _ = try peer.received()
        #expect(session.events.dropFirst(2) == [.frame(command("b")), .frame(command("c")), .disconnected(nil)])
    }

    @Test("the replies of a server we have dialled are read whether or not it reads")
    func clientReads() throws {
        let peer = try peer(.client, RecordingSession())
        peer.setWritable(false)
        #expect(peer.isReading())
    }

    @Test("a link is read whether or not the other side reads: two that wait for each other would stop for ever")
    func linkReads() throws {
        let peer = try peer(.server, RecordingSession())
        peer.setWritable(false)
        peer.connection.pauseInput(true)
        #expect(!peer.isReading())
        let before = peer.reads.reads
        peer.connection.becomeLink(keepalive: Keepalive())
        #expect(peer.reads.reads == before + 1)
        #expect(peer.isReading())
    }

    // MARK: Keepalive

    private static let ping = "*1\r\n$4\r\nPING\r\n"

    @Test(
        "a link that has nothing to say pings every interval, and drops a peer that is silent",
        arguments: [.server, .client] as [Connection.Role])
    func silentPeer(role: Connection.Role) throws {
        let session = RecordingSession()
        let peer = try peer(role, session)
        peer.connection.becomeLink(keepalive: Keepalive(interval: .seconds(10), timeout: .seconds(30)))
        #expect(try peer.advance(9) == "")
        #expect(try peer.advance(1) == Self.ping)
        #expect(try peer.advance(10) == Self.ping)
        #expect(try peer.advance(9) == "")
        #expect(peer.channel.isActive)
        #expect(try peer.advance(1) == "")
        #expect(session.events == [.connected, .disconnected("silent for 30 s")])
    }

    @Test("a peer that says anything, be it half a message, is kept")
    func livePeer() throws {
        let session = RecordingSession()
        let peer = try peer(.server, session)
        peer.connection.becomeLink(keepalive: Keepalive(interval: .seconds(10), timeout: .seconds(30)))
        var pings = 0
        for round in 0..<100 {
            if try peer.advance(29) != "" { pings += 1 }
            try peer.send(round % 2 == 0 ? "*1\r\n$4\r\nPI" : "NG\r\n")
        }
        #expect(peer.channel.isActive)
        #expect(session.events.count == 51)
        #expect(pings == 100)
    }

    @Test("a link that speaks does not ping")
    func busyLink() throws {
        let peer = try peer(.client, RecordingSession())
        peer.connection.becomeLink(keepalive: Keepalive(interval: .seconds(10), timeout: .seconds(30)))
        for round in 0..<50 {
            // Each within the ten seconds before a check.
            #expect(try peer.advance(round == 0 ? 5 : 10) == "", "round \(round)")
            peer.connection.write { LinkMessage.writeCredit(1, to: &$0) }
            #expect(try peer.received() == "*2\r\n$6\r\nCREDIT\r\n$1\r\n1\r\n")
            try peer.send(Self.ping)
        }
    }

    @Test("what is no link is kept for as long as it likes")
    func noKeepalive() throws {
        let peer = try peer(.server, RecordingSession())
        #expect(try peer.advance(86_400) == "")
        #expect(peer.channel.isActive)
    }

    @Test("a link that is closed does not ping")
    func closedLink() throws {
        let session = RecordingSession()
        let peer = try peer(.server, session)
        peer.connection.becomeLink(keepalive: Keepalive())
        try peer.channel.close().wait()
        #expect(try peer.advance(100) == "")
        #expect(session.events == [.connected, .disconnected(nil)])
    }
}
