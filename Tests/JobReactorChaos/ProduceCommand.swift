import ArgumentParser
import Foundation
import JobReactor
import UnixSignals

/// A producer as a process of its own: enqueues jobs of consecutive numbers, and notes those that the distributor has
/// accepted. Started again it goes on after the last that it has sent, whatever became of that: nothing is sent twice.
struct ProduceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "produce", shouldDisplay: false)

    @Option var name: String
    @Option var port: Int
    @Option var runs: String
    @Option var accepted: String
    @Option var from: Int
    @Option var to: Int
    @Option var over: Double

    private var sent: String { accepted + ".sent" }

    func run() async throws {
        var next = (try? String(contentsOfFile: sent, encoding: .utf8)).flatMap { Int($0) } ?? from
        guard next < to else { return }
        let client = try await connect()
        let isStopped = Guarded(false)
        let stops = Task {
            for await _ in await UnixSignalsSequence(trapping: .sigterm) {
                isStopped.withLock { $0 = true }
                await client.stop()
            }
        }
        defer { stops.cancel() }
        let batch = max(1, (to - from) / 50)
        while next < to, !isStopped.withLock({ $0 }) {
            let numbers = next..<min(next + batch, to)
            next = numbers.upperBound
            try "\(next)".write(toFile: sent, atomically: true, encoding: .utf8)
            do {
                for number in numbers {
                    try client.enqueue(Work.name(number), Work.arguments(number, runs), Work.options(number))
                }
                try await client.flush()
            } catch  where isStopped.withLock({ $0 }) {
                break
            }
            try note(numbers)
            try? await Task.sleep(for: .seconds(over / 50))
        }
        await client.stop()
    }

    private func connect() async throws -> JobClient {
        // At the start nobody need be there yet, and things break at once.
        while true {
            do { return try await JobClient.connect(host: "127.0.0.1", port: port) } catch {
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    private func note(_ numbers: Range<Int>) throws {
        let file = try FileHandle(forWritingTo: URL(filePath: accepted))
        try file.seekToEnd()
        try file.write(contentsOf: Data(numbers.map { "\($0)\n" }.joined().utf8))
        try file.close()
    }
}
