/// The state machine of one schedule: it takes events and returns actions.
///
/// A value without I/O and without a clock. Its owner calls ``apply(_:at:)`` with ``Event/started`` first, carries out the
/// actions in their order and stores ``state`` where it has changed, in one step with the jobs of ``Action/enqueue(_:due:)``.
/// Times are those of the wall clock.
package struct ScheduleMachine: Sendable {
    package enum Event: Hashable, Sendable {
        /// The schedule was made, or loaded from an earlier process.
        case started
        /// The time of ``Action/wake(_:)`` has come.
        case alarm
        /// The job of a tick has begun its first run.
        case began(JobID)
        /// The job of a tick has ended with this status.
        case ended(JobID, JobStatus)
        /// The job of a tick, made by another distributor, has ended with an unknown status.
        case gone(JobID)
        /// The wall clock was set.
        case clockSet
        /// The schedule was changed; the times are those of the new schedule.
        case changed(Schedule, ScheduleTimes)
        case paused(by: String)
        case resumed
        /// A run is requested now, whether the schedule is paused or not.
        case run
        /// The schedule is removed, and the machine is used no more. Jobs continue.
        case removed
    }

    package enum Action: Hashable, Sendable {
        /// Enqueue the job of the tick, with that due time; nil for at once.
        case enqueue(ScheduleTick, due: Timestamp?)
        case cancel(JobID)
        /// The tick makes no job.
        case skipped(ScheduleTick, SkipReason)
        /// This many further ticks are dropped.
        case missed(Int)
        /// The tick has not begun in time: the schedule is late.
        case late(ScheduleTick)
        /// Request the URL of the heartbeat.
        case heartbeat(String)
        /// Call with ``Event/alarm`` then, by the wall clock, and not before; nil for never.
        case wake(Timestamp?)
    }

    package enum SkipReason: String, Hashable, Sendable {
        /// The job of an earlier tick is unfinished.
        case overlap
        /// It waited for an earlier tick, and a newer one replaced it.
        case replaced
        /// It waited for an earlier tick, and the schedule was paused or removed.
        case paused, removed
    }

    package private(set) var schedule: Schedule
    package private(set) var state: ScheduleState
    private var times: ScheduleTimes
    /// The unfinished jobs of ticks, and whether each has begun.
    private var open: [JobID: Bool] = [:]
    /// Ticks that had not begun when last looked at, and by when each has to.
    private var unbegun = FIFO<(tick: ScheduleTick, by: Timestamp)>()
    /// The tick that is late now.
    private var lateTick: JobID?
    private var armed: Timestamp?

    /// Seconds that a tick may be late, as processes are, and count as made in time: 10.
    private static let grace: Int64 = 10_000_000

    /// A schedule with the state that an earlier process has left; of one that is new the first tick is the first after `now`.
    /// `open` are the ticks of which unfinished jobs are found, and whether each of those has begun.
    package init(
        _ schedule: Schedule, _ times: ScheduleTimes, restoring state: ScheduleState? = nil,
        open: [(tick: Timestamp, hasBegun: Bool)] = [], at now: Timestamp
    ) {
        self.schedule = schedule
        self.times = times
        let new = ScheduleState(decided: now, base: Self.wholeSecond(now), rhythm: schedule.rhythm)
        self.state = state ?? new
        for (at, hasBegun) in open.sorted(by: { $0.tick < $1.tick }) {
            let tick = ScheduleTick(of: schedule.name, at: at)
            self.open[tick.id] = hasBegun
            if !hasBegun { expect(tick, at: now) }
        }
        if let waiting = state?.waiting { expect(ScheduleTick(of: schedule.name, at: waiting), at: now) }
    }

    /// That time, or the next whole second: no interval that is counted from there is shorter than it says.
    private static func wholeSecond(_ time: Timestamp) -> Timestamp {
        let (seconds, fraction) = time.microseconds.floorDivided(by: 1_000_000)
        return time.advanced(byMicroseconds: fraction == 0 ? 0 : (seconds + 1) * 1_000_000 - time.microseconds)
    }

    /// Whether a tick is late that has not begun.
    package var isLate: Bool { lateTick != nil }
    /// Jobs of ticks that are unfinished.
    package var openCount: Int { open.count }
    /// Ticks that are remembered for their lateness: those that have not begun, and no more than about twice the unfinished.
    package var watchedCount: Int { unbegun.count }
    /// The next tick from now on; nil for none, or while it is paused.
    package func next(at now: Timestamp) -> Timestamp? {
        state.pause == nil ? next(after: max(state.decided, now)) : nil
    }

    // MARK: Events

    package mutating func apply(_ event: Event, at now: Timestamp) -> [Action] {
        var actions: [Action] = []
        switch event {
        case .started:
            retime(at: now)
            goOn(at: now, &actions)
        case .alarm:
            armed = nil
            goOn(at: now, &actions)
        case .began(let id):
            if open[id] != nil { open[id] = true }
            if lateTick == id { lateTick = nil }
        case .ended(let id, let status): ended(id, status, at: now, &actions)
        case .gone(let id): ended(id, nil, at: now, &actions)
        case .clockSet:
            state.ticks.turnBack(to: now)
            goOn(at: now, &actions)
        case .changed(let schedule, let times):
            (self.schedule, self.times) = (schedule, times)
            retime(at: now)
            goOn(at: now, &actions)
        case .paused(let who):
            state.pause = Pause(by: who, at: now)
            dropWaiting(.paused, &actions)
            if state.isCatchingUp { miss(through: now, &actions) }
            state.isCatchingUp = false
        case .resumed:
            // What was due meanwhile was not to be.
            if state.pause != nil { state.ticks.extend(to: now) }
            state.pause = nil
            goOn(at: now, &actions)
        case .run: make(ScheduleTick(of: schedule.name, at: now), at: now, isByHand: true, &actions)
        case .removed:
            dropWaiting(.removed, &actions)
            unbegun = FIFO()
            return actions + disarm()
        }
        noteLate(at: now, &actions)
        arm(&actions)
        return actions
    }

    /// It may be due at other times than before: those before now are none of the new ones.
    private mutating func retime(at now: Timestamp) {
        guard state.rhythm != schedule.rhythm else { return }
        state.rhythm = schedule.rhythm
        // From the last tick, where there was one.
        state.base = Self.wholeSecond(state.decided)
        state.ticks.extend(to: now)
        state.isCatchingUp = false
    }

    private mutating func goOn(at now: Timestamp, _ actions: inout [Action]) {
        guard state.pause == nil else { return }
        makeWaiting(at: now, &actions)
        // What is left of a catch-up that is not wanted any more is missed, or its newest is made.
        if schedule.catchUp != .all { state.isCatchingUp = false }
        if state.isCatchingUp { catchUp(at: now, &actions) } else { makeDue(at: now, &actions) }
    }

    private mutating func ended(_ id: JobID, _ status: JobStatus?, at now: Timestamp, _ actions: inout [Action]) {
        guard open.removeValue(forKey: id) != nil else { return }
        if lateTick == id { lateTick = nil }
        if let status { state.lastOutcome = status }
        if status == .complete, let heartbeat = schedule.heartbeat { actions.append(.heartbeat(heartbeat)) }
        guard state.pause == nil else { return }
        makeWaiting(at: now, &actions)
        if state.isCatchingUp { catchUp(at: now, &actions) }
    }

    // MARK: Ticks that are due

    private mutating func makeDue(at now: Timestamp, _ actions: inout [Action]) {
        guard let newest = latest(1, after: state.decided, notAfter: now).last else { return }
        if schedule.catchUp == .all {
            let ticks = latest(
                Schedule.mostCaughtUp, after: max(state.decided, oldest(at: now)), notAfter: now)
            miss(through: (ticks.first ?? newest.advanced(byMicroseconds: 1)).advanced(byMicroseconds: -1), &actions)
            if ticks.count == 1, now.elapsed(since: newest) <= Self.grace {
                state.ticks.extend(to: newest)
                return make(ScheduleTick(of: schedule.name, at: newest), at: now, &actions)
            }
            state.isCatchingUp = true
            return catchUp(at: now, &actions)
        }
        let isInTime = now.elapsed(since: newest) <= Self.grace
        guard isInTime || schedule.catchUp == .last && newest >= oldest(at: now) else {
            return miss(through: newest, &actions)
        }
        miss(through: newest.advanced(byMicroseconds: -1), &actions)
        state.ticks.extend(to: newest)
        make(ScheduleTick(of: schedule.name, at: newest), at: now, &actions)
    }

    /// The oldest time of which ticks are made at all.
    private func oldest(at now: Timestamp) -> Timestamp {
        let window = Timestamp(seconds: schedule.window).microseconds
        return now.advanced(byMicroseconds: -max(window, Self.grace))
    }

    /// The ticks up to then are missed for good.
    private mutating func miss(through time: Timestamp, _ actions: inout [Action]) {
        let count = count(notAfter: time)
        guard count > 0 else { return state.ticks.extend(to: time) }
        state.ticks.miss(through: time)
        state.missed += count
        actions.append(.missed(count))
    }

    /// One missed tick after the other, as those before them end.
    private mutating func catchUp(at now: Timestamp, _ actions: inout [Action]) {
        while open.isEmpty || schedule.overlap == .allow {
            miss(through: oldest(at: now).advanced(byMicroseconds: -1), &actions)
            guard let tick = next(after: state.decided), tick <= now else {
                state.isCatchingUp = false
                return
            }
            state.ticks.extend(to: tick)
            expect(ScheduleTick(of: schedule.name, at: tick), at: now)
            enqueue(ScheduleTick(of: schedule.name, at: tick), at: now, &actions)
        }
    }

    // MARK: Making a tick

    private mutating func make(
        _ tick: ScheduleTick, at now: Timestamp, isByHand: Bool = false, _ actions: inout [Action]
    ) {
        guard open[tick.id] == nil else { return }
        switch schedule.overlap {
        case _ where open.isEmpty, .allow: enqueue(tick, at: now, isByHand: isByHand, &actions)
        case .skip: return skip(tick, .overlap, &actions)
        case .queue: wait(tick, &actions)
        case .cancel:
            for id in open.keys.sorted() { actions.append(.cancel(id)) }
            wait(tick, &actions)
        }
        expect(tick, at: now)
    }

    private mutating func skip(_ tick: ScheduleTick, _ reason: SkipReason, _ actions: inout [Action]) {
        state.skipped += 1
        actions.append(.skipped(tick, reason))
    }

    private mutating func wait(_ tick: ScheduleTick, _ actions: inout [Action]) {
        dropWaiting(.replaced, &actions)
        state.waiting = tick.at
    }

    private mutating func dropWaiting(_ reason: SkipReason, _ actions: inout [Action]) {
        guard let waiting = state.waiting else { return }
        state.waiting = nil
        skip(ScheduleTick(of: schedule.name, at: waiting), reason, &actions)
    }

    private mutating func makeWaiting(at now: Timestamp, _ actions: inout [Action]) {
        guard let waiting = state.waiting, open.isEmpty || schedule.overlap == .allow else { return }
        state.waiting = nil
        enqueue(ScheduleTick(of: schedule.name, at: waiting), at: now, &actions)
    }

    private mutating func enqueue(
        _ tick: ScheduleTick, at now: Timestamp, isByHand: Bool = false, _ actions: inout [Action]
    ) {
        let due = isByHand ? tick.at : tick.due(jitter: schedule.jitter)
        open[tick.id] = false
        state.last = tick.at
        state.made += 1
        actions.append(.enqueue(tick, due: due > now ? due : nil))
    }

    // MARK: Lateness

    /// The tick is to begin in time from now on.
    private mutating func expect(_ tick: ScheduleTick, at now: Timestamp) {
        // One that does not begin keeps those behind it here.
        if unbegun.count > 16 + 2 * open.count {
            var kept = unbegun
            kept.removeAll { !isExpected($0.tick) }
            unbegun = kept
        }
        unbegun.append((tick, max(tick.due(jitter: schedule.jitter), now).advanced(bySeconds: schedule.lateAfter)))
    }

    private func isExpected(_ tick: ScheduleTick) -> Bool { open[tick.id] == false || state.waiting == tick.at }

    private mutating func noteLate(at now: Timestamp, _ actions: inout [Action]) {
        while let (tick, by) = unbegun.first {
            guard !isExpected(tick) || by <= now else { return }
            _ = unbegun.popFirst()
            guard isExpected(tick) else { continue }
            lateTick = tick.id
            state.late += 1
            actions.append(.late(tick))
        }
    }

    // MARK: The next alarm

    private mutating func arm(_ actions: inout [Action]) {
        let tick = state.pause == nil && !state.isCatchingUp ? next(after: state.decided) : nil
        let wake = [tick, unbegun.first?.by].compactMap { $0 }.min()
        guard wake != armed else { return }
        armed = wake
        actions.append(.wake(wake))
    }

    private mutating func disarm() -> [Action] {
        guard armed != nil else { return [] }
        armed = nil
        return [.wake(nil)]
    }

    // MARK: Times

    /// The first tick after that time that is not decided.
    private func next(after time: Timestamp) -> Timestamp? {
        var start = max(time, schedule.starts?.advanced(byMicroseconds: -1) ?? time)
        while let tick = times.next(after: start, countedFrom: state.base)?.at {
            if let ends = schedule.ends, tick > ends { return nil }
            guard let end = state.ticks.endOfStretch(with: tick) else { return tick }
            start = end
        }
        return nil
    }

    /// As many of the last ticks that are after the one and not after the other time as are not decided, in their order.
    private func latest(_ count: Int, after start: Timestamp, notAfter end: Timestamp) -> [Timestamp] {
        let start = max(start, schedule.starts?.advanced(byMicroseconds: -1) ?? start)
        var found: [Timestamp] = []
        for (after, last) in state.ticks.undecided(after: start, notAfter: min(end, schedule.ends ?? end)).reversed() {
            let ticks = times.latest(count - found.count, after: after, notAfter: last, countedFrom: state.base)
            found = ticks.map(\.at) + found
            if found.count == count { break }
        }
        return found
    }

    /// How many ticks up to then are not decided; at most ``Schedule/mostCaughtUp``.
    private func count(notAfter end: Timestamp) -> Int {
        var (count, time) = (0, state.decided)
        while count < Schedule.mostCaughtUp, let tick = next(after: time), tick <= end {
            count += 1
            time = tick
        }
        return count
    }
}
