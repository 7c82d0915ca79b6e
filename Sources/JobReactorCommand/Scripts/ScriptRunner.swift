internal import JobReactorCore
private import JobReactorLibraries
internal import JobReactorLua
internal import Logging

/// The job scripts of a folder, loaded into a Lua state of their own, to run jobs without a node.
final class ScriptRunner: Sendable {
    let report: ScriptReport
    let runs: TrialRuns
    private let lane: LuaLane

    private init(report: ScriptReport, lane: LuaLane, runs: TrialRuns) {
        self.report = report
        self.lane = lane
        self.runs = runs
    }

    /// Loads the scripts. Throws ``ScriptError`` when the folder cannot be read; what is wrong with a script stands in
    /// the report. `merges` says whether scripts see `args.job_itself`.
    static func load(
        _ directory: String, memoryLimit: Int?, sandbox: SandboxMode, merges: Bool = false, logger: Logger
    ) async throws -> ScriptRunner {
        let runs = TrialRuns(merges: merges)
        let memory = LuaMemory(limit: memoryLimit ?? MachineMemory.half)
        let options = LuaLane.Options(
            scripts: ScriptFolder(JobDirectory(directory)), memory: memory, canEnqueue: true,
            perform: { [weak runs] job, _, done in
                guard let runs else { return done(.failure(ScriptFailure("perform: the run has ended"))) }
                runs.perform(job, done)
            },
            isSandboxed: sandbox == .strict, libraries: ScriptLibraries.all, shared: SharedDictionary(memory: memory),
            logger: logger)
        let lane = LuaLane(options) { [weak runs] in runs?.collect() }
        let report = try await withCheckedThrowingContinuation { continuation in
            lane.start { continuation.resume(with: $0) }
        }
        runs.use(lane, report)
        return ScriptRunner(report: report, lane: lane, runs: runs)
    }

    func stop() {
        lane.stop()
        runs.forgetLane()
    }

    /// Tells what is wrong with the scripts; `isError` says of which problem it is no mere warning.
    func tellProblems(isError: (ScriptReport.Problem) -> Bool = \.isError) {
        for problem in report.problems {
            Terminal.note(isError(problem) ? problem.message : "warning: \(problem.message)")
        }
    }
}
