import NIOCore
import NIOPosix

/// One connection to an HTTP port, on which any bytes are said.
enum HTTPPeer {
    /// Says that, and then `flood` again and again until something comes, and returns what has come when the other side closes.
    static func exchange(
        port: Int, _ first: String, flood: String = "", endsInput: Bool = false
    ) async throws -> String {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let end = loop.makePromise(of: String.self)
        do {
            _ = try await ClientBootstrap(group: loop)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let handler = Handler(first, flood: flood, endsInput: endsInput, end)
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                }
                .connect(host: "localhost", port: port).get()
        } catch {
            end.fail(error)
        }
        return try await end.futureResult.get()
    }

    /// Asks as a client does, and returns the status, the headers in one text, and the body.
    static func get(
        _ path: String, port: Int, method: String = "GET", host: String = "localhost", headers: [String] = [],
        body: String = ""
    ) async throws -> (status: Int, headers: String, body: String) {
        let lines = ["\(method) \(path) HTTP/1.1", "Host: \(host)"] + headers
        let text = try await exchange(port: port, lines.map { $0 + "\r\n" }.joined() + "\r\n" + body)
        let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        let status = parts[0].split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return (status, parts[0].lowercased(), parts.count > 1 ? String(parts[1]) : "")
    }

    /// A connection that says that, reads nothing, and stays until it is closed.
    static func open(port: Int, saying text: String = "") async throws -> any Channel {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(ChannelOptions.autoRead, value: false)
            .connect(host: "localhost", port: port).get()
        channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
        return channel
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let first: ByteBuffer
        private let flood: ByteBuffer
        private let endsInput: Bool
        private let end: EventLoopPromise<String>
        private var heard = ByteBuffer()

        init(_ first: String, flood: String, endsInput: Bool, _ end: EventLoopPromise<String>) {
            self.first = ByteBuffer(string: first)
            self.flood = ByteBuffer(string: flood)
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
