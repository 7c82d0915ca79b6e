/// One field of a cron expression: the values it has.
struct CronField: Hashable, Sendable {
    /// The bit of each value.
    var values: UInt64
    /// Whether it begins with `*`: then it restricts nothing for the rule of the two kinds of days, as in Vixie's cron.
    var isStar: Bool
    /// Whether it is `*` or has a step and nothing else: then it stands for a rhythm, not for values that it names.
    var isRhythm: Bool

    func has(_ value: Int) -> Bool { values >> UInt64(value) & 1 == 1 }

    /// The least value from that one on; nil for none.
    func next(from value: Int) -> Int? {
        guard value < 64 else { return nil }
        let rest = values & (.max << UInt64(value))
        return rest == 0 ? nil : rest.trailingZeroBitCount
    }

    /// What a field is about.
    enum Kind {
        case second, minute, hour, day, month, weekday

        var title: String {
            switch self {
            case .second: "second"
            case .minute: "minute"
            case .hour: "hour"
            case .day: "day of the month"
            case .month: "month"
            case .weekday: "day of the week"
            }
        }

        /// A week has two Sundays, 0 and 7.
        var range: ClosedRange<Int> {
            switch self {
            case .second, .minute: 0...59
            case .hour: 0...23
            case .day: 1...31
            case .month: 1...12
            case .weekday: 0...7
            }
        }

        /// The names of its values, from the least value on.
        var names: [String] {
            switch self {
            case .month: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
            case .weekday: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
            default: []
            }
        }

        /// What may be written, for messages.
        var allowed: String {
            let numbers = "\(range.lowerBound) to \(range.upperBound)"
            guard let first = names.first, let last = names.last else { return numbers }
            return "\(numbers) or \(first) to \(last)"
        }
    }
}

// MARK: Reading

extension CronField {
    /// Reads `*`, `1,15`, `1-5`, `*/10`, `mon-fri` and what they are made of.
    init(_ word: CronWord, _ kind: Kind) throws(ScheduleSpecError) {
        var scanner = Scanner(word, kind)
        self = try scanner.field()
    }

    private struct Scanner {
        private let word: CronWord
        private let kind: Kind
        private var position: Int

        init(_ word: CronWord, _ kind: Kind) {
            self.word = word
            self.kind = kind
            position = word.offset
        }

        private var peek: UInt8? { position < word.end ? word.bytes[position] : nil }

        private mutating func skip(_ byte: Unicode.Scalar) -> Bool {
            guard peek == UInt8(ascii: byte) else { return false }
            position += 1
            return true
        }

        private func text(from start: Int) -> String { String(decoding: word.bytes[start..<position], as: UTF8.self) }

        private func failure(at offset: Int, _ reason: String) -> ScheduleSpecError {
            ScheduleSpecError(offset: offset, reason: reason)
        }

        mutating func field() throws(ScheduleSpecError) -> CronField {
            var field = CronField(values: 0, isStar: peek == UInt8(ascii: "*"), isRhythm: false)
            var elements = 0
            var hasRhythm = false
            repeat {
                let element = try element()
                field.values |= element.values
                hasRhythm = element.isRhythm
                elements += 1
            } while skip(",")
            guard position == word.end else {
                throw failure(
                    at: position,
                    "'\(String(decoding: word.bytes[position...], as: UTF8.self).cut(toBytes: 100))' is not understood in the"
                        + " \(kind.title): write *, values (1,15), ranges (1-5) or steps (*/10)")
            }
            field.isRhythm = hasRhythm && elements == 1
            // Both are Sunday.
            if kind == .weekday, field.values >> 7 & 1 == 1 { field.values = field.values & 0x7F | 1 }
            return field
        }

