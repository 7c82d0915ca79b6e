internal import JobReactorWire
internal import Logging
internal import NIOCore
private import NIOHTTP1
private import NIOPosix

/// An HTTP port on a thread that the server does not have: it answers also where the server's event loop hangs.
///
/// Everything from outside is bounded: the connections, and of each the bytes and the time; see ``HTTPConnection``.
final class HTTPPort: Sendable {
    /// Connections at once. For one more the oldest goes: nobody is kept out by others who are slow.
    static let mostConnections = 64

    let port: Int
    private let open: NIOLoopBound<(OpenPort, Connections)>

    /// Opens the port. `makeAnswer` is called once, on its event loop, and what it returns for each request. Throws `WireError`
    /// when the port cannot be opened, or would be open to the network without a password.
    init(
        on address: Address, security: WireSecurity, logger: Logger,
        times: HTTPConnection.Times = HTTPConnection.Times(),
        _ makeAnswer: @escaping @Sendable (any EventLoop) -> (HTTPQuestion) -> EventLoopFuture<HTTPAnswer>
    ) async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let open = try await loop.flatSubmit {
            let connections = NIOLoopBound(Connections(times, makeAnswer(loop)), eventLoop: loop)
            return OpenPort.bind(to: address, security: security, logger: logger, on: loop) { channel in
                try connections.value.accept(channel)
            }.map { NIOLoopBound(($0.value, connections.value), eventLoop: loop) }
        }.get()
        self.open = open
        port = try await loop.submit { open.value.0.port }.get()
    }

    /// Those that are open now.
    func connectionCount() async throws -> Int {
        let open = open
        return try await open.eventLoop.submit { open.value.1.count }.get()
    }

    /// Closes it, and all its connections.
    func stop() async {
        let open = open
        try? await open.eventLoop.submit {
            open.value.0.stopAccepting()
            open.value.1.close()
        }.get()
    }

    /// Those that are open, in the order in which they came.
    private final class Connections {
        private let times: HTTPConnection.Times
        private let answer: (HTTPQuestion) -> EventLoopFuture<HTTPAnswer>
        private var open: [HTTPConnection] = []

        init(_ times: HTTPConnection.Times, _ answer: @escaping (HTTPQuestion) -> EventLoopFuture<HTTPAnswer>) {
            self.times = times
            self.answer = answer
        }

        var count: Int { open.count }

        func accept(_ channel: any Channel) throws {
            if open.count >= HTTPPort.mostConnections, let oldest = open.first {
                open.removeFirst()
                oldest.close()
            }
            let connection = HTTPConnection(times, answer: answer) { [weak self] connection in
                self?.open.removeAll { $0 === connection }
            }
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(HTTPInputLimit())
            try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false, withErrorHandling: false)
            try pipeline.addHandler(connection)
            open.append(connection)
        }

        func close() {
            for connection in open { connection.close() }
        }
    }
}
