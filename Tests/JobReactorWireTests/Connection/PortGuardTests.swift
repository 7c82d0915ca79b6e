import JobReactorTesting
import Logging
import NIOCore
import NIOEmbedded
import NIOPosix
import Testing

@testable import JobReactorWire

/// What holds for all connections of a port together, over real sockets where these matter.
@Suite("A port and those who mean it no good", .timeLimit(.minutes(5))) struct PortGuardTests {
    private static let password = Password("secret")

    private func portGuard(
        _ limits: RESPLimits = RESPLimits(), password: Password? = nil, on loop: EmbeddedEventLoop
    ) -> PortGuard {
        PortGuard(
            limits: limits, maximumConnections: 100, password: password,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, on: loop)
    }

    private func peer(_ portGuard: PortGuard, _ loop: EmbeddedEventLoop) throws -> EmbeddedPeer {
        let peer = try EmbeddedPeer(on: loop) { _ in
            let connection = CommandSession.accept(by: portGuard, service: FakeService())
            #expect(portGuard.admit(connection))
            return connection
        }
        return peer
    }

    // MARK: Strangers

    @Test("however many strangers connect and say nothing, a client with the password gets in")
    func strangers() async throws {
        try await withServer(
            security: WireSecurity(password: Self.password), limits: RESPLimits(authenticationTime: 300),
            maximumConnections: 50
        ) { server in
            var strangers: [RESPClient] = []
            for _ in 0..<100 { strangers.append(try await RESPClient.connect(to: server.address)) }
            let client = try await RESPClient.connect(
                to: server.address, security: WireSecurity(password: Self.password))
            #expect(try await client.send(["NODES"]) == .simple("OK"))
            #expect(try await server.ask { $0.strangerCount } <= 5)
            #expect(try await server.connectionCount <= 6)
            for stranger in strangers { await stranger.close() }
            #expect(try await client.send(["NODES"]) == .simple("OK"))
            await client.close()
        }
    }

    @Test("a stranger that has to go is told why")
    func toldWhy() throws {
        let loop = EmbeddedEventLoop()
        let portGuard = portGuard(password: Self.password, on: loop)
        let peers = try (0..<11).map { _ in try peer(portGuard, loop) }
        #expect(
            try peers[0].received()
                == "-NOAUTH Authentication required: closing, because others wait for the connection.\r\n")
        #expect(!peers[0].channel.isActive && peers[1].channel.isActive)
        #expect(portGuard.connectionCount == 10)
    }

    @Test("before the password a message may have 16 KiB and few elements, after it what the limits say")
    func small() throws {
        let loop = EmbeddedEventLoop()
        let portGuard = portGuard(password: Self.password, on: loop)
        let limit = "-ERR Protocol error: a command is larger than the frame limit of 16384 bytes\r\n"
        for start in ["*2\r\n$4\r\nPING\r\n$20000\r\n", "*2\r\n$4\r\nAUTH\r\n$9999999\r\n"] {
            let peer = try peer(portGuard, loop)
            #expect(try peer.send(start + String(repeating: "x", count: 18_000)) == limit)
        }
        let many = try peer(portGuard, loop)
        #expect(
            try many.send("*65\r\n").hasPrefix("-ERR Protocol error: a command has more than the element limit of 64"))
        let line = try peer(portGuard, loop)
        #expect(try line.send(String(repeating: "x", count: 20_000)).contains("longer than the limit of 16384 bytes"))
        let friend = try peer(portGuard, loop)
        #expect(try friend.send("AUTH secret\r\n") == "+OK\r\n")
        let text = String(repeating: "x", count: 100_000)
        #expect(try friend.send("*2\r\n$4\r\nPING\r\n$100000\r\n\(text)\r\n") == "$100000\r\n\(text)\r\n")
    }

    // MARK: Wrong passwords

    @Test(
        "who guesses on one connection after the other waits longer each time; all are counted, one line a second said")
    func guesses() throws {
        let (loop, log) = (EmbeddedEventLoop(), LogLines())
        let portGuard = PortGuard(
            limits: RESPLimits(authenticationTime: 1000), maximumConnections: 1000, password: Self.password,
            logger: log.logger, on: loop)
        for delay in [100, 200, 400, 800, 1600, 3200, 5000, 5000] as [Int64] {
            let peer = try peer(portGuard, loop)
            #expect(try peer.send("AUTH guess\r\n") == "")
            loop.advanceTime(by: .milliseconds(delay - 1))
            #expect(try peer.received() == "")
            loop.advanceTime(by: .milliseconds(1))
            #expect(try peer.received().hasPrefix("-WRONGPASS"))
        }
        #expect(portGuard.wrongPasswordCount == 8)
        // The right one is answered at once.
        let friend = try peer(portGuard, loop)
        #expect(try friend.send("AUTH secret\r\n") == "+OK\r\n")
        loop.advanceTime(by: .seconds(10))
        let lines = log.all.filter { $0.text == "wrong password" }
        #expect(lines.count == 6)
        let times = lines.compactMap { $0.metadata["times"].flatMap { Int("\($0)") } }
        #expect(times.reduce(0, +) == 8)
    }

    @Test("of a flood of guesses in one packet each is looked at when the one before it has its answer")
    func floodOfGuesses() throws {
        let loop = EmbeddedEventLoop()
        let portGuard = portGuard(RESPLimits(authenticationTime: 1000), password: Self.password, on: loop)
        let peer = try peer(portGuard, loop)
        #expect(try peer.send(String(repeating: "AUTH guess\r\n", count: 500)) == "")
        for (count, delay) in [100, 200, 400, 800, 1600, 3200, 5000, 5000].enumerated() {
            #expect(portGuard.wrongPasswordCount == count + 1)
            loop.advanceTime(by: .milliseconds(Int64(delay - 1)))
            #expect(try peer.received() == "")
            loop.advanceTime(by: .milliseconds(1))
            #expect(try peer.received() == "-WRONGPASS invalid username-password pair or user is disabled.\r\n")
        }
    }

    @Test("of an address a hundred guesses wait for their answer; who guesses beyond them is closed")
    func manyGuessers() throws {
        let loop = EmbeddedEventLoop()
        let portGuard = PortGuard(
            limits: RESPLimits(authenticationTime: 1000), maximumConnections: 2000, password: Self.password,
            logger: LogLines().logger, on: loop)
        let peers = try (0..<101).map { _ in try peer(portGuard, loop) }
        for peer in peers { #expect(try peer.send("AUTH guess\r\n") == "") }
        #expect(peers.map { $0.channel.isActive } == Array(repeating: true, count: 100) + [false])
        #expect(portGuard.wrongPasswordCount == 101)
    }

    // MARK: Messages that do not end

    @Test("a message that drips has a deadline, for strangers and friends")
    func drips() throws {
        let loop = EmbeddedEventLoop()
        let portGuard = portGuard(RESPLimits(messageTime: 20), on: loop)
        let (drips, good) = (try peer(portGuard, loop), try peer(portGuard, loop))
        try drips.send("*2\r\n$4\r\nPING\r\n$1000\r\n")
        for _ in 0..<19 {
            try drips.send("x")
            #expect(try good.send("PING\r\nPI") == "+PONG\r\n")
            #expect(try good.send("NG\r\n") == "+PONG\r\n")
            loop.advanceTime(by: .seconds(1))
        }
        #expect(drips.channel.isActive)
        loop.advanceTime(by: .seconds(1))
        #expect(try drips.received() == "-ERR Protocol error: a message was not complete within 20 s\r\n")
        #expect(!drips.channel.isActive && good.channel.isActive)
        #expect(portGuard.heldBytes == 0)
    }

    @Test("unfinished messages of all connections have one budget: the oldest goes, and honest ones get through")
    func budget() async throws {
        let limits = RESPLimits(heldBytes: 2 << 20)
        try await withServer(limits: limits) { server in
            let half = "*2\r\n$4\r\nPING\r\n$1000000\r\n" + String(repeating: "x", count: 900_000)
            var hostile: [OpenPeer] = []
            for _ in 0..<20 {
                hostile.append(try await OpenPeer.open(port: server.port, sending: half))
                #expect(try await server.ask { $0.heldBytes } <= 2 << 20)
            }
            let client = try await RESPClient.connect(to: server.address)
            for _ in 0..<5 {
                let text = String(repeating: "y", count: 1 << 20)
                #expect(try await client.send(["PING", text]) == bulk(text))
            }
            await client.close()
            for peer in hostile { await peer.close() }
        }
    }

    // MARK: Replies that are not read

    @Test("what a client does not read has a bound, beyond which it is closed and its memory free")
    func unread() async throws {
        let limits = RESPLimits(unreadBytes: 8 << 20)
        try await withServer(limits: limits) { server in
            let text = String(repeating: "z", count: 1 << 20)
            let ping = "*2\r\n$4\r\nPING\r\n$\(text.utf8.count)\r\n\(text)\r\n"
            let peer = try await OpenPeer.open(
                port: server.port, sending: String(repeating: ping, count: 40), reads: false)
            try await eventually("reading stops, or it is closed") {
                let held = try await server.ask { $0.heldBytes }
                #expect(held <= 9 << 20)
                return held > 0
            }
            await peer.close()
            try await eventually("it is forgotten") { try await server.ask { $0.heldBytes + $0.connectionCount } == 0 }
        }
    }

    @Test("replies that come later, to a client that reads none, end its connection beyond the bound, and no other")
    func lateReplies() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let text = String(repeating: "z", count: 1 << 20)
        let log = LogLines()
        let listener = try await loop.flatSubmit {
            let portGuard = PortGuard(
                limits: RESPLimits(unreadBytes: 8 << 20), maximumConnections: 10, password: nil, logger: log.logger,
                on: loop)
            return Listener.bind(
                to: Address(host: "localhost", port: 0), guardedBy: portGuard, security: WireSecurity()
            ) { CommandSession.accept(by: portGuard, service: LateService(text, on: loop)) }
        }.get()
        let port = try await loop.submit { listener.value.port }.get()
        let peer = try await OpenPeer.open(
            port: port, sending: String(repeating: "PERFORM j\r\n", count: 200), reads: false)
        try await eventually("it is closed") {
            log.all.contains { "\($0.metadata["reason"] ?? "")".hasPrefix("the peer does not read") }
        }
        try await eventually("it is forgotten") {
            try await loop.submit { listener.value.connectionCount + listener.value.portGuard.heldBytes == 0 }.get()
        }
        #expect(log.all.count { $0.text == "closed a connection" } == 1)
        let client = try await RESPClient.connect(to: Address(host: "localhost", port: port))
        #expect(try await client.send(["PERFORM", "j"]) == bulk(text))
        await client.close()
        await peer.close()
        try await loop.flatSubmit {
            listener.value.stopAccepting()
            return listener.value.closeConnections(on: loop)
        }.get()
    }

    @Test("few bytes that ask for many are answered up to the bound, not worked off to the end first")
    func amplified() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let text = String(repeating: "z", count: 1 << 20)
        let log = LogLines()
        let service = NIOLoopBoundBox.makeBoxSendingValue(LateService(text, on: loop), eventLoop: loop)
        let listener = try await loop.flatSubmit {
            let portGuard = PortGuard(
                limits: RESPLimits(unreadBytes: 8 << 20), maximumConnections: 10, password: nil, logger: log.logger,
                on: loop)
            return Listener.bind(
                to: Address(host: "localhost", port: 0), guardedBy: portGuard, security: WireSecurity()
            ) { CommandSession.accept(by: portGuard, service: service.value) }
        }.get()
        let port = try await loop.submit { listener.value.port }.get()
        let peer = try await OpenPeer.open(
            port: port, sending: String(repeating: "NODES\r\n", count: 1000), reads: false)
        try await eventually("it is closed") {
            log.all.contains { "\($0.metadata["reason"] ?? "")".hasPrefix("the peer does not read") }
        }
        // As many as the bound, and the buffers of both sockets, have room for.
        #expect(try await loop.submit { service.value.count }.get() < 100)
        await peer.close()
        try await loop.flatSubmit {
            listener.value.stopAccepting()
            return listener.value.closeConnections(on: loop)
        }.get()
    }

    // MARK: Clients that end their input

    @Test("who ends its input gets all that it has asked for, however much, before it is left")
    func endsInput() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let text = String(repeating: "z", count: 1 << 20)
        let listener = try await loop.flatSubmit {
            let portGuard = PortGuard(
                limits: RESPLimits(), maximumConnections: 10, password: nil, logger: LogLines().logger, on: loop)
            return Listener.bind(
                to: Address(host: "localhost", port: 0), guardedBy: portGuard, security: WireSecurity()
            ) { CommandSession.accept(by: portGuard, service: LateService(text, on: loop)) }
        }.get()
        let port = try await loop.submit { listener.value.port }.get()
        let heard = try await RawPeer.exchange(
            port: port, sending: String(repeating: "PERFORM j\r\nPING\r\n", count: 20), endsInput: true)
        let answer = "$\(text.utf8.count)\r\n\(text)\r\n+PONG\r\n"
        #expect(heard.utf8.count == 20 * answer.utf8.count && heard.hasPrefix(answer) && heard.hasSuffix(answer))
        try await eventually("it is forgotten") {
            try await loop.submit { listener.value.connectionCount + listener.value.portGuard.heldBytes == 0 }.get()
        }
        try await loop.flatSubmit {
            listener.value.stopAccepting()
            return listener.value.closeConnections(on: loop)
        }.get()
    }

    @Test("also behind a password that is checked elsewhere, and with a last word for what is no message")
    func endsInputBehindPassword() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let listener = try await loop.flatSubmit {
            let portGuard = PortGuard(
                limits: RESPLimits(), maximumConnections: 10, password: nil, users: Elsewhere(),
                logger: LogLines().logger, on: loop)
            return Listener.bind(
                to: Address(host: "localhost", port: 0), guardedBy: portGuard, security: WireSecurity()
            ) { CommandSession.accept(by: portGuard, service: FakeService()) }
        }.get()
        let port = try await loop.submit { listener.value.port }.get()
        let lastWord = "-ERR Protocol error: Protocol error, got \"P\" as reply type byte\r\n"
        for (behind, answers) in [
            ("ENQUEUE j\r\nPING\r\n", "+OK\r\n+PONG\r\n"), ("PING\r\n*1\r\nPING\r\n", "+PONG\r\n\(lastWord)"),
        ] {
            let heard = try await RawPeer.exchange(port: port, sending: "AUTH ann secret\r\n\(behind)", endsInput: true)
            #expect(heard == "+OK\r\n\(answers)")
        }
        try await loop.flatSubmit {
            listener.value.stopAccepting()
            return listener.value.closeConnections(on: loop)
        }.get()
    }

    /// Lets everybody in, a moment later.
    private struct Elsewhere: UserDirectory {
        func check(_ name: String, _ password: [UInt8], done: @escaping @Sendable (User?) -> Void) {
            Task { done(User(name: name, roles: [.producer])) }
        }

        func look(since state: Int, done: @escaping @Sendable ([String: User], Int) -> Void) {
            done(["ann": User(name: "ann", roles: [.producer])], 1)
        }
    }

    /// Answers each PERFORM a turn later, with a text, and everything else with it at once.
    private final class LateService: CommandService {
        private let text: String
        private let loop: any EventLoop
        private(set) var count = 0

        init(_ text: String, on loop: any EventLoop) {
            self.text = text
            self.loop = loop
        }

        func perform(_ command: ClientCommand, for session: CommandSession) {
            count += 1
            guard case .perform = command else { return session.reply { $0.writeRESPBulk(self.text) } }
            let ticket = session.owe()
            loop.assumeIsolated().execute { session.pay(ticket) { $0.writeRESPBulk(self.text) } }
        }
    }

    @Test("one that reads nothing for so long is closed")
    func neverReads() async throws {
        try await withServer(limits: RESPLimits(messageTime: 1)) { server in
            let text = String(repeating: "z", count: 1 << 20)
            let ping = "*2\r\n$4\r\nPING\r\n$\(text.utf8.count)\r\n\(text)\r\n"
            let peer = try await OpenPeer.open(
                port: server.port, sending: String(repeating: ping, count: 20), reads: false)
            try await eventually("replies wait") { try await server.ask { $0.heldBytes } > 0 }
            try await eventually("it is closed") { try await server.connectionCount == 0 }
            await peer.close()
        }
    }

    // MARK: Addresses

    @Test("a name that has several addresses is listened on at all of them, with one port")
    func addresses() async throws {
        let found = try HostAddresses.lookUp(Address(host: "localhost", port: 0))
        try await withServer { server in
            var reached = 0
            for address in found {
                let host = try #require(address.ipAddress)
                // A machine without IPv6 may have the name all the same.
                guard let client = try? await RESPClient.connect(to: Address(host: host, port: server.port)) else {
                    #expect(host == "::1")
                    continue
                }
                #expect(try await client.send(["PING"]) == .simple("PONG"))
                await client.close()
                reached += 1
            }
            #expect(reached > 0)
            let client = try await RESPClient.connect(to: Address(host: "127.0.0.1", port: server.port))
            await client.close()
        }
    }
}
