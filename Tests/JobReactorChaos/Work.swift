import Foundation
import JobReactor
import JobReactorTesting

/// The jobs: half by clients in Swift, which want to hear of each; a quarter by redis-cli, which wants to know that each is
/// accepted; a quarter by producers that are processes of their own, and note what is accepted.
final class Work: Sendable {
    struct Result: Sendable {
        /// Numbers of the jobs that must run.
        var accepted: Set<Int> = []
        /// Those whose outcome is to come, and how often it came.
        var outcomes: [Int: Int] = [:]
        /// All that was tried.
        var jobs = 0
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

    func result() -> Result {
        var result = state.withLock { $0 }
        result.accepted.formUnion(installation.accepted())
        result.jobs = jobs
        return result
    }

    static func name(_ number: Int) -> String { number % 10 == 0 ? "flaky" : number % 10 == 1 ? "busy" : "plain" }

    static func arguments(_ number: Int, _ runs: String) -> JobArguments {
        ["n": JSONValue(number), "file": .string(runs)]
    }

    static func options(_ number: Int) -> JobOptions { number % 7 == 0 ? JobOptions(after: 0.5) : JobOptions() }

    /// Those of the producers.
    static func produced(of jobs: Int) -> Range<Int> { jobs * 3 / 4..<jobs }

    func enqueueAll(over seconds: Double) async throws {
        let (half, produced) = (jobs / 2, Self.produced(of: jobs))
        for producer in installation.producers { try producer.start() }
        async let swift: Void = enqueueBySwift(0..<half, over: seconds)
        async let cli: Void = enqueueByRedisCLI(half..<produced.lowerBound, over: seconds)
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
                    Self.name(number), Self.arguments(number, installation.runFile), Self.options(number),
                    onSuccess: { _ in told() }, onError: { _ in told() })
            }
            try await Task.sleep(for: .milliseconds(Int(seconds * 9)))
        }
    }

    private func enqueueByRedisCLI(_ numbers: Range<Int>, over seconds: Double) async throws {
        let batch = max(1, numbers.count / 50)
        for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: batch) {
            let part = Array(start..<min(start + batch, numbers.upperBound))
            let lines = part.map { number in
                "ENQUEUE \(Self.name(number)) '{\"n\":\(number),\"file\":\"\(installation.runFile)\"}' ID \(Self.id(number))"
                    + (number % 7 == 0 ? " AFTER 0.5" : "")
            }
            let port = installation.clientProxies[start / batch % installation.clientProxies.count].port
            let answers = try await Programs.output(
                "redis-cli", ["-h", "127.0.0.1", "-p", "\(port)"], input: lines.joined(separator: "\n"))
            // The answer to an accepted job is its id.
            let known = Set(answers.split(separator: "\n").map(String.init))
            let accepted = part.filter { known.contains(Self.id($0).description) }
            state.withLock { $0.accepted.formUnion(accepted) }
            try await Task.sleep(for: .milliseconds(Int(seconds * 10)))
        }
    }

    private static func id(_ number: Int) -> JobID { JobID(high: 1, low: UInt64(number)) }

    /// Everything is mended: what was accepted runs, and its outcomes come.
    func waitForAll() async throws {
        let end = Date().addingTimeInterval(300)
        while Date() < end {
            let areDone = installation.producers.allSatisfy(\.isDone)
            let result = result()
            let ran = Set(installation.runs().map(\.number))
            if areDone, result.accepted.isSubset(of: ran), result.outcomes.values.allSatisfy({ $0 > 0 }) { break }
            try await Task.sleep(for: .milliseconds(500))
        }
        // What should not come would come now.
        try await Task.sleep(for: .seconds(3))
        for client in clients.withLock({ $0 }) { await client.stop() }
    }
}
