import ArgumentParser
import JobReactorCore
import Testing

@testable import JobReactorCommand

@Suite("schedules preview") struct SchedulesPreviewTests {
    /// A zone whose clocks go forward on the last Sunday of March and back on that of October, whatever zones the machine has.
    private static func berlin(_ spec: String) throws -> ScheduleTimes {
        try Schedule("s", spec, ["timezone": "Europe/Berlin"], job: "j").times()
    }

    /// 2026-03-28T00:00:00Z
    private static let march = Timestamp(seconds: 1_774_656_000)
    private static let hasZones = (try? ZoneDatabase.system.rules(of: "Europe/Berlin")) != nil

    @Test("times stand with their offset, and with what daylight saving did to them", .enabled(if: hasZones))
    func table() throws {
        let times = SchedulesPreviewCommand.times(try Self.berlin("30 2 * * *"), after: Self.march, count: 3)
        #expect(
            SchedulesPreviewCommand.table(of: times).text == """
                LOCAL TIME                 SECONDS SINCE 1970  DAYLIGHT SAVING
                2026-03-28T02:30:00+01:00          1774661400
                2026-03-29T03:00:00+02:00          1774746000  local time does not exist that day: due at the end of the gap
                2026-03-30T02:30:00+02:00          1774830600
                """)
        #expect(
            SchedulesPreviewCommand.json(of: Array(times.prefix(2)))
                == #"[{"at":1774661400,"local":"2026-03-28T02:30:00+01:00","rule":null},"#
                + #"{"at":1774746000,"local":"2026-03-29T03:00:00+02:00","rule":"gap"}]"#)
    }

    @Test("without a change of the clocks nothing is said of one, and intervals count from the beginning")
    func plain() throws {
        let schedule = try Schedule("s", "every 90s", [:], job: "j")
        let times = SchedulesPreviewCommand.times(try schedule.times(), after: Self.march, count: 2)
        #expect(
            SchedulesPreviewCommand.table(of: times).text == """
                LOCAL TIME                 SECONDS SINCE 1970
                2026-03-28T00:01:30+00:00          1774656090
                2026-03-28T00:03:00+00:00          1774656180
                """)
    }

    @Test("the calendar is what the flags say")
    func options() throws {
        let options = try CalendarOptions.parse([
            "--timezone", "Europe/Berlin", "--dst-gap", "skip", "--dst-repeat", "both",
        ])
        #expect(try options.options() == ["timezone": "Europe/Berlin", "dst_gap": "skip", "dst_repeat": "both"])
        #expect(try CalendarOptions.parse([]).options() == [:])
        let wrong = try CalendarOptions.parse(["--dst-gap", "never"])
        #expect(failure { _ = try wrong.options() }?.message == "--dst-gap takes one of run, skip, not 'never'")
        let other = try CalendarOptions.parse(["--dst-repeat", "twice"])
        #expect(
            failure { _ = try other.options() }?.message
                == "--dst-repeat takes one of first, last, both, not 'twice'")
    }

    @Test("counts are those that a screen can hold", arguments: ["0", "1001", "-1", "x"])
    func count(_ text: String) {
        #expect(throws: (any Error).self) { try SchedulesPreviewCommand.parse(["@daily", "--count=\(text)"]) }
    }
}
