internal import ArgumentParser
internal import JobReactorWire
private import NIOCore
private import NIOPosix

/// The other end of a ``RawClient``, in a process of its own: answers each message with the bytes that JobReactor would
/// send, and does nothing else.
struct EchoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echo", abstract: "What the other scenarios are measured against; they start it.",
        shouldDisplay: false)

    @Option(help: "The port on the loopback interface.") var port: Int

    func run() async throws {
        let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
        let port = port
        _ = try await loop.flatSubmit {
            Listener.bind(
                to: Address(host: "127.0.0.1", port: port), on: loop, security: WireSecurity(),
                maximumConnections: 10_000
            ) {
                Connection(role: .server, limits: RESPLimits(), session: EchoSession())
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
    func received(_ frame: RESPFrame, on connection: Connection) {
        connection.write { buffer in
            switch frame.word(0).first {
            case UInt8(ascii: "J"):
                // JOB id name args → RESULT id name success complete 1 args
                buffer.writeRESPArray(count: 7)
                buffer.writeRESPBulk("RESULT")
                buffer.writeRESPBulk(frame.word(1))
                buffer.writeRESPBulk(frame.word(2))
                buffer.writeRESPBulk("success")
                buffer.writeRESPBulk("complete")
                buffer.writeRESPBulk("1")
                buffer.writeRESPBulk(frame.word(3))
            case UInt8(ascii: "E"):
                // ENQUEUE name args → id
                buffer.writeRESPBulk("00000000000000000000000000000000" as StaticString)
            default: buffer.writeRESPSimple("PONG")
            }
        }
    }

    func readCompleted(on connection: Connection) {}
    func disconnected(_ connection: Connection, reason: String?) {}
}
