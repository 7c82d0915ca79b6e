internal import DequeModule
internal import JobReactorCore

/// Where jobs of a node run.
enum LaneKind: Int {
    /// One thread, for most jobs.
    case reactor
    /// Several, for jobs with `defer`.
    case deferred

    init(for job: Job) { self = job.isDeferred ? .deferred : .reactor }
}

/// The jobs that wait for their turn on a lane, and how many it has. A value without I/O.
struct LaneTurns {
    /// Jobs on the lane at once: enough that it never waits for the loop, few enough to be handed back.
    let capacity: Int
    /// Jobs that may pause at once; with more of them none begins but those that runs wait for.
    let mostSuspended: Int
    /// Due, and waiting for room.
    private(set) var ready: Deque<Job> = []
    /// Those of them that runs wait for: what pauses may be just those runs.
    private(set) var awaited: Deque<Job> = []
    private var isAwaitedNext = false
    /// Those of them that are suspects, which begin one by one.
    var careful = CarefulRuns()
    /// On the lane, or about to be, without those that pause.
    var running = 0
    /// Places for those of one read that are about to be stored as begun.
    var promised = 0
    /// Those that pause, or have paused in their run.
    var suspended = 0

    init(capacity: Int, mostSuspended: Int) {
        self.capacity = capacity
        self.mostSuspended = mostSuspended
    }

    /// A job is due.
    mutating func enter(_ job: Job, isSuspect: Bool) {
        if isSuspect { careful.append(job) } else if job.isAwaited { awaited.append(job) } else { ready.append(job) }
    }

    /// Its turn is the next after all.
    mutating func prepend(_ job: Job) {
        if job.isAwaited { awaited.prepend(job) } else { ready.prepend(job) }
    }

    /// The job whose turn it is, when so many have just begun; nil when there is none, or no room.
    mutating func popNext(beside begun: Int) -> Job? {
        guard capacity - running > begun else { return nil }
        if isFull { return awaited.popFirst() }
        // By turns, so that neither keep the others from the lane.
        isAwaitedNext.toggle()
        return isAwaitedNext ? awaited.popFirst() ?? ready.popFirst() : ready.popFirst() ?? awaited.popFirst()
    }

    /// Whether a job that comes may begin at once, beside those to which that was promised.
    func hasRoom(for job: Job) -> Bool {
        capacity - running > promised && (job.isAwaited ? awaited.isEmpty : !isFull && ready.isEmpty)
    }

    var isFull: Bool { suspended >= mostSuspended }
    /// Whether one of the suspects may begin.
    var hasCarefulRoom: Bool {
        capacity > running && (!isFull || careful.waiting.contains { $0.isAwaited })
    }

    var hasTurns: Bool { !ready.isEmpty || !awaited.isEmpty || careful.isWaiting }
    /// All that wait for their turn.
    var turns: [Job] {
        var turns: [Job] = []
        turns.append(contentsOf: awaited)
        turns.append(contentsOf: ready)
        turns.append(contentsOf: careful.waiting)
        return turns
    }
    var turnCount: Int { ready.count + awaited.count + careful.waiting.count }

    /// Nothing waits any more. Returns what did.
    mutating func takeTurns() -> [Job] {
        defer { (ready, awaited, careful) = ([], [], CarefulRuns()) }
        return turns
    }

    mutating func removeTurns(where isGone: (Job) -> Bool) {
        ready.removeAll(where: isGone)
        awaited.removeAll(where: isGone)
        careful.remove(where: isGone)
    }
}

/// The two lanes of a node.
struct NodeTurns {
    private var reactor: LaneTurns
    private var deferred: LaneTurns

    init(reactor: LaneTurns, deferred: LaneTurns) {
        self.reactor = reactor
        self.deferred = deferred
    }

    static let kinds: [LaneKind] = [.reactor, .deferred]

    subscript(kind: LaneKind) -> LaneTurns {
        _read {
            switch kind {
            case .reactor: yield reactor
            case .deferred: yield deferred
            }
        }
        _modify {
            switch kind {
            case .reactor: yield &reactor
            case .deferred: yield &deferred
            }
        }
    }

    /// What both have of something.
    func sum(_ count: (LaneTurns) -> Int) -> Int { count(reactor) + count(deferred) }
}
