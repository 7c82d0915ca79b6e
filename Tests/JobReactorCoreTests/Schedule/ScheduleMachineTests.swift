import JobReactorCore
import Testing

@Suite struct ScheduleMachineTests {
    private static func hourly(_ change: (inout Schedule) -> Void = { _ in }) -> Schedule {
        var schedule = Schedule(name: "s", spec: ScheduleSpec("0 * * * *") ?? .every(3600), job: "job")
        // Lateness has tests of its own.
        schedule.lateAfter = 1e8
        change(&schedule)
        return schedule
    }

    private let day = "2026-01-01T"

    // MARK: Ticks

    @Test("each tick becomes one job, with the id of the tick")
    func ticks() throws {
        var owner = try ScheduleOwner(Self.hourly(), at: day + "09:30")
        #expect(owner.next == "10:00")
        #expect(try owner.alarm() == ["enqueue 10:00"])
        #expect(owner.next == "11:00")
        #expect(try owner.ended(day + "10:00", at: day + "10:05") == [])
        #expect(try owner.alarm() == ["enqueue 11:00"])
        #expect(owner.machine.state.made == 2)
        #expect(owner.machine.state.last == owner.ticks.last)
        #expect(owner.machine.state.lastOutcome == .complete)
        // An alarm before its time changes nothing.
        #expect(try owner.tell(.alarm, day + "11:30") == [])
        #expect(owner.next == "12:00")
        #expect(owner.machine.next(at: try utc(day + "11:30")) == (try utc(day + "12:00")))
    }

    @Test("an interval is counted from the last tick, and its first tick comes no sooner than it says")
    func interval() throws {
        var owner = try ScheduleOwner(Self.hourly { $0.spec = .every(90) }, at: day + "09:00:01")
        #expect(owner.next == "09:01:31")
        #expect(try owner.alarm() == ["enqueue 09:01:31"])
        #expect(owner.next == "09:03:01")
        var fraction = ScheduleMachine(
            Self.hourly { $0.spec = .every(1) }, ScheduleTimes(.every(1)),
            at: try utc(day + "09:00").advanced(bySeconds: 0.4))
        let actions = fraction.apply(.started, at: try utc(day + "09:00").advanced(bySeconds: 0.4))
        #expect(actions == [.wake(try utc(day + "09:00:02"))])
    }

    @Test("jitter makes the job due later, not the tick")
    func jitter() throws {
        var owner = try ScheduleOwner(Self.hourly { $0.jitter = 600 }, at: day + "09:30")
        #expect(owner.next == "10:00")
        let words = try owner.alarm()
        let due = ScheduleTick(of: "s", at: try utc(day + "10:00")).due(jitter: 600)
        #expect(words == ["enqueue 10:00 due \(owner.text(due))"])
        // When that time has passed as well, it is due at once.
        #expect(try owner.restart(at: day + "11:30") == ["enqueue 11:00"])
    }

    @Test("nothing is due before a schedule starts or after it ends")
    func bounds() throws {
        let (starts, ends) = (try utc(day + "11:00"), try utc(day + "12:00"))
        var owner = try ScheduleOwner(
            Self.hourly { ($0.starts, $0.ends, $0.overlap) = (starts, ends, .allow) }, at: day + "09:30")
        #expect(owner.next == "11:00")
        #expect(try owner.alarm() == ["enqueue 11:00"])
        #expect(try owner.alarm() == ["enqueue 12:00"])
        owner.machine = ScheduleMachine(
            owner.machine.schedule, try owner.machine.schedule.times(), restoring: owner.machine.state, open: [],
            at: try utc(day + "15:00"))
        #expect(try owner.tell(.started, day + "15:00") == [])
        #expect(owner.machine.next(at: try utc(day + "15:00")) == nil)
    }

    @Test("a run by hand is a job of its own, paused or not, and changes no tick")
    func byHand() throws {
        var owner = try ScheduleOwner(Self.hourly { $0.jitter = 600 }, at: day + "09:30")
        #expect(try owner.tell(.paused(by: "ann"), day + "09:31") == [])
        #expect(try owner.tell(.run, day + "09:40") == ["enqueue 09:40"])
        // The same once more is the same job.
        #expect(try owner.tell(.run, day + "09:40") == [])
        #expect(try owner.tell(.run, day + "09:41") == ["skip 09:41 overlap"])
        #expect(try owner.ended(day + "09:40", at: day + "09:42") == [])
        #expect(try owner.tell(.resumed, day + "09:50") == [])
        #expect(owner.next == "10:00")
    }

    // MARK: Overlap

