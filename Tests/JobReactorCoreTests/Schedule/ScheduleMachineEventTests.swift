import JobReactorCore
import Testing

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

@Suite struct ScheduleMachineEventTests {
    private static func hourly(_ change: (inout Schedule) -> Void = { _ in }) -> Schedule {
        var schedule = Schedule(name: "s", spec: ScheduleSpec("0 * * * *") ?? .every(3600), job: "job")
        // Lateness has tests of its own.
        schedule.lateAfter = 1e8
        change(&schedule)
        return schedule
    }

    private let day = "2026-01-01T"

    @Test("a job that somebody else has made, and whose end is known and not how, lets the next go on")
    func gone() throws {
        let schedule = Self.hourly { ($0.overlap, $0.heartbeat) = (.queue, "https://example.com") }
        var owner = try ScheduleOwner(schedule, at: day + "09:30")
        #expect(try owner.alarm() == ["enqueue 10:00"])
        #expect(try owner.restart(open: [(day + "10:00", true)], at: day + "10:30") == [])
        #expect(try owner.alarm() == [])
        let id = ScheduleTick(of: "s", at: try utc(day + "10:00")).id
        #expect(try owner.tell(.gone(id), day + "11:10") == ["enqueue 11:00"])
        #expect(owner.machine.state.lastOutcome == nil)
        #expect(try owner.tell(.gone(id), day + "11:11") == [])
    }

    // MARK: Clocks

    @Test("a clock that jumps back fires nothing twice")
    func back() throws {
        var owner = try ScheduleOwner(Self.hourly { $0.overlap = .allow }, at: day + "09:30")
        #expect(try owner.alarm() == ["enqueue 10:00"])
        #expect(try owner.alarm() == ["enqueue 11:00"])
        #expect(try owner.tell(.clockSet, day + "08:00") == [])
        #expect(owner.next == "12:00")
        #expect(try owner.tell(.alarm, day + "10:00") == [])
        #expect(try owner.restart(at: day + "10:30") == [])
        #expect(owner.next == "12:00")
    }

    @Test("a clock that jumps forward is a catch-up")
    func forward() throws {
        var owner = try ScheduleOwner(Self.hourly(), at: day + "09:30")
        #expect(try owner.tell(.clockSet, day + "12:30") == ["missed 2", "enqueue 12:00"])
        var all = try ScheduleOwner(Self.hourly { ($0.catchUp, $0.overlap) = (.all, .allow) }, at: day + "09:30")
        #expect(try all.tell(.clockSet, day + "11:30") == ["enqueue 10:00", "enqueue 11:00"])
    }

    @Test(
        "a clock that was far ahead for a while ends nothing: what was jumped over is still to come, what was made is not"
    )
    func aheadAndBack() throws {
        var owner = try ScheduleOwner(Self.hourly { $0.overlap = .allow }, at: day + "09:30")
        #expect(try owner.tell(.clockSet, "2026-01-31T12:30") == ["missed 722", "enqueue 31 12:00"])
        #expect(try owner.alarm() == ["enqueue 31 13:00"])
        #expect(try owner.tell(.clockSet, day + "09:40") == [])
        #expect(owner.next == "10:00")
        #expect(try owner.alarm() == ["enqueue 10:00"])
        // A restart knows it as well.
        #expect(try owner.restart(at: day + "10:30") == [])
        #expect(try owner.alarm() == ["enqueue 11:00"])
        #expect(try owner.restart(at: "2026-01-31T11:30") == ["missed 719", "enqueue 31 11:00"])
        #expect(owner.next == "31 14:00")
        #expect(try owner.alarm() == ["enqueue 31 14:00"])
    }

    @Test("the same while missed ticks are being made")
    func aheadWhileCatchingUp() throws {
        var owner = try ScheduleOwner(Self.hourly { ($0.catchUp, $0.window) = (.all, 7200) }, at: day + "09:30")
        #expect(try owner.tell(.clockSet, "2026-01-31T12:30") == ["missed 721", "enqueue 31 11:00"])
        #expect(try owner.tell(.clockSet, day + "09:40") == [])
        #expect(try owner.ended("2026-01-31T11:00", at: day + "09:50") == [])
        #expect(owner.next == "10:00")
        #expect(try owner.alarm() == ["enqueue 10:00"])
        #expect(try owner.ended(day + "10:00", at: day + "10:10") == [])
        #expect(try owner.restart(at: "2026-01-31T12:30") == ["missed 720", "enqueue 31 12:00"])
    }

    // MARK: Pausing, editing, removing

