import JobReactorCore
import Testing

@Suite struct ScheduleTimesTests {
    /// A case of daylight saving: what is due in a zone after a time of UTC, with what daylight saving did.
    struct Case: CustomTestStringConvertible, Sendable {
        let spec: String
        let zone: String
        let after: String
        var gap = DaylightGap.run
        var repetition = DaylightRepeat.first
        let ticks: [String]

        var testDescription: String { "\(spec) in \(zone) after \(after), \(gap), \(repetition)" }
    }

    // Berlin goes from 02:00 to 03:00 on March 29, 2026 at 01:00 UTC, and from 03:00 to 02:00 on October 25 at 01:00 UTC.
    private static let cases = [
        // A tick in the gap is due at the first instant after it, or not at all.
        Case(
            spec: "30 2 * * *", zone: "Europe/Berlin", after: "2026-03-28T00:00",
            ticks: ["2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00 gap", "2026-03-30T02:30:00+02:00"]),
        Case(
            spec: "30 2 * * *", zone: "Europe/Berlin", after: "2026-03-28T00:00", gap: .skip,
            ticks: ["2026-03-28T02:30:00+01:00", "2026-03-30T02:30:00+02:00", "2026-03-31T02:30:00+02:00"]),
        // One tick, whatever of the spec lies in the gap.
        Case(
            spec: "*/15 2,3 * * *", zone: "Europe/Berlin", after: "2026-03-28T22:00",
            ticks: ["2026-03-29T03:00:00+02:00 gap", "2026-03-29T03:15:00+02:00", "2026-03-29T03:30:00+02:00"]),
        // A tick in the repeated hour comes the first time, the last, or both.
        Case(
            spec: "30 2 * * *", zone: "Europe/Berlin", after: "2026-10-24T12:00",
            ticks: ["2026-10-25T02:30:00+02:00 repeat", "2026-10-26T02:30:00+01:00"]),
        Case(
            spec: "30 2 * * *", zone: "Europe/Berlin", after: "2026-10-24T12:00", repetition: .last,
            ticks: ["2026-10-25T02:30:00+01:00 repeat", "2026-10-26T02:30:00+01:00"]),
        Case(
            spec: "30 2 * * *", zone: "Europe/Berlin", after: "2026-10-24T12:00", repetition: .both,
            ticks: [
                "2026-10-25T02:30:00+02:00 repeat", "2026-10-25T02:30:00+01:00 repeat", "2026-10-26T02:30:00+01:00",
            ]),
        // A spec that is due on that day alone is not passed over.
        Case(
            spec: "30 2 25 10 *", zone: "Europe/Berlin", after: "2026-10-25T00:45", repetition: .both,
            ticks: ["2026-10-25T02:30:00+01:00 repeat", "2027-10-25T02:30:00+02:00"]),
        // From within the repeated hour the first time has been.
        Case(
            spec: "30 2 * * *", zone: "Europe/Berlin", after: "2026-10-25T00:30",
            ticks: ["2026-10-26T02:30:00+01:00"]),
        // Every matching minute that really occurs, in both passes, where the hour is * or a step.
        Case(
            spec: "0,30 * * * *", zone: "Europe/Berlin", after: "2026-10-24T23:30",
            ticks: [
                "2026-10-25T02:00:00+02:00", "2026-10-25T02:30:00+02:00", "2026-10-25T02:00:00+01:00",
                "2026-10-25T02:30:00+01:00", "2026-10-25T03:00:00+01:00",
            ]),
        Case(
            spec: "30 */2 * * *", zone: "Europe/Berlin", after: "2026-03-28T23:00",
            ticks: ["2026-03-29T00:30:00+01:00", "2026-03-29T04:30:00+02:00"]),
        Case(
            spec: "30 */2 * * *", zone: "Europe/Berlin", after: "2026-10-24T23:00", repetition: .last,
            ticks: ["2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", "2026-10-25T04:30:00+01:00"]),
        // Midnight does not exist where clocks are put forward at midnight.
        Case(
            spec: "@daily", zone: "America/Sao_Paulo", after: "2018-11-03T12:00",
            ticks: ["2018-11-04T01:00:00-02:00 gap", "2018-11-05T00:00:00-02:00"]),
        // Half an hour, of Lord Howe.
        Case(
            spec: "45 1 * * *", zone: "Australia/Lord_Howe", after: "2026-04-04T00:00", repetition: .both,
            ticks: [
                "2026-04-05T01:45:00+11:00 repeat", "2026-04-05T01:45:00+10:30 repeat", "2026-04-06T01:45:00+10:30",
            ]),
        Case(
            spec: "15 2 * * *", zone: "Australia/Lord_Howe", after: "2026-10-03T00:00",
            ticks: ["2026-10-04T02:30:00+11:00 gap", "2026-10-05T02:15:00+11:00"]),
        // A day that did not exist, of Samoa.
        Case(
            spec: "0 12 30 12 *", zone: "Pacific/Apia", after: "2011-12-01T00:00",
            ticks: ["2011-12-31T00:00:00+14:00 gap", "2012-12-30T12:00:00+14:00"]),
        // Where summer is the standard time, and where its end is beyond midnight.
        Case(
            spec: "30 1 * * *", zone: "Europe/Dublin", after: "2026-10-24T12:00",
            ticks: ["2026-10-25T01:30:00+01:00 repeat", "2026-10-26T01:30:00+00:00"]),
        // By the rule for later years.
        Case(
            spec: "30 2 * * *", zone: "Europe/Berlin", after: "2345-03-31T12:00",
            ticks: ["2345-04-01T02:30:00+02:00", "2345-04-02T02:30:00+02:00"]),
        Case(
            spec: "0 0 29 2 sun", zone: "Europe/Berlin", after: "2100-02-28T00:00",
            ticks: ["2101-02-06T00:00:00+01:00", "2101-02-13T00:00:00+01:00"]),
    ]