    @Test("skip: while the job of an earlier tick is unfinished, ticks are left out and counted")
    func skip() throws {
        var owner = try ScheduleOwner(Self.hourly(), at: day + "09:30")
        #expect(try owner.alarm() == ["enqueue 10:00"])
        #expect(try owner.alarm() == ["skip 11:00 overlap"])
        #expect(try owner.alarm() == ["skip 12:00 overlap"])
        #expect(owner.machine.state.skipped == 2)
        #expect(try owner.ended(day + "10:00", .failed, at: day + "12:30") == [])
        #expect(owner.machine.state.lastOutcome == .failed)
        #expect(try owner.alarm() == ["enqueue 13:00"])
    }

    @Test("queue: the newest tick waits, one at most, until the earlier has ended")
    func queue() throws {
        var owner = try ScheduleOwner(Self.hourly { $0.overlap = .queue }, at: day + "09:30")
        #expect(try owner.alarm() == ["enqueue 10:00"])
        #expect(try owner.alarm() == [])
        #expect(owner.machine.state.waiting == (try utc(day + "11:00")))
        #expect(try owner.alarm() == ["skip 11:00 replaced"])
        #expect(try owner.ended(day + "10:00", at: day + "12:30") == ["enqueue 12:00"])
        #expect(owner.machine.state.waiting == nil)
        #expect(try owner.ended(day + "10:00", at: day + "12:31") == [])
        #expect(try owner.ended(day + "12:00", at: day + "12:40") == [])
        #expect(try owner.alarm() == ["enqueue 13:00"])
        #expect(owner.machine.state.skipped == 1)
    }

    @Test("what waits is there after a restart")
    func queueRestarted() throws {
        var owner = try ScheduleOwner(Self.hourly { $0.overlap = .queue }, at: day + "09:30")
        #expect(try owner.alarm() == ["enqueue 10:00"])
        #expect(try owner.alarm() == [])
        #expect(try owner.restart(open: [(day + "10:00", true)], at: day + "11:10") == [])
        #expect(try owner.ended(day + "10:00", at: day + "11:20") == ["enqueue 11:00"])
        // The earlier may have ended meanwhile.
        #expect(try owner.alarm() == [])
        #expect(try owner.restart(at: day + "12:10") == ["enqueue 12:00"])
    }

    @Test("allow: each tick runs, whatever the earlier do")
    func allow() throws {
        var owner = try ScheduleOwner(Self.hourly { $0.overlap = .allow }, at: day + "09:30")
        #expect(try owner.alarm() == ["enqueue 10:00"])
        #expect(try owner.alarm() == ["enqueue 11:00"])
        #expect(owner.machine.openCount == 2)
        #expect(try owner.alarm() == ["enqueue 12:00"])
    }

    @Test("cancel: the earlier is cancelled, and the tick follows when it has ended")
    func cancel() throws {
        var owner = try ScheduleOwner(Self.hourly { $0.overlap = .cancel }, at: day + "09:30")
        #expect(try owner.alarm() == ["enqueue 10:00"])
        #expect(try owner.alarm() == ["cancel 10:00"])
        // It takes its time.
        #expect(try owner.alarm() == ["cancel 10:00", "skip 11:00 replaced"])
        #expect(try owner.ended(day + "10:00", .cancelled, at: day + "12:01") == ["enqueue 12:00"])
    }

    // MARK: Catching up

    @Test("last: after time in which nobody could make ticks, the newest missed tick is made once")
    func last() throws {
        var owner = try ScheduleOwner(Self.hourly(), at: day + "09:30")
        #expect(try owner.restart(at: day + "13:30") == ["missed 3", "enqueue 13:00"])
        #expect(owner.next == "14:00")
        #expect(owner.machine.state.missed == 3)
        #expect(try owner.restart(open: [(day + "13:00", false)], at: day + "13:40") == [])
    }

    @Test("all: the missed ticks are made, the oldest first, each when the one before has ended")
    func all() throws {
        var owner = try ScheduleOwner(Self.hourly { $0.catchUp = .all }, at: day + "09:30")
        #expect(try owner.restart(at: day + "12:30") == ["enqueue 10:00"])
        #expect(try owner.ended(day + "10:00", at: day + "12:40") == ["enqueue 11:00"])
        // One that comes due meanwhile joins the end.
        #expect(try owner.ended(day + "11:00", at: day + "13:10") == ["enqueue 12:00"])
        // So it does after another restart.
        #expect(try owner.restart(open: [(day + "12:00", true)], at: day + "13:20") == [])
        #expect(try owner.ended(day + "12:00", at: day + "13:30") == ["enqueue 13:00"])
        #expect(try owner.ended(day + "13:00", at: day + "13:40") == [])
        #expect(owner.next == "14:00")
        #expect(try owner.alarm() == ["enqueue 14:00"])
        #expect(owner.machine.state.missed == 0 && owner.machine.state.skipped == 0)
    }

