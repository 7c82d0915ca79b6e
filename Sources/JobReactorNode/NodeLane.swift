internal import DequeModule
internal import JobReactorCore
internal import JobReactorLua

/// A Lua lane as its node uses it: the jobs that wait for their turn on it, and how many it has.
final class NodeLane {
    let lua: any JobLane
    /// Due, and waiting for room.
    var ready: Deque<Job> = []
    /// Those of them that are suspects, which begin one by one.
    var careful = CarefulRuns()
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

    /// A job is due.
    func enter(_ job: Job, isSuspect: Bool) {
        if isSuspect { careful.append(job) } else { ready.append(job) }
    }

    var hasTurns: Bool { !ready.isEmpty || careful.isWaiting }
    /// All that wait for their turn.
    var turns: [Job] { Array(ready) + Array(careful.waiting) }
    var turnCount: Int { ready.count + careful.waiting.count }

    /// Nothing waits any more. Returns what did.
    func takeTurns() -> [Job] {
        defer { (ready, careful) = ([], CarefulRuns()) }
        return turns
    }

    func removeTurns(where isGone: (Job) -> Bool) {
        ready.removeAll(where: isGone)
        careful.remove(where: isGone)
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
