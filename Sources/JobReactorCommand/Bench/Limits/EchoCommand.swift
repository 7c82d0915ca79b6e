internal import ArgumentParser
internal import JobReactorWire
private import Logging
private import NIOCore
private import NIOPosix

/// The other end of a ``RawClient``, in a process of its own: answers each message with the bytes that JobReactor would
/// send, and does nothing else. What stands for a job goes to another thread and back, as a job does on its node.
struct EchoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echo", abstract: "The limit for the other scenarios, which start it.",
        shouldDisplay: false)

    @Option(help: "The port on the loopback interface.") var port: Int

    func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let (loop, other) = (group.next(), group.next())
        let port = port
        _ = try await loop.flatSubmit {
            let portGuard = PortGuard(
                limits: RESPLimits(), maximumConnections: 10_000, password: nil, logger: Logger(label: "echo"), on: loop
            )
            return Listener.bind(
                to: Address(host: "127.0.0.1", port: port), guardedBy: portGuard, security: WireSecurity()
            ) {
                Connection(role: .server, limits: RESPLimits(), session: EchoSession(loop, other))
            }
        }.get()
        // The benchmark ends it.
        while true { try await Task.sleep(for: .seconds(3600)) }
    }

    /// An echo in a process of its own.
    static func start() async throws -> (process: BenchProcess, address: Address) {
        let address = Address(host: "127.0.0.1", port: try await BenchProcess.freePort())
        let process = try BenchProcess.jobreactor("the echo", ["bench", "echo", "--port", "\(address.port)"])
        _ = try await process.wait(for: "opened its port") {
            try await Query.send(["PING"], to: address, security: WireSecurity())
        }
        return (process, address)
    }
}

/// One connection of the echo.
private final class EchoSession: ConnectionSession {
    private let loop: any EventLoop
    /// Where messages go as jobs go to a lane, and come back.
    private let other: any EventLoop
    /// The answers that take this way.
    private var handedOver = ByteBuffer()

    init(_ loop: any EventLoop, _ other: any EventLoop) {
        self.loop = loop
        self.other = other
    }

    func received(_ frame: RESPFrame, on connection: Connection) {
        switch frame.word(0).first {
        case UInt8(ascii: "J"): Self.writeResult(of: frame, to: &handedOver)
        case UInt8(ascii: "D"): connection.write { Self.writeResult(of: frame, to: &$0) }
        case UInt8(ascii: "E"):
            // ENQUEUE name args → id
            connection.write { $0.writeRESPBulk("00000000000000000000000000000000" as StaticString) }
        default: connection.write { $0.writeRESPSimple("PONG") }
        }
    }

    /// `JOB id name args`, or `DIRECT …` → `RESULT id name SUCCESS complete 1 args`
    private static func writeResult(of frame: RESPFrame, to buffer: inout ByteBuffer) {
        buffer.writeRESPArray(count: 7)
        buffer.writeRESPBulk("RESULT" as StaticString)
        buffer.writeRESPBulk(frame.word(1))
        buffer.writeRESPBulk(frame.word(2))
        buffer.writeRESPBulk("SUCCESS" as StaticString)
        buffer.writeRESPBulk("complete" as StaticString)
        buffer.writeRESPBulk("1" as StaticString)
        buffer.writeRESPBulk(frame.word(3))
    }

    func readCompleted(on connection: Connection) {
        guard handedOver.readableBytes > 0 else { return }
        let answers = handedOver
        handedOver = ByteBufferAllocator().buffer(capacity: answers.readableBytes)
        let bound = NIOLoopBound(connection, eventLoop: loop)
        other.execute { [loop] in
            loop.execute {
                bound.value.write { buffer in
                    // As a rule the bytes need not be copied.
                    if buffer.readableBytes == 0 { buffer = answers } else { buffer.writeImmutableBuffer(answers) }
                }
            }
        }
    }

    func disconnected(_ connection: Connection, reason: String?) {}
}
