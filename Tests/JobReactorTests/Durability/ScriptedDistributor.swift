import Foundation
import JobReactorNode
import NIOCore
import NIOPosix
import Testing

@testable import JobReactorWire

/// A distributor that says just what a test tells it to, in just these writes, over the newest of its connections, and keeps
/// what the node, or the producer, answers.
final class ScriptedDistributor: Sendable {
    /// What the node has said, as text.
    let heard: Collector<String>
    private let channel: any Channel
    private let connections: Collector<any Channel>

    static func start() async throws -> ScriptedDistributor {
        let group = MultiThreadedEventLoopGroup.singleton
        let heard = Collector<String>()
        let connections = Collector<any Channel>()
        let channel = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                connections.append(channel)
                return channel.pipeline.addHandler(Ear(heard: heard))
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return ScriptedDistributor(channel, connections, heard)
    }

    private init(_ channel: any Channel, _ connections: Collector<any Channel>, _ heard: Collector<String>) {
        self.channel = channel
        self.connections = connections
        self.heard = heard
    }

    var address: Address { Address(host: "127.0.0.1", port: channel.localAddress?.port ?? 0) }

    /// Takes the node's introduction, and makes its connection the link.
    func welcome() async throws {
        try await hear("NODE")
        try await say {
            Handshake.distributor(id: "0001", name: "scripted").write(to: &$0)
            Handshake.serve(received: 0).write(to: &$0)
        }
        try await hear("CREDIT")
    }

    /// In one write.
    func say(_ write: @Sendable (inout ByteBuffer) -> Void) async throws {
        var buffer = ByteBuffer()
        write(&buffer)
        try await connections.elements.last?.writeAndFlush(buffer).get()
    }

    /// Cuts the newest connection.
    func cut() async throws { try await connections.elements.last?.close().get() }

    /// Waits until so many connections have been made.
    func connected(times: Int) async throws { try await connections.wait(for: times) }

    /// Waits until the node has said a text so many times.
    func hear(_ text: String, times: Int = 1) async throws {
        try await eventually("the node to say \(text)") {
            heard.elements.joined().components(separatedBy: text).count > times
        }
    }

    func stop() async throws {
        try await channel.close()
        try? await connections.elements.last?.close()
    }

    private final class Ear: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        private let heard: Collector<String>
        init(heard: Collector<String>) { self.heard = heard }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            heard.append(String(buffer: unwrapInboundIn(data)))
        }
    }
}
