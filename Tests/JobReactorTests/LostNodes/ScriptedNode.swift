import Foundation
import JobReactor
import NIOCore
import NIOPosix
import Testing

@testable import JobReactorWire

/// A node that says just what a test tells it to, and keeps what the distributor sends.
final class ScriptedNode: Sendable {
    /// What the distributor has said, as text.
    private let heard: Collector<String>
    private let channel: any Channel

    private init(_ channel: any Channel, _ heard: Collector<String>) {
        self.channel = channel
        self.heard = heard
    }

    /// A node that takes a hundred of these jobs. Each is a process of its own, unless it is given an instance.
    static func connect(
        to distributor: Distributor, _ name: String, instance: String? = nil, isDurable: Bool = false, jobs: [String]
    ) async throws -> ScriptedNode {
        let heard = Collector<String>()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { $0.pipeline.addHandler(Ear(heard: heard)) }
            .connect(host: "localhost", port: try #require(distributor.port)).get()
        let node = ScriptedNode(channel, heard)
        try await node.say {
            Handshake.node(
                NodeIntroduction(
                    name: name, instance: instance ?? "process of \(name)", isDurable: isDurable, server: nil)
            ).write(to: &$0)
        }
        try await node.hear("SERVE")
        try await node.say {
            LinkMessage.writeJobs(jobs, to: &$0)
            LinkMessage.writeCredit(100, to: &$0)
        }
        return node
    }

    /// In one write.
    func say(_ write: @Sendable (inout ByteBuffer) -> Void) async throws {
        var buffer = ByteBuffer()
        write(&buffer)
        try await channel.writeAndFlush(buffer).get()
    }

    func hear(_ text: String) async throws {
        try await eventually("the distributor to say \(text)") { heard.elements.joined().contains(text) }
    }

    /// Waits until the job comes. Returns the hand-over, and how many of its attempts are made; nil for one that is no
    /// suspect.
    func job(_ id: JobID) async throws -> (handOver: HandOver, suspect: Int?) {
        var found: (HandOver, Int?)?
        try await eventually("the job to come") {
            found = self.sent(id)
            return found != nil
        }
        return try #require(found)
    }

    /// As ``job(_:)``, of what has come.
    func sent(_ id: JobID) -> (handOver: HandOver, suspect: Int?)? {
        // What is complete: a message begins with the number of its words.
        for message in heard.elements.joined().split(separator: "*") where message.hasSuffix("\r\n") {
            let words = message.components(separatedBy: "\r\n")
            guard words.count > 6, words[2] == "JOB", words[6] == id.description, let number = Int(words[4]) else {
                continue
            }
            guard words.count >= 2 * (Int(words[0]) ?? 0) + 2 else { continue }
            let mark = words.firstIndex(of: "SUSPECT")
            return (HandOver(number, id), mark.flatMap { Int(words[$0 + 2]) })
        }
        return nil
    }

    /// The process ends.
    func end() async throws { try await channel.close() }

    private final class Ear: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        private let heard: Collector<String>
        init(heard: Collector<String>) { self.heard = heard }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            heard.append(String(buffer: unwrapInboundIn(data)))
        }
    }
}
