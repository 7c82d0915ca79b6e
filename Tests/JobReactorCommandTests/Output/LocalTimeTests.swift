import ArgumentParser
import Foundation
import JobReactorCore
import Testing

@testable import JobReactorCommand

@Suite struct LocalTimeTests {
    private static let now = Timestamp(seconds: 1_790_000_000)

    private static func clock(_ hours: Double, now: Timestamp = now) -> LocalTime {
        LocalTime(zone: TimeZone(secondsFromGMT: Int(hours * 3600)) ?? .gmt, now: now)
    }

    @Test("a time is that of the zone, with its offset")
    func text() {
        #expect(Self.clock(0).text(Self.now) == "2026-09-21T14:13:20+00:00")
        #expect(Self.clock(2).text(Self.now) == "2026-09-21T16:13:20+02:00")
        #expect(Self.clock(-3.5).text(Self.now) == "2026-09-21T10:43:20-03:30")
        #expect(Self.clock(0).text(Timestamp(seconds: -1)) == "1969-12-31T23:59:59+00:00")
        #expect(Self.clock(0).text(Timestamp(seconds: 951_782_400)) == "2000-02-29T00:00:00+00:00")
        #expect(Self.clock(14).text(Timestamp(seconds: 0)) == "1970-01-01T14:00:00+14:00")
    }

    @Test("what peers say may be any number")
    func beyond() {
        for time in [Timestamp(microseconds: .max), Timestamp(microseconds: .min), Timestamp(seconds: 3e11)] {
            #expect(Self.clock(2).text(time) == "\(time.seconds)")
            #expect(!Self.clock(2).age(time).isEmpty)
        }
        #expect(LocalTime.wait(.infinity) == "11574075 d" && LocalTime.wait(-.infinity) == "0 s")
    }

    @Test("each day is the one that Foundation says")
    func calendar() {
        let style = Date.ISO8601FormatStyle()
        for day in stride(from: -135_000, to: 2_900_000, by: 997) {
            let time = Timestamp(seconds: Double(day) * 86_400 + 12_345)
            let text = Date(timeIntervalSince1970: time.seconds).formatted(style)
            #expect(Self.clock(0).text(time) == text.dropLast() + "+00:00")
        }
    }

    @Test("in a table today has no date")
    func short() {
        #expect(Self.clock(2).short(Self.now) == "16:13:20 +02:00")
        #expect(Self.clock(2).short(Timestamp(seconds: 1_789_900_000)) == "2026-09-20 12:26:40 +02:00")
    }

    @Test("how long is told in the unit that fits")
    func lengths() {
        let waits = [0, 0.2, 59, 100, 5999, 6000, 172_799, 172_800, 1e6].map(LocalTime.wait)
        #expect(waits == ["0 s", "1 s", "59 s", "2 min", "100 min", "2 h", "48 h", "2 d", "12 d"])
        #expect([0, 0.0124, 1.26, 9.94, 12.1].map(LocalTime.duration) == ["0 ms", "12 ms", "1.3 s", "9.9 s", "13 s"])
        #expect(Self.clock(0).age(Self.now.advanced(bySeconds: -90)) == "90 s")
    }

    @Test(
        "a time that has come is read as people say it",
        arguments: [
            ("90s", 1_789_999_910), ("15m", 1_789_999_100), ("1.5h", 1_789_994_600), ("2d", 1_789_827_200),
            ("1789000000", 1_789_000_000), ("16:13", 1_789_999_980), ("16:13:19", 1_789_999_999),
            // Not yet today: it was yesterday.
            ("16:14", 1_789_913_640), ("2026-09-21", 1_789_941_600), ("2026-09-21T16:00", 1_789_999_200),
            ("2026-09-21 16:00:01", 1_789_999_201), ("2026-09-21T14:00:00Z", 1_789_999_200),
            ("2026-09-21T15:00:00+01:00", 1_789_999_200), ("2000-02-29", 951_775_200),
        ] as [(String, Double)])
    func since(text: String, seconds: Double) throws {
        let kind = SettingKind<Timestamp>.since(Self.clock(2))
        #expect(try kind.value(of: [text], from: "--since").seconds == seconds)
    }

    @Test(
        "a day that the calendar does not have is refused, and named",
        arguments: [
            "2026-02-30", "2026-04-31", "2026-02-29T10:00", "2026-02-29 10:00", "2026-02-30T10:00:00Z", "1900-02-29",
            "2026-13-01", "2026-00-10", "2026-01-00", "2026-01-32",
        ])
    func missingDay(_ text: String) throws {
        let failure = failure { _ = try JobFilterOptions.parse(["--since", text]).filter() }
        #expect(failure?.code == .usage)
        #expect(failure?.message == "--since: there is no day \(text.prefix(10))")
        #expect(SettingKind<Timestamp>.since(Self.clock(2)).read([String(text.prefix(10))]) == nil)
        for day in ["2024-02-29", "2000-02-29", "2026-12-31", "soon", "2026-2-30", "1789000000"] {
            #expect(LocalTime.missingDay(in: day) == nil, "\(day)")
        }
    }

    @Test(
        "anything else is refused",
        arguments: [
            "", "90", "-5m", "1w", "m", "nanh", "infd", "1e30d", "24:00", "12:60", "1:2", "12:00:60", "2026-13-01",
            "2026-9-21", "2026-09-21T", "T12:00", "yesterday", "99999999999999999999", "0000-01-01", "12:00Z",
        ])
    func notSince(_ text: String) {
        let kind = SettingKind<Timestamp>.since(Self.clock(2))
        let failure = failure { _ = try kind.value(of: [text], from: "--since") }
        #expect(failure?.message?.hasPrefix("--since takes a time such as 90s") == true, "\(text)")
    }
}
