internal import JobReactorCore
internal import JobReactorWire
internal import Logging
internal import NIOCore

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// Schedules: from scripts of nodes, and set by command; their ticks become jobs.
extension DistributorCore {
    private static let commands = Schedules.Place("the command SCHEDULE SET")

    private static func scripts(of node: String) -> Schedules.Place { Schedules.Place("the scripts of \(node)") }

    // MARK: Definitions

    /// The scripts of a node define these schedules.
    func defineSchedules(_ schedules: [Schedule], of node: String) {
        let place = Self.scripts(of: node)
        let changes = self.schedules.define(
            schedules, at: place, state: { self.scheduleState($0) }, open: { self.openTicks(of: $0) }, now: clock.now)
        carryOut(changes)
    }

    /// The node is gone, and what its scripts define with it.
    func forgetSchedules(of node: String) {
        guard !schedules.isEmpty, !isStopping else { return }
        defineSchedules([], of: node)
    }

    /// What an earlier process, or another that has led, was told by command, and the ticks that it has made.
    func takeUpSchedules() {
        var set: [Schedule] = []
        for control in controls.all(.schedule) {
            do { set.append(try Schedule(json: try JSONValue(parsing: control.value))) } catch {
                logger.error(
                    "a stored schedule cannot be read",
                    metadata: ["schedule": "\(control.key.name)", "reason": "\(error)"])
            }
        }
        carryOut(
            schedules.define(
                set, at: Self.commands, state: { self.scheduleState($0) }, open: { self.openTicks(of: $0) },
                now: clock.now))
    }

    func scheduleState(_ name: String) -> ScheduleState? {
        controls[StoredControl.Key(.ticks, name)].flatMap {
            try? JSONDecoder().decode(ScheduleState.self, from: Data($0))
        }
    }

    func openTicks(of name: String) -> [(tick: Timestamp, hasBegun: Bool)] {
        ask { $0.ticks.all(of: name) } + ticksOfOthers.all(of: name)
    }

    func carryOut(_ changes: Schedules.Changes) {
        for (name, place, standing) in changes.conflicts {
            logger.error(
                "the schedule '\(name)' is defined differently in two places: the definition of \(standing) counts",
                metadata: ["schedule": "\(name)", "place": "\(place)"])
        }
        for (name, reason) in changes.problems {
            logger.error("a schedule has no effect", metadata: ["schedule": "\(name)", "reason": "\(reason)"])
        }
        for outcome in changes.outcomes { carryOut(outcome) }
        armSchedules()
    }

    // MARK: Ticks

    /// Something has happened to a schedule. Returns what came of it; nil where there is none.
    @discardableResult
    func tell(_ name: String, _ event: ScheduleMachine.Event, done: @escaping () -> Void = {}) -> Schedules.Outcome? {
        let outcomes = schedules.tell(name, event, at: clock.now)
        for outcome in outcomes { carryOut(outcome, done: done) }
        noteMemory()
        armSchedules()
        return outcomes.first
    }

    /// The jobs of ticks are stored in one step with the state that says that they are made: none is made twice, or lost.
    private func carryOut(_ outcome: Schedules.Outcome, done: @escaping () -> Void = {}) {
        let schedule = outcome.schedule
        for event in outcome.events { log(event, of: schedule.name) }
        var records: [Job] = []
        for (tick, due) in outcome.made {
            let job = makeJob(of: tick, schedule, due: due)
            switch change({ $0.submit(job, .none) }) {
            case .new(let record):
                if let record { records.append(record) }
                tellIfParked(job, .none)
            case .sent(let entry, let node, let number):
                links[node]?.send(job, due: entry.due, number: number, isAgain: false, suspect: nil, now: now)
            // It is there already: made by an earlier process.
            case .known: break
            case .held, .isBeingCancelled: break
            }
        }
        if let state = outcome.state {
            // A job that ended at once, as a limit is full, has changed it again.
            keep(schedules[schedule.name]?.state ?? state, of: schedule.name, saving: records, done: done)
        } else {
            done()
        }
        for id in outcome.cancelled { _ = cancel(id) }
        if let url = outcome.heartbeat { sendHeartbeat(of: schedule.name, to: url) }
    }

    private func makeJob(of tick: ScheduleTick, _ schedule: Schedule, due: Timestamp?) -> Job {
        var options = JobOptions(runAt: due)
        options.tick = JobTick(schedule: schedule.name, at: tick.at)
        return Job(id: tick.id, name: schedule.job, args: schedule.args, options: options, createdAt: clock.now)
    }

