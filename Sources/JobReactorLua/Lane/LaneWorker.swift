internal import JobReactorCore
private import Logging

#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif

/// One thread of a lane: runs jobs, keeps those that pause, and wakes them.
///
/// Belongs to its thread.
final class LaneWorker {
    let number: Int
    private unowned let lane: LuaLane
    private let options: LuaLane.Options
    /// That of runs that begin.
    private var current: LuaGeneration?
    /// Earlier ones, in which runs still pause.
    private var retired: [LuaGeneration] = []
    /// The one whose runs can be interrupted from outside.
    private var interruptible: LuaGeneration?
    /// What wakes those that sleep.
    private var alarms = TimerQueue<Alarm>()
    /// Alarms that nobody needs any more, more or less.
    private var staleAlarms = 0
    /// Runs whose time will be up, if they pause then.
    private var deadlines = TimerQueue<Deadline>()
    private var staleDeadlines = 0
    /// Of memory, to whichever state.
    private var seenRefusals: UInt64 = 0

    private struct Alarm {
        var generation: Int
        var token: UInt64
    }

    private struct Deadline {
        var generation: Int
        var run: UInt64
    }

    init(_ number: Int, of lane: LuaLane, _ options: LuaLane.Options) {
        self.number = number
        self.lane = lane
        self.options = options
    }

    /// The whole life of the thread.
    func live(loaded: (@Sendable (Result<ScriptReport, ScriptError>) -> Void)?) {
        var untold = loaded
        while lane.queue.isOpen {
            do throws(ScriptError) {
                let generation = try lane.loadGeneration()
                use(generation)
                untold?(.success(generation.report))
                untold = nil
                work()
            } catch {
                if let untold { return untold(.failure(error)) }
                options.logger.error("\(error); trying again in 1 s")
                waitASecond()
            }
        }
        untold?(.failure(ScriptError("the lane was stopped before it had loaded the scripts")))
    }

    private func waitASecond() {
        var second = timespec(tv_sec: 1, tv_nsec: 0)
        nanosleep(&second, nil)
    }

    private func use(_ generation: LuaGeneration) {
        // One that was loaded meanwhile may have come before.
        if let current, current.number >= generation.number { return }
        if let current { retired.append(current) }
        current = generation
        lane.noteStates(1)
        generation.host.worker = self
        closeRetired()
    }

    private func closeRetired() {
        guard !retired.isEmpty else { return }
        if let interruptible, retired.contains(where: { $0 === interruptible }) {
            // The state is closed only when nobody can reach it any more.
            lane.use(nil, on: number)
            self.interruptible = nil
        }
        let ended = retired.filter { !$0.hasSuspended }
        retired.removeAll { !$0.hasSuspended }
        for generation in ended { lane.close(generation) }
    }

    private func work() {
        while let item = lane.queue.take(worker: number, until: nextDue) {
            switch item {
            case .element(let run): begin(run)
            case .events(let events): for event in events { handle(event) }
            case .timeUp: fireAlarms()
            }
        }
        for generation in retired + [current].compactMap(\.self) { generation.abandonAll() }
        lane.use(nil, on: number)
    }

    /// In nanoseconds of the monotonic clock.
    private var nextDue: Int64? {
        guard let first = alarms.nextDue ?? deadlines.nextDue else { return nil }
        let next = deadlines.nextDue.map { min($0, first) } ?? first
        return next.microseconds.multiplied(by: 1000)
    }

    private func begin(_ run: LuaLane.Run) {
        guard let generation = current else { return }
        makeInterruptible(generation)
        finish(generation.run(run), generation)
    }

    private func makeInterruptible(_ generation: LuaGeneration) {
        guard interruptible !== generation else { return }
        interruptible = generation
        lane.use(generation.interrupter, on: number)
    }

