/// A cron expression: the seconds of the calendar that match.
///
/// `minute hour day-of-month month day-of-week`, or six fields with seconds first. If both kinds of days are
/// restricted, a match of either suffices; a field that begins with `*` is not restricted (as in Vixie cron).
public struct CronExpression: Hashable, Sendable {
    /// The original text.
    public let text: String
    let seconds: CronField
    let minutes: CronField
    let hours: CronField
    let days: CronField
    let months: CronField
    let weekdays: CronField

    /// Whether it names hours of the day: then ticks follow the rules for daylight saving. Otherwise the hour is `*` or
    /// a step, and ticks follow the elapsed time.
    public var namesHours: Bool { !hours.isRhythm }

    private static let macros = [
        "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
        "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
    ]

    init(_ text: String, _ words: [CronWord]) throws(ScheduleSpecError) {
        self.text = text
        var words = words
        if let first = words.first, first.bytes.first == UInt8(ascii: "@") {
            guard let fields = Self.macros[first.lowercased] else { throw Self.unknownMacro(first, words) }
            guard words.count == 1 else {
                throw ScheduleSpecError(
                    offset: words[1].offset, reason: "'\(words[1].shown)' is too much: write only \(first.shown)")
            }
            words = CronWord.split(Array(fields.utf8))
        }
        guard words.count == 5 || words.count == 6 else { throw Self.wrongCount(words) }
        var rest = words[...]
        func next(_ kind: CronField.Kind) throws(ScheduleSpecError) -> CronField {
            try CronField(rest.removeFirst(), kind)
        }
        seconds = words.count == 6 ? try next(.second) : CronField(values: 1, isStar: false, isRhythm: false)
        minutes = try next(.minute)
        hours = try next(.hour)
        days = try next(.day)
        months = try next(.month)
        weekdays = try next(.weekday)
        if let reason = reasonForNever {
            throw ScheduleSpecError(offset: words[words.count - 3].offset, reason: reason)
        }
    }

    private static func wrongCount(_ words: [CronWord]) -> ScheduleSpecError {
        let fields = "minute, hour, day of month, month and day of week, or six with seconds first"
        if words.count > 6 {
            return ScheduleSpecError(
                offset: words[6].offset, reason: "'\(words[6].shown)' is one field too many: write \(fields)")
        }
        let found = words.count == 1 ? "one" : words.isEmpty ? "none" : "\(words.count)"
        return ScheduleSpecError(
            offset: words.last?.end ?? 0,
            reason: "a schedule has five fields, not \(found): write \(fields); or @daily, or every 15m")
    }

    private static func unknownMacro(_ word: CronWord, _ words: [CronWord]) -> ScheduleSpecError {
        let known = macros.keys.sorted()
        let hint =
            if word.lowercased == "@every" {
                "write every \(words.count > 1 ? words[1].shown : "15m")"
            } else if let near = NearestName.find(word.lowercased, among: known) {
                "did you mean \(near)?"
            } else {
                "write one of \(known.joined(separator: ", ")), or five fields"
            }
        return ScheduleSpecError(offset: word.offset, reason: "'\(word.shown)' is unknown: \(hint)")
    }

    /// Why no date matches, with what to write; nil where one does.
    private var reasonForNever: String? {
        guard isEitherDay == false else { return nil }
        let lengths = (1...12).filter(months.has).map { CivilDate.length(ofMonth: $0, year: 2000) }
        let longest = lengths.max() ?? 31
        guard let first = days.next(from: 1), first > longest else { return nil }
        let names = (1...12).filter(months.has).map { CronField.Kind.month.names[$0 - 1] }.joined(separator: ", ")
        return "it is never due, as \(names) has no day \(first): write a day up to \(longest), or another month"
    }

    /// Whether either kind of days suffices.
    private var isEitherDay: Bool { !days.isStar && !weekdays.isStar }
}

// MARK: Matching

extension CronExpression {
    /// How far into the future a match is looked for: the calendar repeats itself after so many years.
    static let years: Int64 = 400

    /// The days of the month that match, as bits from 1 on.
    private func days(of month: Int, _ year: Int64) -> UInt64 {
        let first = CivilDate.weekday(daysSince1970: CivilDate(year: year, month: month, day: 1).daysSince1970)
        // The week turned so that its first day is that of the month, five times.
        let week = (weekdays.values >> UInt64(first) | weekdays.values << UInt64(7 - first)) & 0x7F
        let byWeekday = week &* 0x1020_4081 << 1
        let all = (UInt64(1) << UInt64(CivilDate.length(ofMonth: month, year: year) + 1)) - 2
        return (isEitherDay ? days.values | byWeekday : days.values & byWeekday) & all
    }

    /// The first match from that time on, both in seconds since 1970 as a clock on the wall shows them; nil where there is
    /// none within ``years`` years.
    func next(from time: Int64) -> Int64? {
        let (day, second) = time.floorDivided(by: 86_400)
        var date = CivilDate(daysSince1970: day)
        if months.has(date.month), days(of: date.month, date.year) >> UInt64(date.day) & 1 == 1,
            let match = nextTime(from: Int(second))
        {
            return day * 86_400 + Int64(match)
        }
        guard let first = nextTime(from: 0) else { return nil }
        let lastYear = date.year + Self.years
        var after = UInt64(date.day) + 1
        while date.year <= lastYear {
            if months.has(date.month) {
                let rest = days(of: date.month, date.year) & (.max << after)
                if rest != 0 {
                    date.day = rest.trailingZeroBitCount
                    return date.daysSince1970 * 86_400 + Int64(first)
                }
            }
            after = 1
            if let month = months.next(from: date.month + 1) {
                date.month = month
            } else {
                date.year += 1
                date.month = months.next(from: 1) ?? 1
            }
        }
        return nil
    }

    /// The first match of a day from that second of it on; nil for none.
    private func nextTime(from second: Int) -> Int? {
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60)
        guard let firstSecond = seconds.next(from: 0), let firstMinute = minutes.next(from: 0) else { return nil }
        if hours.has(hour) {
            if minutes.has(minute), let second = seconds.next(from: second) {
                return hour * 3600 + minute * 60 + second
            }
            if let minute = minutes.next(from: minute + 1) { return hour * 3600 + minute * 60 + firstSecond }
        }
        guard let hour = hours.next(from: hour + 1) else { return nil }
        return hour * 3600 + firstMinute * 60 + firstSecond
    }
}
