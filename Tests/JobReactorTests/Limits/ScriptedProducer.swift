import Foundation
import JobReactorCore
import NIOCore
import NIOPosix
import Testing

@testable import JobReactorWire

/// An application elsewhere that says just what a test tells it to: it takes its outcomes when it is told to.
final class ScriptedProducer: Sendable {
    private let heard: Collector<String>
    private let channel: any Channel

    private init(_ channel: any Channel, _ heard: Collector<String>) {
        self.channel = channel
        self.heard = heard
    }

    /// `login` are the words of an AUTH that goes first.
    static func connect(to address: Address, login: [String] = []) async throws -> ScriptedProducer {
        let heard = Collector<String>()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { $0.pipeline.addHandler(Ear(heard: heard)) }
            .connect(host: address.host, port: address.port).get()
        let producer = ScriptedProducer(channel, heard)
        try await producer.say {
            if !login.isEmpty { $0.writeRESPCommand(login) }
            Handshake.producer(id: "scripted").write(to: &$0)
        }
        return producer
    }

    func sendJobs(_ numbers: ClosedRange<Int>, named name: String, _ args: JobArguments = [:]) async throws {
        try await say { buffer in
            for number in numbers {
                LinkMessage.writeJob(
                    HandOver(number, JobID(high: 5, low: UInt64(number))),
                    JobRequest(name: name, args: args, options: JobOptions()), isAgain: false, to: &buffer)
            }
        }
    }

    func cancel(_ id: JobID) async throws { try await say { LinkMessage.writeCancel(id, to: &$0) } }

    /// What the distributor has said, as text.
    var said: String { heard.elements.joined() }

    func take(through number: Int) async throws { try await say { LinkMessage.writeTaken(number, to: &$0) } }

    private func say(_ write: @Sendable (inout ByteBuffer) -> Void) async throws {
        var buffer = ByteBuffer()
        write(&buffer)
        try await channel.writeAndFlush(buffer).get()
    }

    /// Waits until the distributor has said a text so many times.
    func hear(_ text: String, times: Int = 1) async throws {
        try await eventually("the distributor to say \(text)") {
            heard.elements.joined().components(separatedBy: text).count > times
        }
    }

    func close() async { try? await channel.close() }

    private final class Ear: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        private let heard: Collector<String>
        init(heard: Collector<String>) { self.heard = heard }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            heard.append(String(buffer: unwrapInboundIn(data)))
        }
    }
}
