internal import JobReactorCore

/// Where jobs of a node run.
enum LaneKind: Int {
    /// One thread, for most jobs.
    case reactor
    /// Several, for jobs with `defer`.
    case deferred

    init(for job: Job) { self = job.isDeferred ? .deferred : .reactor }
}

/// The jobs that wait for their turn on a lane, and how many it has. The more urgent go first, and names of jobs take turns, so
/// that many jobs of one name that are due together do not hold up those of another. A value without I/O.
struct LaneTurns {
    /// Jobs on the lane at once: enough that it never waits for the loop, few enough to be handed back.
    let capacity: Int
    /// Jobs that may pause at once; with more of them none begins but those that runs wait for.
    let mostSuspended: Int
    /// Due, and waiting for room.
    private var ready = TurnQueue<Job>()
    /// Those of them that runs wait for: what pauses may be just those runs.
    private var awaited = TurnQueue<Job>()
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
    mutating func enter(_ job: consuming Job, priority: Int = JobPriority.usual, isSuspect: Bool) {
        let (name, isAwaited) = (job.name, job.isAwaited)
        if isSuspect {
            careful.append(job)
        } else if isAwaited {
            awaited.push(job, key: name, priority: priority)
        } else {
            ready.push(job, key: name, priority: priority)
        }
    }

    /// Its turn is the next after all.
    mutating func prepend(_ job: Job, priority: Int = JobPriority.usual) {
        if job.isAwaited {
            awaited.pushFirst(job, key: job.name, priority: priority)
        } else {
            ready.pushFirst(job, key: job.name, priority: priority)
        }
    }

    /// The job whose turn it is, when so many have just begun; nil when there is none, or no room.
    mutating func popNext(beside begun: Int, _ holds: Holds = Holds()) -> Job? {
        guard capacity - running > begun, !holds.isNode else { return nil }
        if isFull { return Self.pop(&awaited, holds) }
        // By turns, so that neither keep the others from the lane.
        isAwaitedNext.toggle()
        return isAwaitedNext
            ? Self.pop(&awaited, holds) ?? Self.pop(&ready, holds)
            : Self.pop(&ready, holds) ?? Self.pop(&awaited, holds)
    }

    /// Those that are held are set aside, until they are released.
    private static func pop(_ queue: inout TurnQueue<Job>, _ holds: Holds) -> Job? {
        holds.jobs.isEmpty ? queue.pop() : queue.pop { !holds.jobs.contains($0) }
    }

    /// Jobs of these names take turns again.
    mutating func release(_ names: Set<String>) {
        for name in names {
            awaited.resume(name)
            ready.resume(name)
        }
    }

    /// Whether a job that comes may begin at once, beside those to which that was promised.
    func hasRoom(for job: Job) -> Bool {
        capacity - running > promised && (job.isAwaited ? !awaited.hasTurns : !isFull && !ready.hasTurns)
    }

    var isFull: Bool { suspended >= mostSuspended }
    /// Whether one of the suspects may begin.
    var hasCarefulRoom: Bool {
        capacity > running && (!isFull || careful.waiting.contains { $0.isAwaited })
    }

    /// Whether any of them may have its turn.
    var hasTurns: Bool { ready.hasTurns || awaited.hasTurns || careful.isWaiting }
    /// All that wait for their turn, in no order.
    var turns: [Job] {
        awaited.elements + ready.elements + careful.waiting
    }
    var turnCount: Int { ready.count + awaited.count + careful.waiting.count }

    /// Nothing waits any more. Returns what did, in the order of its turns.
    mutating func takeTurns() -> [Job] {
        defer { careful = CarefulRuns() }
        return awaited.popAll() + ready.popAll() + careful.waiting
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

    // These two are asked of each job, and the lane is large to copy.
    func hasRoom(for job: Job, on kind: LaneKind) -> Bool {
        switch kind {
        case .reactor: reactor.hasRoom(for: job)
        case .deferred: deferred.hasRoom(for: job)
        }
    }

    mutating func promiseRoom(on kind: LaneKind) {
        switch kind {
        case .reactor: reactor.promised += 1
        case .deferred: deferred.promised += 1
        }
    }

    /// What both have of something.
    func sum(_ count: (LaneTurns) -> Int) -> Int { count(reactor) + count(deferred) }
}
