internal import JobReactorCore

/// The schedules of a distributor: who defines them, the life of each, and when the next of them is to be looked at.
///
/// A value without I/O. Times are those of the wall clock.
struct Schedules {
    typealias Place = ScheduleRegistry.Place

    /// What has come of one schedule. The state is to be stored in one step with the jobs.
    struct Outcome {
        let schedule: Schedule
        /// Nil where it has not changed.
        var state: ScheduleState?
        var made: [(tick: ScheduleTick, due: Timestamp?)] = []
        var cancelled: [JobID] = []
        var heartbeat: String?
        var events: [Event] = []
    }

    /// What an operator is told.
    enum Event: Hashable {
        case skipped(ScheduleTick, ScheduleMachine.SkipReason)
        case missed(Int)
        case late(ScheduleTick)
    }

    /// What changes with definitions.
    struct Changes {
        var outcomes: [Outcome] = []
        /// What one place says has no effect, as another says something else.
        var conflicts: [(name: String, at: Place, standing: Place)] = []
        /// Those whose times cannot be found, and why.
        var problems: [(name: String, reason: JobError)] = []
    }

    private var registry = ScheduleRegistry()
    /// Whether they live here: else they are only known, as another distributor makes their ticks.
    private(set) var isActive = true
    private var machines: [String: ScheduleMachine] = [:]
    /// Those that are paused, and those of which a tick has not begun in time.
    private(set) var pausedCount = 0
    private(set) var lateCount = 0
    private var alarms = TimerQueue<String>()
    private var armed: [String: Timestamp] = [:]

    var isEmpty: Bool { registry.count == 0 }
    var count: Int { registry.count }
    /// When to call ``alarm(at:)``.
    var wake: Timestamp? { alarms.nextDue }

    subscript(name: String) -> ScheduleMachine? { machines[name] }

    /// In the order of their names.
    var names: [String] { registry.schedules.map(\.name) }

    /// One that is defined, whether it lives here or not.
    func schedule(_ name: String) -> Schedule? { registry[name] }

    /// The schedule that stands, if another place than this one says something else.
    func conflict(_ schedule: Schedule, at place: Place) -> Place? {
        guard let standing = registry[schedule.name], standing != schedule else { return nil }
        return registry.places(of: schedule.name).first { $0 != place }
    }

    func places(of name: String) -> [Place] { registry.places(of: name) }

    // MARK: The lead

    /// They live here from now on.
    mutating func activate(
        state: (String) -> ScheduleState?, open: (String) -> [(tick: Timestamp, hasBegun: Bool)], now: Timestamp
    ) -> Changes {
        guard !isActive else { return Changes() }
        isActive = true
        return apply(registry.schedules.map { .appeared($0) }, state, open, now)
    }

    /// They live elsewhere from now on.
    mutating func deactivate() {
        isActive = false
        (machines, alarms, armed) = ([:], TimerQueue(), [:])
        (pausedCount, lateCount) = (0, 0)
    }

    /// The schedule is counted, or is not any more.
    private mutating func count(_ name: String, by change: Int) {
        if machines[name]?.state.pause != nil { pausedCount += change }
        if machines[name]?.isLate == true { lateCount += change }
    }

    // MARK: Definitions

    /// The place defines exactly these from now on. `state` and `open` are what an earlier process, or an earlier definition, has
    /// left of each.
    mutating func define(
        _ schedules: [Schedule], at place: Place, state: (String) -> ScheduleState?,
        open: (String) -> [(tick: Timestamp, hasBegun: Bool)], now: Timestamp
    ) -> Changes {
        apply(registry.define(schedules, at: place), state, open, now)
    }

    /// The place defines this one, beside what else it defines.
    mutating func add(
        _ schedule: Schedule, at place: Place, state: (String) -> ScheduleState?,
        open: (String) -> [(tick: Timestamp, hasBegun: Bool)], now: Timestamp
    ) -> Changes {
        apply(registry.add(schedule, at: place), state, open, now)
    }