    private func finish(_ end: LuaGeneration.SliceEnd, _ generation: LuaGeneration) {
        let refusals = options.memory.refusals
        if refusals != seenRefusals { options.memory.tellShortage() }
        seenRefusals = refusals
        switch end {
        case .ended(let outcome, let hadDeadline):
            if hadDeadline { noteStaleDeadline() }
            lane.put { $0.outcomes.append(outcome) }
            if generation !== current { closeRetired() }
        case .suspended(let run, let isFirst, let deadline):
            if isFirst { lane.put { $0.suspended.append(run.job.id) } }
            if let deadline {
                deadlines.insert(
                    Deadline(generation: generation.number, run: run.number),
                    due: Timestamp(microseconds: deadline / 1000 + 1))
            }
        }
    }

    private func handle(_ event: LaneEvent) {
        switch event {
        case .answer(let number, let token, let result):
            guard let generation = generation(number) else { return }
            wake(token, result, in: generation)
        case .cancel(let id):
            for generation in all {
                if let run = generation.suspendedRun(of: id) { end(run, .cancelled, in: generation) }
            }
        case .generation(let parcel):
            use(parcel.open())
        case .collectGarbage:
            for generation in all { generation.collectGarbage() }
        }
    }

    private func wake(_ token: UInt64, _ result: Result<[ScriptValue], ScriptFailure>, in generation: LuaGeneration) {
        guard let run = generation.run(waitingFor: token) else { return }
        goOn(run, in: generation)
        finish(generation.resume(run, token, result), generation)
    }

    private func end(_ run: LuaLane.Run, _ reason: LuaGeneration.EndReason, in generation: LuaGeneration) {
        goOn(run, in: generation)
        finish(generation.end(run, reason), generation)
    }

    /// What looks for runs under way finds it.
    private func goOn(_ run: LuaLane.Run, in generation: LuaGeneration) {
        makeInterruptible(generation)
        lane.queue.resume(run, worker: number)
    }

    private func fireAlarms() {
        let now = Timestamp(microseconds: MonotonicClock.now / 1000)
        // The others come with the next turn.
        for _ in 0..<32 {
            guard let alarm = alarms.popDue(at: now) else { break }
            if let generation = generation(alarm.generation) { wake(alarm.token, .success([]), in: generation) }
        }
        while let deadline = deadlines.popDue(at: now) {
            guard let generation = generation(deadline.generation), let run = generation.suspendedRun(deadline.run)
            else { continue }
            end(run, .timedOut, in: generation)
        }
    }

    private var all: [LuaGeneration] { retired + [current].compactMap(\.self) }

    private func generation(_ number: Int) -> LuaGeneration? {
        if current?.number == number { return current }
        return retired.first { $0.number == number }
    }

    /// An alarm is not needed any more. Those are left to go off, unless they become many.
    func noteStaleAlarm() {
        staleAlarms += 1
        guard staleAlarms > 1000, staleAlarms > alarms.count / 2 else { return }
        staleAlarms = 0
        alarms.retain { generation($0.generation)?.run(waitingFor: $0.token) != nil }
    }

    private func noteStaleDeadline() {
        staleDeadlines += 1
        guard staleDeadlines > 1000, staleDeadlines > deadlines.count / 2 else { return }
        staleDeadlines = 0
        deadlines.retain { generation($0.generation)?.suspendedRun($0.run) != nil }
    }

    /// Wakes what waits for the token after so many seconds.
    func sleep(_ token: UInt64, of generation: Int, seconds: Double) {
        let due = Timestamp(microseconds: MonotonicClock.now / 1000).advanced(bySeconds: seconds)
        alarms.insert(Alarm(generation: generation, token: token), due: due)
    }

    /// Where an answer to the token goes, from any thread.
    func answerer(_ token: UInt64, of generation: Int) -> ScriptFunction.Done {
        { [lane, number] result in
            lane.queue.post(.answer(generation: generation, token: token, result), to: number)
        }
    }
}

extension Int64 {
    fileprivate func multiplied(by factor: Int64) -> Int64 {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }
}
