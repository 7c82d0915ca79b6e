import JobReactorCore
import JobReactorLua

@testable import JobReactorLua
@testable import JobReactorNode

/// A lane whose runs end when the model says so. The first run is under way; the others have not begun.
///
/// Used on one thread, as all of a simulation.
final class SimulatedLane: JobLane, @unchecked Sendable {
    private(set) var runs: [LuaLane.Run] = []
    private var results = Mailbox(LuaLane.Results())
    private let onResults: @Sendable () -> Void
    private let limit: Int?
    /// Nothing comes out of a lane whose process is gone.
    var isOver = false

    init(limit: Int?, onResults: @escaping @Sendable () -> Void) {
        self.limit = limit
        self.onResults = onResults
    }

    /// Ends the run under way. Returns its job.
    func finish(_ kind: RunOutcome.Kind = .succeeded) -> Job? {
        guard !runs.isEmpty, !isOver else { return nil }
        let run = runs.removeFirst()
        let outcome = LuaLane.Outcome(run.job, RunOutcome(kind, args: run.job.args))
        if results.put({ $0.outcomes.append(outcome) }) { onResults() }
        return run.job
    }

    func start(loaded: @escaping @Sendable (Result<ScriptReport, ScriptError>) -> Void) {
        var report = ScriptReport()
        report.definitions = [
            ScriptReport.Definition(
                name: "work", file: "work.lua", line: 1, callbacks: 0, errbacks: 0,
                policy: ScriptPolicy(limits: limit == nil ? [] : ["work"]))
        ]
        report.limits = [limit].compactMap { $0 }.map {
            ScriptReport.LimitDefinition(limit: Limit(name: "work", concurrency: $0), file: "work.lua", line: 1)
        }
        loaded(.success(report))
    }

    func reload() throws(ScriptError) -> ScriptReport? { nil }

    func submit(_ runs: [LuaLane.Run]) { if !isOver { self.runs += runs } }

    func takeResults() -> LuaLane.Results { results.take() }

    func withdraw() -> [LuaLane.Run] {
        let withdrawn = Array(runs.dropFirst())
        runs = Array(runs.prefix(1))
        return withdrawn
    }

    func cancel(_ id: JobID) -> LuaLane.Run? {
        guard let index = runs.firstIndex(where: { $0.job.id == id }), index > 0 else { return nil }
        return runs.remove(at: index)
    }

    func announceStop() {}
    func stop() { isOver = true }

    var waitingJobs: [JobID] { runs.dropFirst().map(\.job.id) }
    var slices: [LuaLane.Slice] { [] }
    func warn(_ slice: LuaLane.Slice) {}
    func end(_ slice: LuaLane.Slice) {}
    var chores: [LuaLane.Chore] { [] }
    var stateCount: Int { 1 }
}
