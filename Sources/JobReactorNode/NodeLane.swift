internal import JobReactorLua

/// A Lua lane of a node, which is started once. What waits for it and what it has is ``LaneTurns``.
final class NodeLane {
    let kind: LaneKind
    let lua: any JobLane
    private var isStarted = false

    init(_ kind: LaneKind, _ lua: any JobLane) {
        self.kind = kind
        self.lua = lua
    }

    /// Starts the threads, once. `loaded` as in ``LuaLane/start(loaded:)``.
    func start(loaded: @escaping @Sendable (Result<ScriptReport, ScriptError>) -> Void) {
        guard !isStarted else { return }
        isStarted = true
        lua.start(loaded: loaded)
    }
}