    private func keep(
        _ state: ScheduleState, of name: String, saving records: [Job], done: @escaping () -> Void
    ) {
        let value = (try? JSONEncoder().encode(state)).map { [UInt8]($0) } ?? []
        let change = ControlChange.set(StoredControl(StoredControl.Key(.ticks, name), value))
        guard controls.savesJobs || records.isEmpty else {
            // The storage has no place for the state: the jobs are stored, and the next process counts from its start.
            for record in records { keeper?.save(record) { self.change { $0.saved(record.id) } } }
            return controls.change([change], done: done)
        }
        controls.change([change], saving: records) {
            for record in records { self.change { $0.saved(record.id) } }
            done()
        }
    }

    /// The job of a tick has its outcome.
    func noteTick(_ report: JobReport) {
        guard report.status.isFinished, let tick = ask({ $0.endTick(report.id) }) else { return }
        tell(tick.schedule, .ended(report.id, report.status))
    }

    /// The first run of the job of a tick begins.
    func tickBegan(_ id: JobID) {
        guard let tick = ask({ $0.tickBegan(id) }) else { return }
        let jitter = schedules.schedule(tick.schedule)?.jitter ?? 0
        let late = clock.now.elapsed(since: ScheduleTick(of: tick.schedule, at: tick.at).due(jitter: jitter))
        tickCounts.lastLateness = Int(max(0, late) / 1_000_000)
        tell(tick.schedule, .began(id))
    }

    private func log(_ event: Schedules.Event, of name: String) {
        let metadata: Logger.Metadata = ["schedule": "\(name)"]
        switch event {
        case .skipped(let tick, let reason):
            tickCounts.skipped += 1
            let why =
                switch reason {
                case .overlap: "the job of an earlier tick is unfinished"
                case .replaced: "a newer tick waits in its place"
                case .paused: "the schedule is paused"
                case .removed: "the schedule has been deleted"
                }
            var metadata = metadata
            metadata["tick"] = "\(tick.at.seconds)"
            if reason == .overlap { metadata["waits_for"] = awaitedTick(of: name).map { "\($0)" } }
            logger.info("a tick is skipped: \(why)", metadata: metadata)
        case .missed(let count):
            tickCounts.missed += count
            logger.notice(
                "ticks are dropped because they are too late", metadata: metadata.merging(["ticks": "\(count)"]) { $1 })
        case .late(let tick):
            tickCounts.late += 1
            logger.warning(
                "a schedule is late: its tick has not begun in time",
                metadata: metadata.merging(["tick": "\(tick.at.seconds)"]) { $1 })
        }
    }

    // MARK: Heartbeats

    private func sendHeartbeat(of name: String, to url: String) {
        guard let send = configuration.heartbeat else {
            guard !saysThatNoHeartbeat else { return }
            saysThatNoHeartbeat = true
            return logger.warning(
                "heartbeats of schedules are not sent, because this distributor has no HTTP client",
                metadata: ["schedule": "\(name)"])
        }
        Task { [logger] in
            do { try await send(url) } catch {
                logger.warning("a heartbeat failed", metadata: ["schedule": "\(name)", "reason": "\(error)"])
            }
        }
    }

    // MARK: Time

    /// Seconds between two looks at the clock, which somebody may set.
    private static let look: Double = 2
    /// So many ticks in one turn of the loop.
    private static let atOnce = 500

    /// At the next time that a schedule waits for; sooner, as the wall clock may be set meanwhile.
    private func armSchedules() {
        guard let wake = schedules.wake else { return }
        let now = now
        let seconds = max(0, Timestamp(microseconds: wake.elapsed(since: now.wall)).seconds)
        let delay = min(seconds, Self.look)
        let due = now.steady.advanced(bySeconds: delay)
        if let scheduleAlarm, scheduleAlarm.due <= due { return }
        scheduleAlarm?.timer.cancel()
        let timer = loop.assumeIsolated().scheduleTask(in: .seconds(clamping: delay)) { [weak self] in
            self?.scheduleAlarm = nil
            self?.lookAtSchedules()
        }
        scheduleAlarm = (due, timer)
    }

    private func lookAtSchedules() {
        guard !isStopping else { return }
        let now = now
        inBatch {
            // A clock that nobody has set shows as much more as the steady one.
            if let last = lastLook {
                let drift = now.wall.elapsed(since: last.wall) - now.steady.elapsed(since: last.steady)
                if abs(drift) > 1_000_000 {
                    for outcome in schedules.clockSet(at: now.wall) { carryOut(outcome) }
                }
            }
            lastLook = now
            for outcome in schedules.alarm(at: now.wall, most: Self.atOnce) { carryOut(outcome) }
        }
        armSchedules()
    }

    // MARK: Commands

