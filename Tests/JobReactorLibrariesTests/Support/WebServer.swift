import JobReactorCore
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// What a server was asked.
struct WebRequest: Sendable {
    var method: String
    var uri: String
    var headers: HTTPHeaders
    var body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
}

/// What it says to that.
struct WebAnswer: Sendable {
    enum End: Sendable {
        case whole
        /// The connection is closed before the body is whole.
        case brokenOff
        /// Nothing more comes.
        case silence
    }

    var status = HTTPResponseStatus.ok
    var headers = HTTPHeaders()
    var chunks: [[UInt8]] = []
    var end = End.whole

    static func text(_ text: String, status: HTTPResponseStatus = .ok, headers: HTTPHeaders = [:]) -> WebAnswer {
        WebAnswer(status: status, headers: headers, chunks: [Array(text.utf8)])
    }

    static func redirect(_ status: UInt, to location: String) -> WebAnswer {
        WebAnswer(status: HTTPResponseStatus(statusCode: Int(status)), headers: ["Location": location])
    }

    static let silence = WebAnswer(end: .silence)
}

/// A web server on a free port of the loopback interface.
final class WebServer: Sendable {
    let port: Int
    private let channel: any Channel
    private let children: Locked<[any Channel]>

    var url: String { "http://127.0.0.1:\(port)" }

    /// How many connections are open.
    var openConnections: Int { children.withLock { $0.count { $0.isActive } } }

    /// Runs a server for as long as `body` runs.
    static func with(
        tls: NIOSSLContext? = nil, _ answer: @escaping @Sendable (WebRequest) -> WebAnswer,
        _ body: (WebServer) async throws -> Void
    ) async throws {
        let children = Locked<[any Channel]>([])
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { child in
                children.withLock { $0.append(child) }
                return child.eventLoop.makeCompletedFuture {
                    if let tls { try child.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try child.pipeline.syncOperations.configureHTTPServerPipeline()
                    try child.pipeline.syncOperations.addHandler(Handler(answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = WebServer(channel, children)
        do {
            try await body(server)
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    private init(_ channel: any Channel, _ children: Locked<[any Channel]>) {
        self.channel = channel
        port = channel.localAddress?.port ?? 0
        self.children = children
    }

    private func stop() async {
        try? await channel.close().get()
        for child in children.withLock({ $0 }) { child.close(promise: nil) }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let answer: @Sendable (WebRequest) -> WebAnswer
        private var request = WebRequest(method: "", uri: "", headers: [:], body: [])

        init(_ answer: @escaping @Sendable (WebRequest) -> WebAnswer) { self.answer = answer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                request = WebRequest(
                    method: head.method.rawValue, uri: head.uri, headers: head.headers, body: [])
            case .body(let bytes): request.body += bytes.readableBytesView
            case .end: send(answer(request), context)
            }
        }

        private func send(_ answer: WebAnswer, _ context: ChannelHandlerContext) {
            if case .silence = answer.end, answer.chunks.isEmpty { return }
            var head = HTTPResponseHead(version: .http1_1, status: answer.status, headers: answer.headers)
            let isHead = request.method == "HEAD"
            if isHead { head.headers.replaceOrAdd(name: "Content-Length", value: "0") }
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            for chunk in answer.chunks where !isHead {
                context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: chunk)))), promise: nil)
            }
            switch answer.end {
            case .whole: context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            case .brokenOff: context.close(promise: nil)
            case .silence: context.flush()
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
