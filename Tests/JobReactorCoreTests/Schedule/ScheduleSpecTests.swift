import JobReactorCore
import Testing

@Suite struct ScheduleSpecTests {
    /// The first ticks in UTC after a time, as texts.
    private static func ticks(_ text: String, after start: String = "2026-01-01T00:00", _ count: Int) throws -> [String]
    {
        let times = ScheduleTimes(try ScheduleSpec(parsing: text))
        return times.shown(after: try utc(start), count)
    }

    @Test(
        "a spec is due when it says",
        arguments: [
            // Five fields: minute, hour, day of month, month, day of week.
            ("30 2 * * *", ["2026-01-01T02:30", "2026-01-02T02:30"]),
            ("* * * * *", ["2026-01-01T00:01", "2026-01-01T00:02"]),
            // Six have seconds first.
            ("10 0 0 * * *", ["2026-01-01T00:00:10", "2026-01-02T00:00:10"]),
            ("*/20 * * * * *", ["2026-01-01T00:00:20", "2026-01-01T00:00:40", "2026-01-01T00:01"]),
            // Lists, ranges, steps.
            ("0,30 0 * * *", ["2026-01-01T00:30", "2026-01-02T00:00"]),
            ("0 22-23 * * *", ["2026-01-01T22:00", "2026-01-01T23:00", "2026-01-02T22:00"]),
            ("*/25 0 * * *", ["2026-01-01T00:25", "2026-01-01T00:50", "2026-01-02T00:00"]),
            ("1-10/4,40 3 * * *", ["2026-01-01T03:01", "2026-01-01T03:05", "2026-01-01T03:09", "2026-01-01T03:40"]),
            ("0 0 1-31/10 * *", ["2026-01-11T00:00", "2026-01-21T00:00", "2026-01-31T00:00", "2026-02-01T00:00"]),
            // Names in any case.
            ("0 0 1 MAR,Jun *", ["2026-03-01T00:00", "2026-06-01T00:00", "2027-03-01T00:00"]),
            ("0 0 * feb-mar wed", ["2026-02-04T00:00", "2026-02-11T00:00"]),
            ("0 0 * * Mon-Fri/2", ["2026-01-02T00:00", "2026-01-05T00:00", "2026-01-07T00:00"]),
            // 7 = 0 = Sunday, at both ends of a week.
            ("0 0 * * 7", ["2026-01-04T00:00", "2026-01-11T00:00"]),
            ("0 0 * * 0", ["2026-01-04T00:00", "2026-01-11T00:00"]),
            ("0 0 * * 6-7", ["2026-01-03T00:00", "2026-01-04T00:00", "2026-01-10T00:00"]),
            ("0 0 * * fri-sun", ["2026-01-02T00:00", "2026-01-03T00:00", "2026-01-04T00:00", "2026-01-09T00:00"]),
            ("0 0 * * 7-1", ["2026-01-04T00:00", "2026-01-05T00:00", "2026-01-11T00:00"]),
            ("0 0 * * */2", ["2026-01-03T00:00", "2026-01-04T00:00", "2026-01-06T00:00"]),
            // When both kinds of days are restricted, either suffices.
            ("0 0 13 * fri", ["2026-01-02T00:00", "2026-01-09T00:00", "2026-01-13T00:00", "2026-01-16T00:00"]),
            ("0 0 31 2 mon", ["2026-02-02T00:00", "2026-02-09T00:00"]),
            // As in Vixie's cron a field that begins with * restricts nothing for that rule: both must match.
            ("0 0 */2 * mon", ["2026-01-05T00:00", "2026-01-19T00:00"]),
            ("0 0 13 * */5", ["2026-02-13T00:00", "2026-03-13T00:00", "2026-09-13T00:00"]),
            // The ends of months and years.
            ("59 23 31 12 *", ["2026-12-31T23:59", "2027-12-31T23:59"]),
            ("0 0 29 2 *", ["2028-02-29T00:00", "2032-02-29T00:00"]),
            ("0 0 31 * *", ["2026-01-31T00:00", "2026-03-31T00:00", "2026-05-31T00:00"]),
            // By name.
            ("@yearly", ["2027-01-01T00:00", "2028-01-01T00:00"]),
            ("@annually", ["2027-01-01T00:00"]),
            ("@monthly", ["2026-02-01T00:00", "2026-03-01T00:00"]),
            ("@weekly", ["2026-01-04T00:00", "2026-01-11T00:00"]),
            ("@daily", ["2026-01-02T00:00", "2026-01-03T00:00"]),
            ("@Midnight", ["2026-01-02T00:00"]),
            ("@hourly", ["2026-01-01T01:00", "2026-01-01T02:00"]),
            // Spaces and tabs, as many as there are.
            ("  0\t3  * *   * ", ["2026-01-01T03:00"]),
        ] as [(String, [String])])
    func due(text: String, expected: [String]) throws {
        #expect(try Self.ticks(text, expected.count) == expected)
    }

