/// When a schedule is due: `30 2 * * *`, `@daily` or `every 90s`.
public enum ScheduleSpec: Hashable, Sendable, LosslessStringConvertible {
    /// By the calendar.
    case cron(CronExpression)
    /// Seconds after the previous tick, from 1 to ``JobLimits/seconds``.
    case every(Int)

    /// Bytes of UTF-8 of the text of a spec.
    public static let bytes = 255

    /// Reads five fields (minute, hour, day of month, month, day of week), six with seconds first, a short form such as
    /// `@daily`, or `every 90s` (`s`, `m`, `h` or `d`). The error says what is wrong, where, and what to write.
    public init(parsing text: String) throws(ScheduleSpecError) {
        let bytes = Array(text.utf8)
        guard bytes.count <= Self.bytes else {
            throw ScheduleSpecError(
                offset: Self.bytes, reason: "a schedule takes at most \(Self.bytes) bytes, not \(bytes.count)")
        }
        let words = CronWord.split(bytes)
        if let first = words.first, first.lowercased == "every" {
            self = .every(try Self.interval(words))
        } else {
            self = .cron(try CronExpression(text, words))
        }
    }

    /// As ``init(parsing:)``; nil for an invalid spec.
    public init?(_ description: String) {
        guard let spec = try? ScheduleSpec(parsing: description) else { return nil }
        self = spec
    }

    /// The text of it.
    public var description: String {
        switch self {
        case .cron(let expression): expression.text
        case .every(let seconds):
            if let unit = Self.units.last(where: { seconds % $0.seconds == 0 }) {
                "every \(seconds / unit.seconds)\(unit.letter)"
            } else {
                "every \(seconds)s"
            }
        }
    }

    private static let units = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)].map { (letter: $0.0, seconds: $0.1) }

    private static func interval(_ words: [CronWord]) throws(ScheduleSpecError) -> Int {
        let example = "write a number and a unit, such as every 90s, every 15m, every 2h or every 1d"
        guard words.count > 1 else {
            throw ScheduleSpecError(offset: words[0].end, reason: "an interval is missing: \(example)")
        }
        guard words.count == 2 else {
            throw ScheduleSpecError(offset: words[2].offset, reason: "'\(words[2].shown)' is too much: \(example)")
        }
        let word = words[1]
        let digits = word.bytes.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        let letter = String(decoding: word.bytes[digits.endIndex...], as: UTF8.self).lowercased()
        guard !digits.isEmpty, let unit = units.first(where: { $0.letter == letter }) else {
            throw ScheduleSpecError(offset: word.offset, reason: "'\(word.shown)' is not an interval: \(example)")
        }
        let count = Int(String(decoding: digits, as: UTF8.self)) ?? .max
        let (seconds, overflow) = count.multipliedReportingOverflow(by: unit.seconds)
        guard !overflow, seconds >= 1, seconds <= Int(JobLimits.seconds) else {
            throw ScheduleSpecError(
                offset: word.offset,
                reason: "an interval takes 1s to \(Int(JobLimits.seconds) / 86_400)d, not \(word.shown)")
        }
        return seconds
    }
}

/// A word of a spec, and where it stands.
struct CronWord {
    let bytes: ArraySlice<UInt8>

    /// Its first byte, and the first after it.
    var offset: Int { bytes.startIndex }
    var end: Int { bytes.endIndex }
    /// For messages.
    var shown: String { String(decoding: bytes, as: UTF8.self).cut(toBytes: 100) }
    var lowercased: String { String(decoding: bytes, as: UTF8.self).lowercased() }

    /// What spaces and tabs part. The offsets are those of an array that begins at 0.
    static func split(_ bytes: [UInt8]) -> [CronWord] {
        bytes.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }.map(CronWord.init)
    }
}