        private mutating func element() throws(ScheduleSpecError) -> (values: UInt64, isRhythm: Bool) {
            let start = position
            if skip("*") {
                let step = try self.step() ?? 1
                let last = kind == .weekday ? 6 : kind.range.upperBound
                return (Self.bits(kind.range.lowerBound...last, step: step), true)
            }
            let first = try value()
            guard skip("-") else {
                if peek == UInt8(ascii: "/") {
                    let (written, step) = (text(from: start), rest(from: position))
                    let last = kind == .weekday ? 6 : kind.range.upperBound
                    throw failure(
                        at: start, "the step of \(written)\(step) has no range: write \(written)-\(last)\(step)")
                }
                return (1 << UInt64(first), false)
            }
            let last = try value()
            let written = text(from: start)
            let range = try range(first, last, written: written, at: start)
            let step = try self.step()
            return (Self.bits(range, step: step ?? 1), step != nil)
        }

        private func range(
            _ first: Int, _ last: Int, written: String, at start: Int
        ) throws(ScheduleSpecError) -> ClosedRange<Int> {
            if first <= last { return first...last }
            // A week may begin or end with its Sunday.
            if kind == .weekday, last == 0 { return first...7 }
            if kind == .weekday, first == 7 { return 0...last }
            let (least, most) = (kind.range.lowerBound, kind == .weekday ? 6 : kind.range.upperBound)
            throw failure(
                at: start, "the range \(written) ends before it begins: write \(first)-\(most),\(least)-\(last)")
        }

        private static func bits(_ range: ClosedRange<Int>, step: Int) -> UInt64 {
            stride(from: range.lowerBound, through: range.upperBound, by: step).reduce(0) { $0 | 1 << UInt64($1) }
        }

        /// `/10`; nil where there is none.
        private mutating func step() throws(ScheduleSpecError) -> Int? {
            guard skip("/") else { return nil }
            let start = position
            let most = kind.range.upperBound
            guard let step = number(), (1...most).contains(step) else {
                let hint = kind == .minute || kind == .hour ? ", or every 90m for other intervals" : ""
                throw failure(
                    at: start,
                    "the step of the \(kind.title) goes from 1 to \(most), not '\(rest(from: start))': write */1 to"
                        + " */\(most)\(hint)")
            }
            return step
        }

        /// A number or a name.
        private mutating func value() throws(ScheduleSpecError) -> Int {
            let start = position
            if let number = number() {
                guard kind.range.contains(number) else {
                    throw failure(at: start, "the \(kind.title) goes from \(kind.allowed), not \(text(from: start))")
                }
                return number
            }
            // It may be no number, or one of too many digits.
            position = start
            let digits = word.bytes[start...].prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
            if !digits.isEmpty {
                throw failure(at: start, "the \(kind.title) goes from \(kind.allowed), not \(rest(from: start))")
            }
            while let byte = peek, byte | 0x20 >= UInt8(ascii: "a"), byte | 0x20 <= UInt8(ascii: "z") { position += 1 }
            let (written, name) = (text(from: start), text(from: start).lowercased())
            if let index = kind.names.firstIndex(of: name) { return kind.range.lowerBound + index }
            if name.isEmpty {
                let found = rest(from: start)
                throw failure(
                    at: start,
                    "the \(kind.title) has \(found.isEmpty ? "nothing" : "'\(found)'") where a value is expected: write"
                        + " \(kind.allowed), or * for every one")
            }
            let meant = kind.names.first { name.hasPrefix($0) } ?? NearestName.find(name, among: kind.names)
            throw failure(
                at: start,
                "'\(written.cut(toBytes: 100))' is not a \(kind.title): write \(meant ?? kind.allowed)")
        }

        /// Digits; nil for none, or for more than any field has.
        private mutating func number() -> Int? {
            let digits = word.bytes[position...].prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
            guard !digits.isEmpty, digits.count <= 9 else { return nil }
            position = digits.endIndex
            return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        }

        /// What stands there up to the next comma, for messages.
        private func rest(from start: Int) -> String {
            String(decoding: word.bytes[start...].prefix { $0 != UInt8(ascii: ",") }, as: UTF8.self).cut(toBytes: 100)
        }
    }
}