    @Test(
        "an interval is due that long after the tick before",
        arguments: [
            ("every 90s", 90, "every 90s"), ("every 15m", 900, "every 15m"), ("every 2h", 7200, "every 2h"),
            ("every 1d", 86_400, "every 1d"), ("EVERY 3600S", 3600, "every 1h"), (" every\t 1s ", 1, "every 1s"),
            ("every 36525d", 3_155_760_000, "every 36525d"),
        ] as [(String, Int, String)])
    func every(text: String, seconds: Int, description: String) throws {
        let spec = try ScheduleSpec(parsing: text)
        #expect(spec == .every(seconds))
        #expect(spec.description == description)
        let times = ScheduleTimes(spec)
        let base = try utc("2026-01-01T00:00")
        let interval = Timestamp(seconds: Double(seconds)).microseconds
        var last = base
        for _ in 0..<3 {
            let next = try #require(times.next(after: last, countedFrom: base)?.at)
            #expect(next.elapsed(since: last) == interval)
            #expect(times.next(after: next.advanced(byMicroseconds: -1), countedFrom: base)?.at == next)
            last = next
        }
        // Before what it is counted from it is never due.
        let early = times.next(after: base.advanced(bySeconds: -1e6), countedFrom: base)?.at
        #expect(early?.elapsed(since: base) == interval)
    }

    @Test(
        "what is no spec is refused, with the place and what to write",
        arguments: [
            ("", 0, "a schedule has five fields, not none"),
            ("   ", 0, "a schedule has five fields, not none"),
            ("daily", 5, "a schedule has five fields, not one"),
            (
                "0 2 * *", 7,
                "a schedule has five fields, not 4: write minute, hour, day of month, month and day of week"
            ),
            ("0 0 2 * * * 2027", 12, "'2027' is one field too many"),
            ("60 * * * *", 0, "the minute goes from 0 to 59, not 60"),
            ("0 24 * * *", 2, "the hour goes from 0 to 23, not 24"),
            ("0 0 0 * *", 4, "the day of the month goes from 1 to 31, not 0"),
            ("0 0 1 13 *", 6, "the month goes from 1 to 12 or jan to dec, not 13"),
            ("0 0 * * 8", 8, "the day of the week goes from 0 to 7 or sun to sat, not 8"),
            ("61 0 0 * * *", 0, "the second goes from 0 to 59, not 61"),
            ("0 1,2,99 * * *", 6, "the hour goes from 0 to 23, not 99"),
            ("0 0 * foo *", 6, "'foo' is not a month: write 1 to 12 or jan to dec"),
            ("0 0 * january *", 6, "'january' is not a month: write jan"),
            ("0 0 * * wendesday", 8, "'wendesday' is not a day of the week: write"),
            ("mon 0 * * *", 0, "'mon' is not a minute: write 0 to 59"),
            ("? 0 * * *", 0, "the minute has '?' where a value is expected: write 0 to 59, or * for every one"),
            ("0 0 L * *", 4, "'L' is not a day of the month: write 1 to 31"),
            ("0 0 15W * *", 6, "'W' is not understood in the day of the month"),
            ("0 0 * * 5#2", 9, "'#2' is not understood in the day of the week"),
            ("0 0 1, * *", 6, "the day of the month has nothing where a value is expected"),
            ("0 ,1 * * *", 2, "the hour has nothing where a value is expected"),
            ("-5 * * * *", 0, "the minute has '-5' where a value is expected"),
            ("1- * * * *", 2, "the minute has nothing where a value is expected"),
            ("0 22-6 * * *", 2, "the range 22-6 ends before it begins: write 22-23,0-6"),
            ("0 0 * * sat-mon", 8, "the range sat-mon ends before it begins: write 6-6,0-1"),
            ("5/15 * * * *", 0, "the step of 5/15 has no range: write 5-59/15"),
            ("*/0 * * * *", 2, "the step of the minute goes from 1 to 59, not '0'"),
            ("*/90 * * * *", 2, "the step of the minute goes from 1 to 59, not '90': write */1 to */59, or every 90m"),
            ("0 */24 * * *", 4, "the step of the hour goes from 1 to 23, not '24'"),
            ("*/x * * * *", 2, "the step of the minute goes from 1 to 59, not 'x'"),
            ("99999999999999999999 * * * *", 0, "the minute goes from 0 to 59, not 99999999999999999999"),
            ("0 0 31 2 *", 4, "it is never due, as feb has no day 31: write a day up to 29, or another month"),
            ("0 0 30 2 *", 4, "it is never due, as feb has no day 30"),
            ("0 0 31 4,6,9,11 *", 4, "it is never due, as apr, jun, sep, nov has no day 31: write a day up to 30"),
            ("0 0 30,31 feb */2", 4, "it is never due"),
            ("@reboot", 0, "'@reboot' is unknown: write one of @annually, @daily"),
            ("@dayly", 0, "'@dayly' is unknown: did you mean @daily?"),
            ("@every 5m", 0, "'@every' is unknown: write every 5m"),
            ("@daily 5", 7, "'5' is too much: write only @daily"),
            ("every", 5, "an interval is missing: write a number and a unit"),
            ("every day", 6, "'day' is not an interval: write a number and a unit, such as every 90s"),
            ("every 90", 6, "'90' is not an interval"),
            ("every 5 m", 8, "'m' is too much"),
            ("every 1w", 6, "'1w' is not an interval"),
            ("every 0s", 6, "an interval takes 1s to 36525d, not 0s"),
            ("every 36526d", 6, "an interval takes 1s to 36525d, not 36526d"),
            ("every 99999999999999999999d", 6, "an interval takes 1s to 36525d"),
            ("every -5s", 6, "'-5s' is not an interval"),
            ("0 3 * * *\n", 9, "'\n' is not understood"),
            ("0 ä * * *", 2, "the hour has 'ä' where a value is expected"),
        ] as [(String, Int, String)])
    func refused(text: String, offset: Int, reason: String) {
        #expect(ScheduleSpec(text) == nil)
        do {
            Issue.record("\(try ScheduleSpec(parsing: text)) is no error")
        } catch {
            #expect(error.offset == offset, "\(error)")
            #expect(error.reason.hasPrefix(reason), "\(error)")
            #expect(error.description == "invalid schedule at byte \(offset): \(error.reason)")
        }
    }

