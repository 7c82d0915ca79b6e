/// The rule of a time zone for all years to come, as POSIX writes it: `CET-1CEST,M3.5.0,M10.5.0/3`.
struct PosixZoneRule: Hashable, Sendable {
    /// The day of a year on which the offset changes.
    enum Day: Hashable, Sendable {
        /// From 1 to 365; February 29 is never counted.
        case julian(Int)
        /// From 0 to 365; February 29 is counted.
        case zeroBased(Int)
        /// A weekday, 0 for Sunday, of a week of a month: 1 for the first, 5 for the last of that weekday.
        case weekday(Int, week: Int, month: Int)

        func daysSince1970(in year: Int64) -> Int64 {
            switch self {
            case .julian(let day):
                let isAfterLeapDay = day >= 60 && CivilDate.isLeap(year)
                return CivilDate(year: year, month: 1, day: 1).daysSince1970 + Int64(day - (isAfterLeapDay ? 0 : 1))
            case .zeroBased(let day): return CivilDate(year: year, month: 1, day: 1).daysSince1970 + Int64(day)
            case .weekday(let weekday, let week, let month):
                let first = CivilDate(year: year, month: month, day: 1).daysSince1970
                var day = (weekday - CivilDate.weekday(daysSince1970: first) + 7) % 7 + (week - 1) * 7
                if day >= CivilDate.length(ofMonth: month, year: year) { day -= 7 }
                return first + Int64(day)
            }
        }
    }

    /// A change of the offset each year.
    struct Change: Hashable, Sendable {
        var day: Day
        /// Seconds after the midnight at which that day begins, by the offset before the change; may be negative.
        var time: Int
    }

    /// The other offset of the year, and from when until when.
    struct Daylight: Hashable, Sendable {
        var offset: Int
        var start: Change
        var end: Change
    }

    /// Seconds to add to UTC.
    var standard: Int
    var daylight: Daylight?

    /// The stretch of one offset that has this time, by the rule alone.
    func span(at seconds: Int64) -> ZoneRules.Span {
        let constant = ZoneRules.Span(start: .min, end: .max, offset: standard, before: standard, after: standard)
        guard let daylight else { return constant }
        let year = CivilDate(daysSince1970: seconds.floorDivided(by: 86_400).quotient).year
        var turns: [Turn] = []
        turns.reserveCapacity(10)
        // A turn may fall into the year before or after its own, and what was before it is asked for, too.
        for year in year - 2...year + 2 {
            turns.append(Turn(at: daylight.start.seconds(in: year, offset: standard), isDaylight: true))
            turns.append(Turn(at: daylight.end.seconds(in: year, offset: daylight.offset), isDaylight: false))
        }
        guard let last = turns.lazy.filter({ $0.at <= seconds }).max(),
            let next = turns.lazy.filter({ $0.at > seconds }).min()
        else { return constant }
        let earlier = turns.lazy.filter { $0.at < last.at }.max() ?? last
        let isDaylightNext = next.isDaylight || turns.contains(Turn(at: next.at, isDaylight: true))
        return ZoneRules.Span(
            start: last.at, end: next.at, offset: last.isDaylight ? daylight.offset : standard,
            before: earlier.isDaylight ? daylight.offset : standard,
            after: isDaylightNext ? daylight.offset : standard)
    }

    /// From then on it is daylight saving time, or not. Of two at one time the one that begins it counts.
    private struct Turn: Comparable {
        let at: Int64
        let isDaylight: Bool

        static func < (left: Turn, right: Turn) -> Bool {
            left.at == right.at ? !left.isDaylight && right.isDaylight : left.at < right.at
        }
    }
}

extension PosixZoneRule.Change {
    fileprivate func seconds(in year: Int64, offset: Int) -> Int64 {
        day.daysSince1970(in: year) * 86_400 + Int64(time - offset)
    }
}

// MARK: Reading

extension PosixZoneRule {
    /// Reads the text of a rule. Throws what is wrong with it.
    init(_ text: ArraySlice<UInt8>) throws(ZoneFileError) {
        var scanner = Scanner(text)
        try scanner.skipName()
        standard = -(try scanner.time(hours: 24))
        guard !scanner.isAtEnd else { return }
        try scanner.skipName()
        let offset = scanner.peek == UInt8(ascii: ",") ? standard + 3600 : -(try scanner.time(hours: 24))
        let start = try scanner.change()
        let end = try scanner.change()
        guard scanner.isAtEnd else { throw scanner.wrong }
        daylight = Daylight(offset: offset, start: start, end: end)
    }

    private struct Scanner {
        private var rest: ArraySlice<UInt8>
        private let text: ArraySlice<UInt8>

        init(_ text: ArraySlice<UInt8>) {
            self.text = text
            rest = text
        }

        var isAtEnd: Bool { rest.isEmpty }
        var peek: UInt8? { rest.first }
        var wrong: ZoneFileError {
            ZoneFileError(
                "its rule for later years cannot be read: '\(String(decoding: text.prefix(100), as: UTF8.self))'")
        }

        private mutating func skip(_ byte: Unicode.Scalar) -> Bool {
            guard rest.first == UInt8(ascii: byte) else { return false }
            rest.removeFirst()
            return true
        }

        /// `CET` or `<+0330>`.
        mutating func skipName() throws(ZoneFileError) {
            let isQuoted = skip("<")
            let name = rest.prefix { byte in
                switch byte {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"): isQuoted
                default: false
                }
            }
            rest = rest[name.endIndex...]
            guard name.count >= 3, !isQuoted || skip(">") else { throw wrong }
        }

        mutating func number(_ range: ClosedRange<Int>) throws(ZoneFileError) -> Int {
            let digits = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
            guard digits.count <= 3, let value = Int(String(decoding: digits, as: UTF8.self)), range.contains(value)
            else { throw wrong }
            rest = rest[digits.endIndex...]
            return value
        }

        /// `[+-]hh[:mm[:ss]]`, in seconds.
        mutating func time(hours: Int) throws(ZoneFileError) -> Int {
            let isNegative = skip("-")
            if !isNegative { _ = skip("+") }
            var seconds = try number(0...hours) * 3600
            if skip(":") {
                seconds += try number(0...59) * 60
                if skip(":") { seconds += try number(0...59) }
            }
            return isNegative ? -seconds : seconds
        }

        /// `,M3.5.0/2`, `,J60` or `,59`.
        mutating func change() throws(ZoneFileError) -> Change {
            guard skip(",") else { throw wrong }
            let day: Day
            if skip("M") {
                let month = try number(1...12)
                guard skip(".") else { throw wrong }
                let week = try number(1...5)
                guard skip(".") else { throw wrong }
                day = .weekday(try number(0...6), week: week, month: month)
            } else if skip("J") {
                day = .julian(try number(1...365))
            } else {
                day = .zeroBased(try number(0...365))
            }
            return Change(day: day, time: skip("/") ? try time(hours: 167) : 7200)
        }
    }
}