    /// The place does not define that one any more.
    mutating func remove(_ name: String, at place: Place, now: Timestamp) -> Changes {
        apply(registry.remove(name, at: place), { _ in nil }, { _ in [] }, now)
    }

    private mutating func apply(
        _ changes: [ScheduleRegistry.Change], _ state: (String) -> ScheduleState?,
        _ open: (String) -> [(tick: Timestamp, hasBegun: Bool)], _ now: Timestamp
    ) -> Changes {
        var all = Changes()
        for change in changes {
            switch change {
            case .appeared where !isActive, .changed where !isActive, .vanished where !isActive: break
            case .appeared(let schedule):
                do throws(JobError) {
                    machines[schedule.name] = ScheduleMachine(
                        schedule, try schedule.times(), restoring: state(schedule.name), open: open(schedule.name),
                        at: now)
                    count(schedule.name, by: 1)
                    all.outcomes += tell(schedule.name, .started, at: now, isNew: true)
                } catch { all.problems.append((schedule.name, error)) }
            case .changed(let schedule):
                do throws(JobError) {
                    all.outcomes += tell(schedule.name, .changed(schedule, try schedule.times()), at: now)
                } catch { all.problems.append((schedule.name, error)) }
            case .vanished(let name):
                all.outcomes += tell(name, .removed, at: now)
                count(name, by: -1)
                machines[name] = nil
                armed[name] = nil
            case .conflict(let name, let place, let standing): all.conflicts.append((name, place, standing))
            }
        }
        return all
    }

    // MARK: Events

    /// Something has happened to one schedule; nothing comes of it where there is none.
    mutating func tell(_ name: String, _ event: ScheduleMachine.Event, at now: Timestamp) -> [Outcome] {
        tell(name, event, at: now, isNew: false)
    }

    private mutating func tell(
        _ name: String, _ event: ScheduleMachine.Event, at now: Timestamp, isNew: Bool
    ) -> [Outcome] {
        count(name, by: -1)
        defer { count(name, by: 1) }
        guard let before = machines[name]?.state, let actions = machines[name]?.apply(event, at: now),
            let machine = machines[name]
        else { return [] }
        var outcome = Outcome(schedule: machine.schedule)
        if isNew || machine.state != before { outcome.state = machine.state }
        for action in actions {
            switch action {
            case .enqueue(let tick, let due): outcome.made.append((tick, due))
            case .cancel(let id): outcome.cancelled.append(id)
            case .skipped(let tick, let reason): outcome.events.append(.skipped(tick, reason))
            case .missed(let count): outcome.events.append(.missed(count))
            case .late(let tick): outcome.events.append(.late(tick))
            case .heartbeat(let url): outcome.heartbeat = url
            case .wake(let time): arm(name, time)
            }
        }
        return [outcome]
    }

    private mutating func arm(_ name: String, _ time: Timestamp?) {
        armed[name] = time
        if let time { alarms.insert(name, due: time) }
        // Alarms that do not count any more do not add up.
        if alarms.count > 2 * machines.count + 1000 {
            let live = armed
            alarms = TimerQueue()
            for (name, time) in live { alarms.insert(name, due: time) }
        }
    }

    /// The times of those that are due have come, of `most` at a time.
    mutating func alarm(at now: Timestamp, most: Int = .max) -> [Outcome] {
        var outcomes: [Outcome] = []
        while outcomes.count < most, let due = alarms.nextDue, let name = alarms.popDue(at: now) {
            // Else it is a time of before.
            guard armed[name] == due else { continue }
            armed[name] = nil
            outcomes += tell(name, .alarm, at: now)
        }
        return outcomes
    }

    /// Somebody has set the wall clock.
    mutating func clockSet(at now: Timestamp) -> [Outcome] {
        machines.keys.sorted().flatMap { tell($0, .clockSet, at: now) }
    }
}