    @Test("nothing of a paused schedule is made, nor what was due meanwhile; it says who paused it, and when")
    func paused() throws {
        var owner = try ScheduleOwner(Self.hourly(), at: day + "09:30")
        #expect(try owner.tell(.paused(by: "ann"), day + "09:40") == [])
        #expect(owner.machine.state.pause == Pause(by: "ann", at: try utc(day + "09:40")))
        #expect(owner.wake == nil)
        #expect(owner.machine.next(at: try utc(day + "09:40")) == nil)
        #expect(try owner.tell(.alarm, day + "10:00") == [])
        // It outlives reloads and restarts.
        #expect(
            try owner.tell(.changed(Self.hourly { $0.job = "other" }, ScheduleTimes(Self.hourly().spec)), day + "10:10")
                == [])
        #expect(try owner.restart(at: day + "10:20") == [])
        #expect(owner.wake == nil)
        #expect(try owner.tell(.clockSet, day + "11:20") == [])
        #expect(try owner.tell(.resumed, day + "12:30") == [])
        #expect(owner.next == "13:00")
        #expect(owner.machine.state.missed == 0)
        #expect(try owner.alarm() == ["enqueue 13:00"])
    }

    @Test("a pause drops the tick that waits, and the rest of a catch-up")
    func pausedWhileWaiting() throws {
        var owner = try ScheduleOwner(Self.hourly { $0.overlap = .queue }, at: day + "09:30")
        #expect(try owner.alarm() == ["enqueue 10:00"])
        #expect(try owner.alarm() == [])
        #expect(try owner.tell(.paused(by: "ann"), day + "11:10") == ["skip 11:00 paused"])
        #expect(try owner.ended(day + "10:00", at: day + "11:20") == [])
        var all = try ScheduleOwner(Self.hourly { $0.catchUp = .all }, at: day + "09:30")
        #expect(try all.restart(at: day + "12:30") == ["enqueue 10:00"])
        #expect(try all.tell(.paused(by: "ann"), day + "12:40") == ["missed 2"])
        #expect(try all.ended(day + "10:00", at: day + "12:50") == [])
        #expect(try all.tell(.resumed, day + "12:55") == [])
        #expect(all.next == "13:00")
    }

    @Test("an edit of the job counts from the next tick on, and no tick is lost or doubled by it")
    func edited() throws {
        var owner = try ScheduleOwner(Self.hourly(), at: day + "09:30")
        #expect(try owner.alarm() == ["enqueue 10:00"])
        let edited = Self.hourly { ($0.job, $0.args, $0.overlap) = ("other", ["a": 1], .queue) }
        #expect(try owner.tell(.changed(edited, edited.times()), day + "10:30") == [])
        #expect(owner.machine.schedule == edited)
        #expect(owner.next == "11:00")
        #expect(try owner.alarm() == [])
        let allowing = Self.hourly { $0.overlap = .allow }
        #expect(try owner.tell(.changed(allowing, allowing.times()), day + "11:30") == ["enqueue 11:00"])
    }

    @Test("times that an edit brings are not missed before it")
    func retimed() throws {
        var owner = try ScheduleOwner(
            Self.hourly { $0.spec = ScheduleSpec("0 2 * * *") ?? .every(1) }, at: day + "01:00")
        #expect(try owner.alarm() == ["enqueue 02:00"])
        #expect(try owner.tell(.changed(Self.hourly(), Self.hourly().times()), day + "12:30") == [])
        #expect(owner.next == "13:00")
        // Nor where a process finds another schedule than the one before it had, but what that had is missed.
        #expect(try owner.restart(Self.hourly { $0.spec = .every(60) }, at: day + "14:30:10") == [])
        #expect(owner.next == "14:31")
        let unzoned = Self.hourly { $0.timezone = "Europe/Berlin" }
        guard zone("Europe/Berlin") != nil else { return }
        #expect(try owner.restart(unzoned, at: day + "20:30") == [])
    }

    @Test("an interval that is edited is counted from the last tick")
    func intervalEdited() throws {
        var owner = try ScheduleOwner(Self.hourly { $0.spec = .every(3600) }, at: day + "09:00")
        #expect(try owner.alarm() == ["enqueue 10:00"])
        let edited = Self.hourly { $0.spec = .every(1800) }
        #expect(try owner.tell(.changed(edited, edited.times()), day + "10:20") == [])
        #expect(owner.next == "10:30")
    }

    @Test("a catch-up that an edit does not want any more ends with it")
    func catchUpEdited() throws {
        var owner = try ScheduleOwner(Self.hourly { $0.catchUp = .all }, at: day + "09:30")
        #expect(try owner.restart(at: day + "13:30") == ["enqueue 10:00"])
        let edited = Self.hourly { $0.catchUp = .none }
        #expect(try owner.tell(.changed(edited, edited.times()), day + "13:40") == ["missed 3"])
        #expect(try owner.ended(day + "10:00", at: day + "13:50") == [])
        #expect(owner.next == "14:00")
    }

    @Test("one that is set again knows of the jobs of the one before")
    func setAgain() throws {
        var owner = try ScheduleOwner(Self.hourly(), at: day + "09:30")
        #expect(try owner.alarm() == ["enqueue 10:00"])
        #expect(try owner.tell(.removed, day + "10:10") == [])
        owner.machine = ScheduleMachine(
            Self.hourly(), try Self.hourly().times(), open: [(try utc(day + "10:00"), true)], at: try utc(day + "10:20")
        )
        #expect(try owner.tell(.started, day + "10:20") == [])
        #expect(try owner.alarm() == ["skip 11:00 overlap"])
    }

    @Test("what is stored is found as it was")
    func stored() throws {
        var owner = try ScheduleOwner(Self.hourly { $0.overlap = .queue }, at: day + "09:30")
        #expect(try owner.alarm() == ["enqueue 10:00"])
        #expect(try owner.alarm() == [])
        #expect(try owner.tell(.clockSet, "2026-01-31T12:30") == ["missed 720", "skip 11:00 replaced"])
        #expect(try owner.tell(.clockSet, day + "11:40") == [])
        #expect(try owner.tell(.paused(by: "ann"), day + "11:50") == ["skip 31 12:00 paused"])
        let bytes = try JSONEncoder().encode(owner.machine.state)
        #expect(try JSONDecoder().decode(ScheduleState.self, from: bytes) == owner.machine.state)
    }

    @Test("a schedule that is removed makes no tick more")
    func removed() throws {
        var owner = try ScheduleOwner(Self.hourly { $0.overlap = .queue }, at: day + "09:30")
        #expect(try owner.alarm() == ["enqueue 10:00"])
        #expect(try owner.alarm() == [])
        #expect(try owner.tell(.removed, day + "11:30") == ["skip 11:00 removed"])
        #expect(owner.wake == nil)
    }

    // MARK: Shown

    @Test("a schedule whose tick has not begun in time is late, once a tick, until it begins")
    func late() throws {
        var owner = try ScheduleOwner(Self.hourly { $0.lateAfter = 60 }, at: day + "09:30")
        #expect(try owner.alarm() == ["enqueue 10:00"])
        #expect(owner.next == "10:01")
        #expect(!owner.machine.isLate)
        #expect(try owner.alarm() == ["late 10:00"])
        #expect(owner.machine.isLate && owner.machine.state.late == 1)
        #expect(owner.next == "11:00")
        #expect(try owner.began(day + "10:00", day + "10:02") == [])
        #expect(!owner.machine.isLate)
        #expect(try owner.ended(day + "10:00", at: day + "10:03") == [])
        // One that begins in time is not.
        #expect(try owner.alarm() == ["enqueue 11:00"])
        #expect(try owner.began(day + "11:00", day + "11:00:30") == [])
        #expect(owner.next == "12:00")
        #expect(owner.machine.state.late == 1)
    }

    @Test("a tick that waits for an earlier one is late as well, and so is one of an earlier process")
    func lateWaiting() throws {
        var owner = try ScheduleOwner(Self.hourly { ($0.lateAfter, $0.overlap) = (60, .queue) }, at: day + "09:30")
        #expect(try owner.alarm() == ["enqueue 10:00"])
        #expect(try owner.began(day + "10:00", day + "10:00:01") == [])
        #expect(try owner.alarm() == [])
        #expect(try owner.alarm() == ["late 11:00"])
        #expect(try owner.restart(open: [(day + "10:00", false)], at: day + "11:30") == [])
        #expect(owner.next == "11:31")
        #expect(try owner.alarm() == ["late 10:00", "late 11:00"])
        // The tick is late once, when it waits or later.
        #expect(try owner.ended(day + "10:00", at: day + "11:40") == ["enqueue 11:00"])
        #expect(owner.machine.isLate)
        #expect(try owner.tell(.alarm, day + "11:50") == [])
        #expect(try owner.began(day + "11:00", day + "11:51") == [])
        #expect(!owner.machine.isLate && owner.machine.state.late == 3)
    }

    @Test("what is looked at for lateness is bounded by the unfinished ticks")
    func lateBounded() throws {
        // The first never begins.
        var owner = try ScheduleOwner(
            Self.hourly { ($0.spec, $0.overlap, $0.lateAfter) = (.every(1), .allow, 1e9) }, at: day + "00:00")
        #expect(try owner.alarm() == ["enqueue 00:00:01"])
        for _ in 0..<300 {
            #expect(try owner.alarm().count == 1)
            let tick = try #require(owner.ticks.last)
            _ = try owner.tell(.began(ScheduleTick(of: "s", at: tick).id), at: tick)
            _ = try owner.tell(.ended(ScheduleTick(of: "s", at: tick).id, .complete), at: tick)
            #expect(owner.machine.watchedCount < 25)
        }
        #expect(owner.machine.openCount == 1)
    }

    @Test("the heartbeat is asked for after each good run")
    func heartbeat() throws {
        var owner = try ScheduleOwner(Self.hourly { $0.heartbeat = "https://example.com/ping" }, at: day + "09:30")
        #expect(try owner.alarm() == ["enqueue 10:00"])
        #expect(try owner.ended(day + "10:00", at: day + "10:05") == ["heartbeat https://example.com/ping"])
        #expect(try owner.ended(day + "10:00", at: day + "10:06") == [])
        #expect(try owner.alarm() == ["enqueue 11:00"])
        #expect(try owner.ended(day + "11:00", .failed, at: day + "11:05") == [])
    }
}