    @Test("a spec has at most 255 bytes, and no error repeats more than that")
    func longest() throws {
        let minutes = (0..<80).map { "\($0 % 10)" }.joined(separator: ",")
        let longest = minutes + String(repeating: " ", count: 255 - minutes.utf8.count - 7) + "* * * *"
        #expect(longest.utf8.count == 255)
        #expect(try ScheduleSpec(parsing: longest).description == longest)
        let error = #expect(throws: ScheduleSpecError.self) { try ScheduleSpec(parsing: longest + " ") }
        #expect(error?.offset == 255)
        #expect(error?.reason == "a schedule takes at most 255 bytes, not 256")
        let word = String(repeating: "x", count: 250)
        let long = #expect(throws: ScheduleSpecError.self) { try ScheduleSpec(parsing: "\(word) * *") }
        let unknown = #expect(throws: ScheduleSpecError.self) { try ScheduleSpec(parsing: "@\(word)") }
        for error in [long, unknown] { #expect(error.map { $0.reason.utf8.count < 400 } == true) }
    }

    @Test("the text of a spec is kept, and equal texts are equal specs")
    func text() throws {
        let spec = try ScheduleSpec(parsing: "0  2 * * MON")
        #expect(spec.description == "0  2 * * MON")
        #expect(ScheduleSpec(spec.description) == spec)
        #expect(ScheduleSpec("0 2 * * mon") != spec)
    }

    @Test(
        "a spec names hours unless its hour is * or a step",
        arguments: [
            ("0 * * * *", false), ("0 */2 * * *", false), ("0 8-18/2 * * *", false), ("0 0-23 * * *", true),
            ("0 3 * * *", true), ("*/5 3 * * *", true), ("0 3,*/6 * * *", true), ("@daily", true), ("@hourly", false),
        ])
    func namesHours(text: String, namesHours: Bool) throws {
        guard case .cron(let expression) = try ScheduleSpec(parsing: text) else {
            Issue.record("\(text) is none")
            return
        }
        #expect(expression.namesHours == namesHours)
    }
}
