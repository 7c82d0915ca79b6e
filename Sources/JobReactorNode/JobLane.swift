internal import JobReactorCore
internal import JobReactorLua

/// Where a node has jobs run: threads with Lua, or what stands for them. All methods may be called on any thread.
protocol JobLane: AnyObject, Sendable {
    /// As ``LuaLane/start(loaded:)``.
    func start(loaded: @escaping @Sendable (Result<ScriptReport, ScriptError>) -> Void)
    func reload() throws(ScriptError) -> ScriptReport?
    func submit(_ runs: [LuaLane.Run])
    func takeResults() -> LuaLane.Results
    func withdraw() -> [LuaLane.Run]
    func cancel(_ id: JobID) -> LuaLane.Run?
    func announceStop()
    func stop()

    var waitingJobs: [JobID] { get }
    var slices: [LuaLane.Slice] { get }
    func warn(_ slice: LuaLane.Slice)
    func end(_ slice: LuaLane.Slice)
    var chores: [LuaLane.Chore] { get }
    var stateCount: Int { get }
}

extension LuaLane: JobLane {}
