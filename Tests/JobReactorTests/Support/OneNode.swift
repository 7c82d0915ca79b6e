import JobReactor
import JobReactorNode
import JobReactorTesting
import Logging
import JobReactorWire
import Testing

/// One distributor, and one node with these scripts (one file, or path → text).
func withNode(
    _ lua: String, files: [String: String] = [:],
    _ configure: @Sendable (inout NodeConfiguration) -> Void = { _ in },
    _ body: @Sendable (Distributor) async throws -> Void
) async throws {
    try await Cluster.run(scripts: ["jobs.lua": lua].merging(files) { _, new in new }) { cluster in
        let distributor = try await cluster.startDistributor()
        try await cluster.startNode("n1", for: [distributor], configure)
        try await waitForNodes(["n1"], at: distributor)
        try await body(distributor)
    }
}

extension Cluster {
    /// Starts a distributor where one was before. For a moment a connection of another test may have that port.
    nonisolated func restartDistributor(
        port: Int, _ configure: @Sendable (inout DistributorConfiguration) -> Void = { _ in }
    ) async throws -> Distributor {
        var started: Distributor?
        try await eventually("the port is free") {
            do {
                started = try await startDistributor {
                    $0.address.port = port
                    configure(&$0)
                }
                return true
            } catch let error as WireError where error.message.contains("already in use") {
                return false
            }
        }
        return try #require(started)
    }
}

extension Distributor {
    /// Makes distributors until one can start on the port, which a connection of another test may have for a moment;
    /// `prepare` is called with each before it starts.
    static func whenPortIsFree(
        _ configuration: DistributorConfiguration, _ prepare: (Distributor) -> Void = { _ in }
    ) async throws -> Distributor {
        var started: Distributor?
        try await eventually("the port is free") {
            let distributor = Distributor(configuration)
            prepare(distributor)
            do { try await distributor.start() } catch {
                await distributor.stop()
                return false
            }
            started = distributor
            return true
        }
        return try #require(started)
    }
}

/// What the application is told of a job.
struct Outcome: Sendable {
    var isSuccess: Bool
    var args: JobArguments
    var status: JobStatus
    var id: JobID
}

/// Collects all that the application is told of jobs.
struct Outcomes: Sendable {
    private let collector = Collector<Outcome>()
    let progress = Collector<JobProgress>()

    var all: [Outcome] { collector.elements }

    var feedback: JobFeedback {
        JobFeedback(
            onSuccess: { [collector] in
                collector.append(Outcome(isSuccess: true, args: $0.args, status: $0.status, id: $0.id))
            },
            onError: { [collector] in
                collector.append(Outcome(isSuccess: false, args: $0.args, status: $0.status, id: $0.id))
            },
            onProgress: { [progress] in progress.append($0) })
    }

    func wait(for count: Int, seconds: Double = 240) async throws -> [Outcome] {
        try await collector.wait(for: count, seconds: seconds)
        return collector.elements
    }
}

extension Distributor {
    @discardableResult
    func enqueue(_ name: String, feedback: JobFeedback) throws -> JobID {
        try enqueue(name, [:], JobOptions(), feedback: feedback)
    }

    /// Enqueues the job and waits for the first thing that the application is told of it.
    func outcome(
        _ name: String, _ args: JobArguments = [:], _ options: JobOptions = JobOptions()
    ) async throws -> Outcome {
        let outcomes = Outcomes()
        try enqueue(name, args, options, feedback: outcomes.feedback)
        return try #require(try await outcomes.wait(for: 1).first)
    }
}

extension MemoryStorage {
    func record(_ id: JobID) async throws -> Job? {
        try await withCheckedThrowingContinuation { continuation in load(id) { continuation.resume(with: $0) } }
    }

    func count() async throws -> Int {
        try await withCheckedThrowingContinuation { continuation in
            jobs(after: nil, limit: 1_000_000) { continuation.resume(with: $0.map(\.count)) }
        }
    }
}

/// A log that a test reads.
final class LogRecorder: Sendable {
    struct Line: Sendable {
        var level: Logger.Level
        var text: String
        var metadata: [String: String]
    }

    let lines = Collector<Line>()

    var logger: Logger { Logger(label: "jobreactor.test") { _ in Handler(lines: self.lines) } }

    private struct Handler: LogHandler {
        let lines: Collector<Line>
        var logLevel = Logger.Level.trace
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
            lines.append(
                Line(level: event.level, text: "\(event.message)", metadata: all.mapValues { "\($0)" }))
        }
    }
}
