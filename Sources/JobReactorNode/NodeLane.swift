internal import DequeModule
internal import JobReactorCore
internal import JobReactorLua

/// A Lua lane as its node uses it: the jobs that wait for their turn on it, and how many it has.
final class NodeLane {
    let lua: any JobLane
    /// Due, and waiting for room.
    var ready: Deque<Job> = []
    /// On the lane, or about to be, without those that pause.
    var running = 0
    /// Places for those of one read that are about to be stored as begun.
    var promised = 0
    /// Those that pause, or have paused in their run.
    var suspended = 0
    /// Jobs that may pause at once; with more of them none begins.
    private let mostSuspended: Int
    /// Jobs on the lane at once: enough that it never waits for the loop, few enough to be handed back.
    private let capacity: Int
    private var isStarted = false

    init(_ lua: any JobLane, capacity: Int, mostSuspended: Int) {
        self.lua = lua
        self.capacity = capacity
        self.mostSuspended = mostSuspended
    }

    var isFull: Bool { suspended >= mostSuspended }
    var room: Int { isFull ? 0 : capacity - running }

    /// Starts the threads, once. `loaded` as in ``LuaLane/start(loaded:)``.
    func start(loaded: @escaping @Sendable (Result<ScriptReport, ScriptError>) -> Void) {
        guard !isStarted else { return }
        isStarted = true
        lua.start(loaded: loaded)
    }
}
