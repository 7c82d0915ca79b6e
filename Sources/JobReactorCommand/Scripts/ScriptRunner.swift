internal import JobReactorCore
private import JobReactorLibraries
internal import JobReactorLua
internal import Logging

/// The job scripts of a folder, loaded into a Lua state of their own, to run jobs without a node.
final class ScriptRunner: Sendable {
    let report: ScriptReport
    private let lane: LuaLane
    private let outcomes: AsyncStream<Void>

    private init(report: ScriptReport, lane: LuaLane, outcomes: AsyncStream<Void>) {
        self.report = report
        self.lane = lane
        self.outcomes = outcomes
    }

    /// Loads the scripts. Throws ``ScriptError`` when the folder cannot be read; what is wrong with a script stands in
    /// the report.
    static func load(
        _ directory: String, memoryLimit: Int?, sandbox: SandboxMode, logger: Logger
    ) async throws -> ScriptRunner {
        let (outcomes, outcome) = AsyncStream.makeStream(of: Void.self)
        let memory = LuaMemory(limit: memoryLimit ?? MachineMemory.half)
        let options = LuaLane.Options(
            scripts: ScriptFolder(JobDirectory(directory)), memory: memory, isSandboxed: sandbox == .strict,
            libraries: ScriptLibraries.all, shared: SharedDictionary(memory: memory), logger: logger)
        let lane = LuaLane(options) { outcome.yield() }
        let report = try await withCheckedThrowingContinuation { continuation in
            lane.start { continuation.resume(with: $0) }
        }
        return ScriptRunner(report: report, lane: lane, outcomes: outcomes)
    }

    /// Runs a job whose run has begun.
    func run(_ job: Job, jobItself: [UInt8]?) async -> RunOutcome {
        let timeout = report.definitions.first { $0.name == job.name }?.policy.timeout
        lane.submit([LuaLane.Run(job: job, jobItself: jobItself, timeout: timeout)])
        for await _ in outcomes {
            let results = lane.takeResults()
            for note in results.notes.values {
                Terminal.note(
                    [note.fraction.map { "\(Int($0 * 100)) %" }, note.text].compactMap { $0 }.joined(separator: " "))
            }
            if let done = results.outcomes.first { return done.outcome }
        }
        return RunOutcome(.undefined, args: job.args)
    }

    /// Has the job end at its next instruction, or pause. From any thread.
    func cancel(_ id: JobID) { _ = lane.cancel(id) }

    func stop() { lane.stop() }

    /// Tells what is wrong with the scripts; `isError` says of which problem it is no mere warning.
    func tellProblems(isError: (ScriptReport.Problem) -> Bool = \.isError) {
        for problem in report.problems {
            Terminal.note(isError(problem) ? problem.message : "warning: \(problem.message)")
        }
    }
}
