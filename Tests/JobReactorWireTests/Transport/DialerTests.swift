import Logging
import NIOCore
import NIOPosix
import Testing

@testable import JobReactorWire

@Suite(.timeLimit(.minutes(5))) struct DialerTests {
    private let loop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next()
    private let quiet = Logger(label: "dialer") { _ in SwiftLogNoOpLogHandler() }

    private func dial(_ address: Address, _ events: DialledEvents) async throws -> NIOLoopBound<Dialer> {
        let (loop, quiet, continuation) = (loop, quiet, events.continuation)
        return try await loop.submit {
            let dialer = Dialer(to: address, on: loop, security: WireSecurity(), logger: quiet) {
                Connection(role: .client, limits: RESPLimits(), session: pingingSession(continuation))
            }
            dialer.onFailure = { continuation.yield(.failure(Transport.describe($0))) }
            dialer.start()
            // It is under way, so this does nothing.
            dialer.start()
            return NIOLoopBound(dialer, eventLoop: loop)
        }.get()
    }

    private func stop(_ dialer: NIOLoopBound<Dialer>) async throws {
        try await loop.flatSubmit {
            dialer.value.stop()
            return dialer.value.closed
        }.get()
    }

    @Test("a dialer connects, and again when the listener has gone and come back")
    func reconnects() async throws {
        let server = try await TestServer.start()
        var events = DialledEvents()
        let dialer = try await dial(server.address, events)
        #expect(try await events.next() == .connection(.connected))
        #expect(try await events.next() == .connection(.frame(.simple("PONG"))))
        try await server.stop()
        #expect(try await events.next() == .connection(.disconnected(nil)))
        #expect(try await events.next() == .failure("connection refused"))
        let again = try await TestServer.start(port: server.port)
        var event = try await events.next()
        // Perhaps another try, and the ends of connections that never came up.
        while event != .connection(.connected) { event = try await events.next() }
        #expect(try await events.next() == .connection(.frame(.simple("PONG"))))
        #expect(try await again.connectionCount == 1)
        try await stop(dialer)
        #expect(try await events.next() == .connection(.disconnected(nil)))
        try await again.stop()
    }

    @Test("a dialer that was stopped does not connect again, nor start")
    func stopped() async throws {
        let server = try await TestServer.start()
        var events = DialledEvents()
        let dialer = try await dial(server.address, events)
        #expect(try await events.next() == .connection(.connected))
        #expect(try await events.next() == .connection(.frame(.simple("PONG"))))
        try await stop(dialer)
        #expect(try await events.next() == .connection(.disconnected(nil)))
        try await loop.submit { dialer.value.start() }.get()
        try await stop(dialer)
        try await server.stop()
        events.continuation.yield(.failure("the end"))
        #expect(try await events.next() == .failure("the end"))
    }

    @Test("a host that does not exist is a failure in words", arguments: ["no-such-host.invalid"])
    func noSuchHost(host: String) async throws {
        var events = DialledEvents()
        let dialer = try await dial(Address(host: host, port: 5000), events)
        #expect(try await events.next() == .failure("no such host"))
        try await stop(dialer)
    }
}
