import Logging
import NIOCore
import NIOPosix
import Testing

@testable import JobReactorWire

@Suite(.timeLimit(.minutes(5))) struct ListenerTests {
    @Test("port 0 takes a free one, and says which")
    func freePort() async throws {
        try await withServer { server in
            #expect(server.port > 0)
            let replies = try await RawPeer.exchange(port: server.port, sending: "PING\r\nQUIT\r\n")
            #expect(replies == "+PONG\r\n+OK\r\n")
        }
    }

    @Test("a port that is taken is an error that names the address and says what to do")
    func taken() async throws {
        try await withServer { server in
            let error = try #require(
                await #expect(throws: WireError.self) { try await TestServer.start(port: server.port) })
            #expect(error.code == .listen)
            #expect(error.message.hasPrefix("cannot listen on localhost:\(server.port): address already in use"))
            #expect(error.message.hasSuffix(": stop the program that uses the port, or choose another port"))
            #expect(error.cause is IOError)
        }
    }

    @Test("a port open to the network without a password is not opened")
    func insecure() async throws {
        let error = try #require(await #expect(throws: WireError.self) { try await TestServer.start(host: "0.0.0.0") })
        #expect(error.code == .configuration)
        let server = try await TestServer.start(host: "0.0.0.0", security: WireSecurity(password: Password("secret")))
        try await server.stop()
    }

    @Test("one connection too many is told the limit and closed; when another leaves there is room")
    func connectionLimit() async throws {
        try await withServer(maximumConnections: 2) { server in
            let first = try await RESPClient.connect(to: server.address)
            let second = try await RESPClient.connect(to: server.address)
            #expect(try await first.send(["PING"]) == .simple("PONG"))
            #expect(try await second.send(["PING"]) == .simple("PONG"))
            let full = "-ERR max number of clients reached: the connection limit is 2\r\n"
            for _ in 0..<5 { #expect(try await RawPeer.exchange(port: server.port, sending: "") == full) }
            #expect(try await server.connectionCount == 2)
            #expect(try await first.send(["PING"]) == .simple("PONG"))
            await first.close()
            var answer = full
            while answer == full || answer == "" {
                answer = try await RawPeer.exchange(port: server.port, sending: "QUIT\r\n")
            }
            #expect(answer == "+OK\r\n")
            await second.close()
        }
    }

    @Test("a flood that announces more than the limit is answered while it still comes")
    func oversizedFlood() async throws {
        try await withServer(limits: RESPLimits(frameBytes: 1 << 20)) { server in
            let error = "-ERR Protocol error: a command is larger than the frame limit of 1048576 bytes\r\n"
            let flood = String(repeating: "x", count: 64 << 10)
            for start in ["*1\r\n$999999999\r\n", "*2\r\n$4\r\nPING\r\n+"] {
                let answer = try await RawPeer.exchange(port: server.port, sending: start, flood: flood)
                #expect(answer == error)
            }
            #expect(
                try await RawPeer.exchange(port: server.port, sending: "PING\r\n*1\r\n$999999999\r\n", flood: flood)
                    .hasPrefix("+PONG\r\n"))
            #expect(
                try await RawPeer.exchange(port: server.port, sending: "", flood: flood)
                    == "-ERR Protocol error: an inline command is longer than the limit of 65536 bytes\r\n")
            // And the next is served.
            #expect(try await RawPeer.exchange(port: server.port, sending: "PING\r\nQUIT\r\n") == "+PONG\r\n+OK\r\n")
        }
    }

    @Test("other breaches of the protocol are answered over the socket too")
    func breaches() async throws {
        try await withServer(limits: RESPLimits(elements: 1000)) { server in
            for (stream, reason) in [
                ("*1001\r\n", "a command has more than the element limit of 1000"),
                ("*1\r\n!\r\n", "Protocol error, got \"!\" as reply type byte"),
                ("PING '\r\n", "unbalanced quotes in an inline command"),
            ] {
                let answer = try await RawPeer.exchange(port: server.port, sending: stream + "PING\r\n")
                #expect(answer == "-ERR Protocol error: \(reason)\r\n")
            }
        }
    }

    @Test("a client that pipelines without reading gets every reply when it reads")
    func pipelined() async throws {
        try await withServer { server in
            let text = String(repeating: "x", count: 1000)
            let replies = try await RawPeer.exchange(
                port: server.port, sending: String(repeating: "PING \(text)\r\n", count: 20_000) + "QUIT\r\n")
            #expect(replies == String(repeating: "$1000\r\n\(text)\r\n", count: 20_000) + "+OK\r\n")
        }
    }

    @Test("closing the connections closes all, and the port stays open")
    func closeConnections() async throws {
        try await withServer { server in
            let clients = [
                try await RESPClient.connect(to: server.address), try await RESPClient.connect(to: server.address),
            ]
            for client in clients { #expect(try await client.send(["PING"]) == .simple("PONG")) }
            try await server.closeConnections()
            #expect(try await server.connectionCount == 0)
            for client in clients {
                await #expect(throws: WireError.self) { try await client.send(["PING"]) }
            }
            #expect(try await RawPeer.exchange(port: server.port, sending: "QUIT\r\n") == "+OK\r\n")
        }
    }

    @Test("what was said before the connections are closed arrives, also to who reads slowly")
    func lastWords() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let (connected, continuation) = AsyncStream.makeStream(of: NIOLoopBound<Connection>.self)
        let listener = try await loop.flatSubmit {
            let portGuard = PortGuard(
                limits: RESPLimits(), maximumConnections: 1, password: nil, logger: Logger(label: "test"), on: loop)
            return Listener.bind(
                to: Address(host: "localhost", port: 0), guardedBy: portGuard, security: WireSecurity()
            ) {
                let session = RecordingSession { event, connection in
                    if event == .connected { continuation.yield(NIOLoopBound(connection, eventLoop: loop)) }
                }
                return Connection(role: .server, limits: RESPLimits(), session: session)
            }
        }.get()
        let port = try await loop.submit { listener.value.port }.get()
        // More than the buffers of both sockets hold.
        let text = String(repeating: "last words ", count: 1_000_000)
        async let heard = RawPeer.exchange(port: port, sending: "")
        var iterator = connected.makeAsyncIterator()
        let connection = try #require(await iterator.next())
        try await loop.flatSubmit {
            connection.value.write { $0.writeString(text) }
            listener.value.stopAccepting()
            return listener.value.closeConnections(on: loop, within: .seconds(300))
        }.get()
        #expect(try await heard == text)
    }
}
