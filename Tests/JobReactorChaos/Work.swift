import Foundation
import JobReactor
import JobReactorTesting

/// The jobs: half by clients in Swift, which want to hear of each, half by redis-cli, which wants to know that each is
/// accepted.
final class Work: Sendable {
    struct Result: Sendable {
        /// Numbers of the jobs that must run.
        var accepted: Set<Int> = []
        /// Those whose outcome is to come, and how often it came.
        var outcomes: [Int: Int] = [:]
        var refused = 0
    }

    private let installation: ChaosInstallation
    private let jobs: Int
    private let state = Guarded(Result())
    private let clients = Guarded<[JobClient]>([])

    /// Ends with the first outcome.
    let begun: AsyncStream<Void>
    private let begin: AsyncStream<Void>.Continuation

    init(_ installation: ChaosInstallation, jobs: Int) {
        (begun, begin) = AsyncStream.makeStream()
        self.installation = installation
        self.jobs = jobs
    }

    func result() -> Result { state.withLock { $0 } }

    private func name(_ number: Int) -> String { number % 10 == 0 ? "flaky" : number % 10 == 1 ? "busy" : "plain" }

    func enqueueAll(over seconds: Double) async throws {
        let half = jobs / 2
        async let swift: Void = enqueueBySwift(0..<half, over: seconds)
        async let cli: Void = enqueueByRedisCLI(half..<jobs, over: seconds)
        _ = try await (swift, cli)
    }

    private func enqueueBySwift(_ numbers: Range<Int>, over seconds: Double) async throws {
        var connected: [JobClient] = []
        for proxy in installation.clientProxies {
            while true {
                // At the start nobody need be there yet, and things break at once.
                do {
                    connected.append(try await JobClient.connect(host: "127.0.0.1", port: proxy.port))
                    break
                } catch {
                    try await Task.sleep(for: .milliseconds(200))
                }
            }
        }
        let ready = connected
        clients.withLock { $0 = ready }
        let batch = max(1, numbers.count / 100)
        for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: batch) {
            for number in start..<min(start + batch, numbers.upperBound) {
                state.withLock { state in
                    state.accepted.insert(number)
                    state.outcomes[number] = 0
                }
                let told: @Sendable () -> Void = { [state, begin] in
                    state.withLock { $0.outcomes[number, default: 0] += 1 }
                    begin.finish()
                }
                try ready[number % ready.count].enqueue(
                    name(number), ["n": JSONValue(number), "file": .string(installation.runFile)],
                    number % 7 == 0 ? JobOptions(after: 0.5) : JobOptions(), onSuccess: { _ in told() },
                    onError: { _ in told() })
            }
            try await Task.sleep(for: .milliseconds(Int(seconds * 9)))
        }
    }

    private func enqueueByRedisCLI(_ numbers: Range<Int>, over seconds: Double) async throws {
        let batch = max(1, numbers.count / 50)
        for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: batch) {
            let part = Array(start..<min(start + batch, numbers.upperBound))
            let lines = part.map { number in
                "ENQUEUE \(name(number)) '{\"n\":\(number),\"file\":\"\(installation.runFile)\"}' ID \(Self.id(number))"
                    + (number % 7 == 0 ? " AFTER 0.5" : "")
            }
            let port = installation.clientProxies[start / batch % installation.clientProxies.count].port
            let answers = try await redisCLI(port: port, lines)
            // The answer to an accepted job is its id.
            let known = Set(answers)
            let accepted = part.filter { known.contains(Self.id($0).description) }
            state.withLock { state in
                state.accepted.formUnion(accepted)
                state.refused += part.count - accepted.count
            }
            try await Task.sleep(for: .milliseconds(Int(seconds * 10)))
        }
    }

    private static func id(_ number: Int) -> JobID { JobID(high: 1, low: UInt64(number)) }

    private func redisCLI(port: Int, _ lines: [String]) async throws -> [String] {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        let input = installation.folder + "/commands-\(UUID().uuidString)"
        let output = input + ".out"
        try lines.joined(separator: "\n").write(toFile: input, atomically: true, encoding: .utf8)
        _ = FileManager.default.createFile(atPath: output, contents: nil)
        defer {
            try? FileManager.default.removeItem(atPath: input)
            try? FileManager.default.removeItem(atPath: output)
        }
        // A frozen distributor does not answer; redis-cli would wait for ever.
        process.arguments = ["timeout", "20", "redis-cli", "-h", "127.0.0.1", "-p", "\(port)"]
        process.standardInput = try FileHandle(forReadingFrom: URL(filePath: input))
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: output))
        process.standardError = FileHandle.nullDevice
        try process.run()
        while process.isRunning { try await Task.sleep(for: .milliseconds(20)) }
        return try String(contentsOfFile: output, encoding: .utf8).split(separator: "\n").map(String.init)
    }

    /// Everything is mended: what was accepted runs, and its outcomes come.
    func waitForAll() async throws {
        let end = Date().addingTimeInterval(300)
        var last = 0
        while Date() < end {
            let result = result()
            let ran = Set(installation.runs().map(\.number))
            if result.accepted.isSubset(of: ran), result.outcomes.values.allSatisfy({ $0 > 0 }) { break }
            if ran.count != last { last = ran.count }
            try await Task.sleep(for: .milliseconds(500))
        }
        // What should not come would come now.
        try await Task.sleep(for: .seconds(3))
        for client in clients.withLock({ $0 }) { await client.stop() }
    }
}