    /// It stands until it is deleted. Throws where it is defined elsewhere, and differently.
    func set(_ schedule: Schedule) -> EventLoopFuture<Void> {
        if let refusal = refuseAsFollower() { return loop.makeFailedFuture(refusal) }
        if let place = schedules.conflict(schedule, at: Self.commands) {
            let text = "the schedule '\(schedule.name)' is defined differently by \(place): change it there"
            return loop.makeFailedFuture(JobError(.invalidOption, text))
        }
        let promise = loop.makePromise(of: Void.self)
        let key = StoredControl.Key(.schedule, schedule.name)
        controls.change([.set(StoredControl(key, Array(schedule.json.json.utf8)))]) { promise.succeed() }
        carryOut(
            schedules.add(
                schedule, at: Self.commands, state: { self.scheduleState($0) }, open: { self.openTicks(of: $0) },
                now: clock.now))
        return promise.futureResult
    }

    /// Says whether one was set by command. What scripts define goes with them.
    func deleteSchedule(_ name: String) -> EventLoopFuture<Bool> {
        if let refusal = refuseAsFollower() { return loop.makeFailedFuture(refusal) }
        let key = StoredControl.Key(.schedule, name)
        guard controls[key] != nil else { return loop.makeSucceededFuture(false) }
        carryOut(schedules.remove(name, at: Self.commands, now: clock.now))
        let promise = loop.makePromise(of: Bool.self)
        var changes = [ControlChange.remove(key)]
        // A schedule of that name that comes later is another.
        if schedules[name] == nil {
            changes.append(.remove(StoredControl.Key(.ticks, name)))
            ticksOfOthers.removeAll(of: name)
        }
        controls.change(changes) { promise.succeed(true) }
        return promise.futureResult
    }

    /// Says whether there is one that was not paused, or was, when that is stored.
    func pauseSchedule(_ name: String, by user: String?) -> EventLoopFuture<Bool> {
        if let refusal = refuseAsFollower() { return loop.makeFailedFuture(refusal) }
        guard let machine = schedules[name], (machine.state.pause == nil) == (user != nil) else {
            return loop.makeSucceededFuture(false)
        }
        let promise = loop.makePromise(of: Bool.self)
        tell(name, user.map { .paused(by: $0) } ?? .resumed) { promise.succeed(true) }
        return promise.futureResult
    }

    /// The id of the job that it makes now; nil where it makes none, as that of an earlier tick is unfinished.
    func runSchedule(_ name: String) -> EventLoopFuture<JobID?> {
        if let refusal = refuseAsFollower() { return loop.makeFailedFuture(refusal) }
        guard schedules[name] != nil else {
            return loop.makeFailedFuture(JobError(.invalidOption, "there is no schedule '\(name)'"))
        }
        let promise = loop.makePromise(of: JobID?.self)
        let stored = NIOLoopBoundBox<JobID?>(nil, eventLoop: loop)
        let outcome = schedules.tell(name, .run, at: clock.now).first
        stored.value = outcome?.made.first?.tick.id
        guard let outcome else { return loop.makeSucceededFuture(nil) }
        carryOut(outcome) { promise.succeed(stored.value) }
        armSchedules()
        return promise.futureResult
    }

    /// What the next tick may wait for that does not end by itself; nil where there is nothing of the kind.
    private func awaitedTick(of name: String) -> String? {
        if let away = ask({ $0.awayTick(of: name) }) { return "the job \(away.id), whose node \(away.node) is away" }
        return ticksOfOthers.jobs(of: name).min().map { "the job \($0), which another distributor has made" }
    }

    /// A row, name and value in turn; nil for none of that name.
    func scheduleRow(_ name: String) -> [String]? {
        guard let schedule = schedules.schedule(name) else { return nil }
        var row = [
            "name", name, "spec", "\(schedule.spec)", "job", schedule.job, "args", schedule.args.description,
        ]
        for (option, value) in schedule.options.sorted(by: { $0.key < $1.key }) {
            row += [option, value.string ?? value.json]
        }
        func add(_ name: String, _ value: Any?) { row += [name, value.map { "\($0)" } ?? ""] }
        add("place", schedules.places(of: name).map(\.description).joined(separator: ", "))
        guard let machine = schedules[name] else {
            add("leader", leader)
            return row
        }
        let state = machine.state
        add("paused_by", state.pause?.by)
        add("paused_at", state.pause?.at.seconds)
        add("next", machine.next(at: clock.now)?.seconds)
        add("last", state.last?.seconds)
        add("last_outcome", state.lastOutcome?.rawValue)
        add("made", state.made)
        add("missed", state.missed)
        add("skipped", state.skipped)
        add("late_ticks", state.late)
        add("late", machine.isLate ? 1 : 0)
        add("open", machine.openCount)
        add("waits_for", awaitedTick(of: name))
        return row
    }
}
