import JobReactorCore
import Testing

@Suite struct ScheduleTests {
    private static func schedule(_ change: (inout Schedule) -> Void = { _ in }) throws -> Schedule {
        var schedule = Schedule(name: "nightly", spec: try ScheduleSpec(parsing: "30 2 * * *"), job: "report")
        change(&schedule)
        return schedule
    }

    @Test(
        "where nobody says anything it is UTC, gaps run, the first of two counts, overlaps are skipped, the last is caught up with"
    )
    func defaults() throws {
        let schedule = try Self.schedule()
        #expect(schedule.timezone == "UTC" && schedule.gap == .run && schedule.repetition == .first)
        #expect(schedule.overlap == .skip && schedule.catchUp == .last && schedule.window == 86_400)
        #expect(schedule.jitter == 0 && schedule.lateAfter == 60 && schedule.heartbeat == nil && schedule.args == [:])
        #expect(throws: Never.self) { try schedule.validate() }
        #expect(try schedule.times().zone == .utc)
    }

    @Test("values are written as on the wire")
    func words() {
        #expect(ScheduleOverlap.allCases.map(\.rawValue) == ["skip", "queue", "allow", "cancel"])
        #expect(ScheduleCatchUp.allCases.map(\.rawValue) == ["last", "all", "none"])
        #expect(DaylightGap.allCases.map(\.rawValue) == ["run", "skip"])
        #expect(DaylightRepeat.allCases.map(\.rawValue) == ["first", "last", "both"])
        #expect(ScheduleTime.Rule.gap.rawValue == "gap" && ScheduleTime.Rule.repeat.rawValue == "repeat")
    }

    @Test("what is wrong with a value is told")
    func wrong() throws {
        let date = Timestamp(microseconds: 0)
        for (change, message) in [
            ({ $0.name = "" }, "the schedule's name must not be empty"),
            ({ $0.name = "a b" }, "the schedule's name must not contain spaces or control characters"),
            ({ $0.job = "" }, "the job's name must not be empty"),
            ({ $0.args = ["x": .number(.nan)] }, "args.x: NaN cannot be stored as JSON"),
            ({ $0.window = -1 }, "window takes seconds from 0 to 3155760000, not -1.0"),
            ({ $0.window = .infinity }, "window takes seconds from 0 to 3155760000, not inf"),
            ({ $0.jitter = .nan }, "jitter takes seconds from 0 to 3155760000, not nan"),
            ({ $0.lateAfter = 0 }, "late_after takes seconds above 0 up to 3155760000, not 0.0"),
            (
                { ($0.starts, $0.ends) = (date.advanced(bySeconds: 1), date) },
                "the schedule ends before it starts, so it is never due"
            ),
            ({ $0.heartbeat = "ftp://x" }, "heartbeat takes a URL that begins with https:// or http://, not 'ftp://x'"),
        ] as [((inout Schedule) -> Void, String)] {
            let schedule = try Self.schedule(change)
            let error = #expect(throws: JobError.self) { try schedule.validate() }
            #expect(error?.message == message)
        }
        let nowhere = try Self.schedule { $0.timezone = "Nowhere at all" }
        #expect(throws: JobError.self) { try nowhere.times() }
    }
}
