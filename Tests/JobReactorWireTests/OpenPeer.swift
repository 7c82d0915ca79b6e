import JobReactorCore
import JobReactorTesting
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import JobReactorWire

/// A peer that sends what it is told to, and then stays, reading or not.
final class OpenPeer: Sendable {
    private let channel: any Channel

    private init(_ channel: any Channel) { self.channel = channel }

    static func open(port: Int, sending first: String, reads: Bool = true) async throws -> OpenPeer {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(ChannelOptions.autoRead, value: reads)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Deaf()) }
            }
            .connect(host: "localhost", port: port).get()
        channel.writeAndFlush(ByteBuffer(string: first), promise: nil)
        return OpenPeer(channel)
    }

    func close() async { try? await channel.close().get() }

    private final class Deaf: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {}
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

/// What is logged.
final class LogLines: Sendable {
    struct Line: Sendable {
        var text: String
        var metadata: Logger.Metadata
    }

    private let lines = Locked<[Line]>([])

    var all: [Line] { lines.withLock { $0 } }

    var logger: Logger { Logger(label: "test") { _ in Handler(lines: self) } }

    private struct Handler: LogHandler {
        let lines: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let line = Line(text: event.message.description, metadata: event.metadata ?? [:])
            lines.lines.withLock { $0.append(line) }
        }
    }
}

func eventually(
    _ what: String, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
    for _ in 0..<24_000 {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("never came: \(what)", sourceLocation: sourceLocation)
}
