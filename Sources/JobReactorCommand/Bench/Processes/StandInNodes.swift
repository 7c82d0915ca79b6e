internal import ArgumentParser
private import JobReactorCore
internal import JobReactorWire
private import NIOCore
private import NIOPosix

/// Many nodes in one process of its own that answer every job at once, without Lua and without a storage: what is left to
/// measure is their distributor.
struct StandInNodesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stand-in-nodes", abstract: "Simulated nodes for the scenario nodes, which starts them.",
        shouldDisplay: false)

    @Option(help: "The port of the distributor on the loopback interface.") var port: Int
    @Option(help: "How many nodes.") var count: Int

    func run() async throws {
        let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
        let address = Address(host: "127.0.0.1", port: port)
        for number in 1...max(1, count) {
            _ = try await loop.flatSubmit {
                Dialer.connect(to: address, on: loop, tls: nil) {
                    Connection(role: .client, limits: RESPLimits(), session: StandInNode("stand_in_\(number)"))
                }
            }.get()
        }
        // The benchmark ends it.
        while true { try await Task.sleep(for: .seconds(3600)) }
    }
}

private final class StandInNode: ConnectionSession {
    private let name: String
    private var isLinked = false
    private var reports: [JobReport] = []
    private var reported = 0

    /// What a node grants.
    private static let window = 1024

    init(_ name: String) { self.name = name }

    func connected(_ connection: Connection) {
        let introduction = NodeIntroduction(name: name, instance: name, isDurable: false, server: nil)
        connection.write { Handshake.node(introduction).write(to: &$0) }
    }

    func received(_ frame: RESPFrame, on connection: Connection) {
        guard isLinked else { return greeted(frame, connection) }
        guard case .job(let handOver, let request)? = try? LinkMessage(frame) else { return }
        reports.append(
            JobReport(
                id: handOver.id, name: request.name, feedback: Feedback(.success, args: request.args),
                status: .complete, run: 1)
        )
    }

    private func greeted(_ frame: RESPFrame, _ connection: Connection) {
        switch try? Handshake(frame) {
        case .distributor?: connection.becomeLink()
        case .serve?:
            isLinked = true
            connection.write {
                LinkMessage.writeJobs(["bench"], to: &$0)
                LinkMessage.writeCredit(Self.window, to: &$0)
            }
        default: connection.close(reason: RESPValue(frame).text)
        }
    }

    func readCompleted(on connection: Connection) {
        guard !reports.isEmpty else { return }
        let done = reports
        reports.removeAll(keepingCapacity: true)
        connection.write { buffer in
            for report in done {
                reported += 1
                LinkMessage.writeResult(reported, report, to: &buffer)
            }
            LinkMessage.writeCredit(done.count, to: &buffer)
        }
    }

    func disconnected(_ connection: Connection, reason: String?) {}
}
