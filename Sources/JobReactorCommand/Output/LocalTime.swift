internal import Foundation
internal import JobReactorCore

/// Times as people read them: those of this machine's zone, with their offset.
struct LocalTime: Sendable {
    let zone: TimeZone
    let now: Timestamp

    init(zone: TimeZone = .current, now: Timestamp = .now) {
        self.zone = zone
        self.now = now
    }

    /// A time of a calendar, which peers may say as they like: beyond the years 1 to 9999 it is a number.
    private struct Parts {
        let date: String
        let time: String
        let offset: String

        init?(_ time: Timestamp, _ zone: TimeZone) {
            let seconds = Int(time.seconds.rounded(.down))
            guard (-62_135_500_000...253_402_200_000).contains(seconds) else { return nil }
            let shift = zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds)))
            let local = seconds + shift
            let days = Int((Double(local) / 86_400).rounded(.down))
            let day = LocalTime.day(days)
            let rest = local - days * 86_400
            let minutes = abs(shift) / 60
            date = "\(Self.digits(day.year, 4))-\(Self.digits(day.month))-\(Self.digits(day.day))"
            self.time = [rest / 3600, rest / 60 % 60, rest % 60].map { Self.digits($0) }.joined(separator: ":")
            offset = "\(shift < 0 ? "-" : "+")\(Self.digits(minutes / 60)):\(Self.digits(minutes % 60))"
        }

        private static func digits(_ number: Int, _ count: Int = 2) -> String {
            let text = "\(number)"
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
    }

    /// `2030-01-31T14:05:12+01:00`.
    func text(_ time: Timestamp) -> String {
        guard let parts = Parts(time, zone) else { return "\(time.seconds)" }
        return "\(parts.date)T\(parts.time)\(parts.offset)"
    }

    /// The same for a table: `14:05:12 +01:00` today, and with its date on any other day.
    func short(_ time: Timestamp) -> String {
        guard let parts = Parts(time, zone) else { return "\(time.seconds)" }
        let isToday = Parts(now, zone)?.date == parts.date
        return (isToday ? "" : parts.date + " ") + "\(parts.time) \(parts.offset)"
    }

    /// How long ago it was: `12 s`, `5 min`, `3 h`, `9 d`.
    func age(_ time: Timestamp) -> String { Self.wait(now.seconds - time.seconds) }

    /// A whole number of a unit, rounded up.
    static func wait(_ seconds: Double) -> String {
        let seconds = min(max(0, seconds), 1e12)
        for (limit, length, unit) in [(100.0, 1.0, "s"), (6000, 60, "min"), (172_800, 3600, "h")] where seconds < limit
        {
            return "\(Int((seconds / length).rounded(.up))) \(unit)"
        }
        return "\(Int((seconds / 86_400).rounded(.up))) d"
    }

    /// How long something took: `12 ms`, `1.3 s`, and longer times as ``wait(_:)``.
    static func duration(_ seconds: Double) -> String {
        if seconds < 1 { return "\(Int((max(0, seconds) * 1000).rounded())) ms" }
        return seconds < 10 ? "\((seconds * 10).rounded() / 10) s" : wait(seconds)
    }

    // MARK: Reading

    /// The date that the text begins with, where the calendar has no such day: `2026-02-30`.
    static func missingDay(in text: String) -> String? {
        let date = text.prefix(10)
        let words = date.split(separator: "-", omittingEmptySubsequences: false)
        guard words.map(\.utf8.count) == [4, 2, 2], let year = Int(words[0]), let month = Int(words[1]),
            let day = Int(words[2]), date.utf8.allSatisfy({ $0 == 0x2D || (0x30...0x39).contains($0) })
        else { return nil }
        let isThere = (1...12).contains(month) && Self.day(days(year, month, day)) == (year, month, day)
        return isThere ? nil : String(date)
    }

    /// The moment of a local date and time; of those that come twice, or never, at a change of the clocks, one beside it.
    func moment(year: Int, month: Int, day: Int, secondOfDay: Int) -> Timestamp {
        let local = Self.days(year, month, day) * 86_400 + secondOfDay
        var moment = local
        for _ in 0..<2 {
            moment = local - zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(moment)))
        }
        return Timestamp(seconds: Double(moment))
    }

    /// The last time that it was so late.
    func last(secondOfDay: Int) -> Timestamp {
        let local = now.seconds + Double(zone.secondsFromGMT(for: Date(timeIntervalSince1970: now.seconds)))
        let days = Int((local / 86_400).rounded(.down))
        for days in [days, days - 1] {
            let day = Self.day(days)
            let time = moment(year: day.year, month: day.month, day: day.day, secondOfDay: secondOfDay)
            if time <= now { return time }
        }
        return now
    }

    /// A day of the calendar, by days since 1970: years begin with March, so that the day of a leap year is their last.
    private static func day(_ days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let civilMonth = month < 10 ? month + 3 : month - 9
        let year = yearOfEra + era * 400 + (civilMonth <= 2 ? 1 : 0)
        return (year, civilMonth, dayOfYear - (153 * month + 2) / 5 + 1)
    }

    /// Days since 1970.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
