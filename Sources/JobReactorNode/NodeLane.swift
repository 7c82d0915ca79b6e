internal import DequeModule
internal import JobReactorCore
internal import JobReactorLua

/// A Lua lane as its node uses it: the jobs that wait for their turn on it, and how many it has.
final class NodeLane {
    let lua: LuaLane
    /// Due, and waiting for room.
    var ready: Deque<Job> = []
    /// On the lane, or about to be.
    var running = 0
    /// Jobs on the lane at once: enough that it never waits for the loop, few enough to be handed back.
    private let capacity: Int
    private var isStarted = false

    init(_ lua: LuaLane, capacity: Int) {
        self.lua = lua
        self.capacity = capacity
    }

    var room: Int { capacity - running }

    /// Starts the threads, once. `loaded` as in ``LuaLane/start(loaded:)``.
    func start(loaded: @escaping @Sendable (Result<ScriptReport, ScriptError>) -> Void) {
        guard !isStarted else { return }
        isStarted = true
        lua.start(loaded: loaded)
    }
}