    @Test("all, where ticks may overlap: at once")
    func allAtOnce() throws {
        var owner = try ScheduleOwner(Self.hourly { ($0.catchUp, $0.overlap) = (.all, .allow) }, at: day + "09:30")
        #expect(try owner.restart(at: day + "12:30") == ["enqueue 10:00", "enqueue 11:00", "enqueue 12:00"])
        #expect(owner.next == "13:00")
    }

    @Test("all: at most 1,000, those before are missed for good")
    func mostCaughtUp() throws {
        let schedule = Self.hourly {
            ($0.spec, $0.catchUp, $0.overlap) = (ScheduleSpec("* * * * *") ?? .every(60), .all, .allow)
        }
        var owner = try ScheduleOwner(schedule, at: day + "00:00")
        // 1,080 minutes.
        let words = try owner.restart(at: day + "18:00:30")
        #expect(words.count == 1001)
        #expect(words.first == "missed 80")
        #expect(words[1] == "enqueue 01:21" && words.last == "enqueue 18:00")
        #expect(owner.next == "18:01")
    }

    @Test("none: what is missed is missed")
    func none() throws {
        var owner = try ScheduleOwner(Self.hourly { $0.catchUp = .none }, at: day + "09:30")
        #expect(try owner.restart(at: day + "12:30") == ["missed 3"])
        #expect(owner.next == "13:00")
        // Some seconds are no absence.
        #expect(try owner.tell(.alarm, day + "13:00:05") == ["enqueue 13:00"])
    }

    @Test("ticks older than the window are missed for good", arguments: ScheduleCatchUp.allCases)
    func window(catchUp: ScheduleCatchUp) throws {
        var owner = try ScheduleOwner(Self.hourly { ($0.catchUp, $0.window) = (catchUp, 3600) }, at: day + "09:30")
        let expected: [ScheduleCatchUp: [String]] = [
            .last: ["missed 3", "enqueue 13:00"], .all: ["missed 3", "enqueue 13:00"], .none: ["missed 4"],
        ]
        #expect(try owner.restart(at: day + "13:30") == expected[catchUp])
        var nightly = try ScheduleOwner(
            Self.hourly {
                ($0.spec, $0.catchUp, $0.window) = (ScheduleSpec("0 2 * * *") ?? .every(1), catchUp, 3600)
            }, at: day + "01:00")
        #expect(try nightly.restart(at: day + "13:30") == ["missed 1"])
        #expect(nightly.next == "2 02:00")
    }

    @Test("what gets too old while others are caught up with is missed, too")
    func windowMeanwhile() throws {
        var owner = try ScheduleOwner(Self.hourly { ($0.catchUp, $0.window) = (.all, 7200) }, at: day + "09:30")
        #expect(try owner.restart(at: day + "12:30") == ["missed 1", "enqueue 11:00"])
        #expect(try owner.ended(day + "11:00", at: day + "15:30") == ["missed 2", "enqueue 14:00"])
        #expect(try owner.ended(day + "14:00", at: day + "15:40") == ["enqueue 15:00"])
    }

    @Test("an absence of any length takes bounded steps, and counts at most 1,000")
    func longAbsence() throws {
        let schedule = Self.hourly { $0.spec = ScheduleSpec("* * * * * *") ?? .every(1) }
        var owner = try ScheduleOwner(schedule, at: day + "00:00")
        #expect(try owner.restart(at: "2046-01-01T00:00") == ["missed 1000", "enqueue 7306 00:00"])
    }

    @Test("a catch-up is a tick like others: it is skipped while an earlier job is unfinished")
    func catchUpOverlaps() throws {
        var owner = try ScheduleOwner(Self.hourly(), at: day + "09:30")
        #expect(try owner.alarm() == ["enqueue 10:00"])
        #expect(
            try owner.restart(open: [(day + "10:00", true)], at: day + "12:30") == ["missed 1", "skip 12:00 overlap"])
        var all = try ScheduleOwner(Self.hourly { $0.catchUp = .all }, at: day + "09:30")
        #expect(try all.alarm() == ["enqueue 10:00"])
        #expect(try all.restart(open: [(day + "10:00", true)], at: day + "11:30") == [])
        #expect(try all.ended(day + "10:00", at: day + "11:40") == ["enqueue 11:00"])
    }
}