    @Test("daylight saving neither skips a tick nor doubles it", arguments: cases)
    func daylightSaving(example: Case) throws {
        guard let zone = zone(example.zone) else { return }
        let times = ScheduleTimes(
            try ScheduleSpec(parsing: example.spec), in: zone, gap: example.gap, repetition: example.repetition)
        let ticks = times.after(try utc(example.after), example.ticks.count)
        #expect(ticks.map { $0.local + ($0.rule.map { " \($0)" } ?? "") } == example.ticks)
    }

    @Test("a time between seconds is after the second before it")
    func betweenSeconds() throws {
        let times = ScheduleTimes(try ScheduleSpec(parsing: "0 0 * * *"))
        let midnight = try utc("2026-01-02T00:00")
        for early in [1, 999_999, 1_000_000] as [Int64] {
            #expect(times.next(after: midnight.advanced(byMicroseconds: -early), countedFrom: midnight)?.at == midnight)
        }
        let next = times.next(after: midnight, countedFrom: midnight)?.at
        #expect(next == midnight.advanced(bySeconds: 86_400))
        #expect(times.next(after: midnight.advanced(byMicroseconds: 1), countedFrom: midnight)?.at == next)
    }

    @Test("times beyond all calendars have an answer")
    func extremes() throws {
        for spec in ["* * * * *", "0 0 29 2 *", "every 1d", "every 36525d", "@yearly"] {
            for zone in [ZoneRules.utc, zone("Europe/Berlin"), zone("Africa/Casablanca")].compactMap({ $0 }) {
                let times = ScheduleTimes(try ScheduleSpec(parsing: spec), in: zone)
                for time in [Int64.min, .min / 2, -62_135_596_800_000_000, 0, .max / 2, .max - 1, .max] {
                    let at = Timestamp(microseconds: time)
                    for base in [at, Timestamp(microseconds: .min), Timestamp(microseconds: .max)] {
                        if let next = times.next(after: at, countedFrom: base) { #expect(next.at > at) }
                        _ = times.latest(3, after: at, notAfter: at.advanced(bySeconds: 1e9), countedFrom: base)
                    }
                }
            }
        }
    }

    @Test("what only the rule for gaps keeps from being due is looked for through 400 years, and not longer")
    func neverDue() throws {
        // Clocks go from 02:00 to 03:00 each year on March 1.
        let zone = try ZoneRules(file: zoneFile(footer: "AAA0BBB,J60/2,J300/2"))
        let start = try utc("2026-01-01T00:00")
        let times = ScheduleTimes(try ScheduleSpec(parsing: "30 2 1 3 *"), in: zone, gap: .skip)
        #expect(times.next(after: start, countedFrom: start) == nil)
        let run = ScheduleTimes(try ScheduleSpec(parsing: "30 2 1 3 *"), in: zone)
        #expect(run.next(after: start, countedFrom: start)?.local == "2026-03-01T03:00:00+01:00")
    }

    @Test("local times have the offset of their zone, with seconds where that has some")
    func local() throws {
        guard let zone = zone("Europe/Amsterdam") else { return }
        let times = ScheduleTimes(try ScheduleSpec(parsing: "every 1d"), in: zone)
        let start = Timestamp(microseconds: -3_600_000_000_000_001)
        let tick = try #require(times.next(after: start, countedFrom: start))
        // The fraction is that of what it is counted from.
        #expect(tick.local.hasPrefix("1855-12-0"), "\(tick.local)")
        #expect(tick.local.contains(".999999+00:"), "\(tick.local)")
    }

    @Test("the last ticks before a time are found, however many there are")
    func latest() throws {
        let start = try utc("2026-01-01T00:00")
        for (spec, end, expected) in [
            ("* * * * * *", "2126-01-01T00:00", ["2125-12-31T23:59:58", "2125-12-31T23:59:59", "2126-01-01T00:00"]),
            ("0 0 29 2 *", "2126-01-01T00:00", ["2116-02-29T00:00", "2120-02-29T00:00", "2124-02-29T00:00"]),
            ("* * 1 1 *", "2026-12-01T00:00", ["2026-01-01T23:57", "2026-01-01T23:58", "2026-01-01T23:59"]),
            ("@daily", "2026-01-03T00:00", ["2026-01-02T00:00", "2026-01-03T00:00"]),
            ("@daily", "2026-01-01T23:59", []),
            ("every 7d", "2036-01-01T00:00", ["2035-12-13T00:00", "2035-12-20T00:00", "2035-12-27T00:00"]),
        ] as [(String, String, [String])] {
            let times = ScheduleTimes(try ScheduleSpec(parsing: spec))
            let found = times.latest(3, after: start, notAfter: try utc(end), countedFrom: start)
            #expect(try found.map(\.at) == expected.map(utc), "\(spec)")
            let last = times.last(after: start, notAfter: try utc(end), countedFrom: start)
            #expect(try last?.at == expected.last.map(utc), "\(spec)")
            let all = times.latest(1000, after: start, notAfter: try utc(end), countedFrom: start)
            #expect(all.suffix(3).map(\.at) == found.map(\.at), "\(spec)")
            #expect(all.count <= 1000)
        }
    }
}
