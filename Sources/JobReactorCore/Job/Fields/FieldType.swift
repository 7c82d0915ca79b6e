/// What a field of a job's record, or an option of a job, takes: its kind, unit and range.
package enum FieldType: Hashable, Sendable {
    /// 32 hexadecimal digits.
    case id
    /// 1 to ``JobLimits/nameBytes`` bytes of UTF-8 without spaces and control characters.
    case name
    /// Any text.
    case text
    /// What no two jobs hold at a time: 1 to ``UniqueKey/bytes`` bytes of UTF-8 without control characters. An option
    /// may be true instead, for a key that is made of the args.
    case key
    /// One of these words.
    case choice([String])
    /// A whole number of the range, and the range in words where it needs some.
    case whole(ClosedRange<Int>, String? = nil)
    /// Seconds with fractions, from 0 to ``JobLimits/seconds``.
    case seconds
    /// The same without 0.
    case secondsAboveZero
    /// A time of the wall clock: in seconds since 1970 where people read it, in whole microseconds where it is stored.
    /// That of an option is at most ``JobLimits/seconds`` from now.
    case time
    /// True or false.
    case flag
    /// One JSON object.
    case object
    /// One JSON object of strings, of at most ``JobLimits/traceBytes``.
    case trace

    /// Ends a sentence that begins with the name and `takes`.
    package var allowed: String {
        switch self {
        case .id: "32 hexadecimal digits"
        case .name: "a name"
        case .text: "a text"
        case .key: "a key, or true for a key derived from the args"
        case .choice(let words): words.dropLast().joined(separator: ", ") + " or " + (words.last ?? "")
        case .whole(let range, let words): words ?? "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .seconds, .secondsAboveZero, .time: "seconds"
        case .flag: "true or false"
        case .object: "a JSON object"
        case .trace: "a JSON object of strings, of at most \(JobLimits.traceBytes) bytes"
        }
    }

    /// What the documentation calls it.
    package var title: String {
        switch self {
        case .id: "id"
        case .name: "name"
        case .text: "text"
        case .key: "key"
        case .choice: "word"
        case .whole: "whole number"
        case .seconds, .secondsAboveZero: "seconds"
        case .time: "time"
        case .flag: "true or false"
        case .object, .trace: "JSON object"
        }
    }

    /// What stands for the value where commands are described; nil for a flag, which has none.
    package var placeholder: String? {
        switch self {
        case .id: "id"
        case .name, .whole: "n"
        case .text: "text"
        case .key: "key"
        case .choice(let words): words.joined(separator: "|")
        case .seconds, .secondsAboveZero: "s"
        case .time: "unix-seconds"
        case .flag: nil
        case .object, .trace: "json"
        }
    }

    /// What stands for the value in the help of the program.
    package var valueName: String {
        switch self {
        case .name: "name"
        case .seconds, .secondsAboveZero: "seconds"
        case .time: "time"
        default: placeholder ?? ""
        }
    }

    /// Its type in the definitions for editors of Lua.
    package var lua: String {
        switch self {
        case .id, .name, .text: "string"
        case .key: "string|boolean"
        case .choice(let words): words.map { "'\($0)'" }.joined(separator: "|")
        case .whole: "integer"
        case .seconds, .secondsAboveZero, .time: "number"
        case .flag: "boolean"
        case .object, .trace: "table"
        }
    }

    /// Its type in SQLite. Texts that may hold any byte, a zero among them, are blobs of UTF-8.
    package var sql: String {
        switch self {
        case .id, .text, .object: "BLOB"
        case .name, .key, .choice, .trace: "TEXT"
        case .whole, .time, .flag: "INTEGER"
        case .seconds, .secondsAboveZero: "REAL"
        }
    }

    /// What Lua and JSON say; nil for a value of another kind. ``JobOptions/validate()`` checks the range, as for
    /// options that came in other ways.
    package func value(of json: JSONValue) -> FieldValue? {
        switch self {
        case .id: json.string.flatMap { JobID($0) }?.field
        case .name, .text: json.string.map { .text($0) }
        case .key: json.bool.map { .flag($0) } ?? json.string.map { .text($0) }
        case .choice(let words): json.string.flatMap { words.contains($0) ? .text($0) : nil }
        case .whole: json.int.map { .whole($0) }
        case .seconds, .secondsAboveZero: json.double.map { .number($0) }
        case .time: json.double.map { .time(Timestamp(seconds: $0)) }
        case .flag: json.bool.map { .flag($0) }
        case .object, .trace: json.object == nil ? nil : .object(Array(json.json.utf8))
        }
    }

    /// The text of ``FieldValue/text`` as JSON: numbers as numbers, objects as objects, null where it is none of this
    /// type.
    package func json(of text: String) -> JSONValue {
        switch self {
        case .whole: Int(text).map { JSONValue($0) } ?? .null
        case .seconds, .secondsAboveZero, .time:
            Double(text).flatMap { $0.isFinite ? .number($0) : nil } ?? .null
        case .flag: .bool(text == "true")
        case .object: (try? JSONValue(parsing: text.utf8)) ?? .null
        case .id, .name, .text, .key, .choice, .trace: .string(text)
        }
    }
}
