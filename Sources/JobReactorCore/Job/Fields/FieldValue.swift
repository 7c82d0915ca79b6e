/// The value of a field of a job's record, or of an option of a job, whatever its type in Swift.
package enum FieldValue: Hashable, Sendable {
    case text(String)
    case whole(Int)
    case number(Double)
    case flag(Bool)
    case time(Timestamp)
    /// One JSON object, as its bytes.
    case object([UInt8])

    /// As people and the commands of clients have it: times are seconds since 1970.
    package var text: String {
        switch self {
        case .text(let text): text
        case .whole(let number): "\(number)"
        case .number(let number): "\(number)"
        case .flag(let flag): flag ? "true" : "false"
        case .time(let time): "\(time.seconds)"
        case .object(let bytes): String(decoding: bytes, as: UTF8.self)
        }
    }

    /// As scripts have it: times are seconds since 1970.
    package var json: JSONValue {
        switch self {
        case .text(let text): .string(text)
        case .whole(let number): .integer(Int64(number))
        case .number(let number): .number(number)
        case .flag(let flag): .bool(flag)
        case .time(let time): .number(time.seconds)
        case .object(let bytes): (try? JSONValue(parsing: bytes)) ?? .null
        }
    }

    /// A text that differs wherever values differ, for failures of tests.
    package var exactText: String {
        switch self {
        case .text(let text): String(reflecting: text)
        case .time(let time): "\(time.microseconds) µs"
        case .whole, .number, .flag, .object: text
        }
    }
}

/// A type in Swift that fields and options have.
package protocol FieldConvertible: Sendable {
    /// Nil for a value of another kind, or one that this type has not.
    init?(field: FieldValue)
    var field: FieldValue { get }
}

extension FieldValue: FieldConvertible {
    package init?(field: FieldValue) { self = field }
    package var field: FieldValue { self }
}

extension String: FieldConvertible {
    package init?(field: FieldValue) {
        guard case .text(let text) = field else { return nil }
        self = text
    }
    package var field: FieldValue { .text(self) }
}

extension Int: FieldConvertible {
    package init?(field: FieldValue) {
        guard case .whole(let number) = field else { return nil }
        self = number
    }
    package var field: FieldValue { .whole(self) }
}

extension Int32: FieldConvertible {
    package init?(field: FieldValue) {
        guard case .whole(let number) = field, let number = Int32(exactly: number) else { return nil }
        self = number
    }
    package var field: FieldValue { .whole(Int(self)) }
}

extension Double: FieldConvertible {
    package init?(field: FieldValue) {
        guard case .number(let number) = field else { return nil }
        self = number
    }
    package var field: FieldValue { .number(self) }
}

extension Bool: FieldConvertible {
    package init?(field: FieldValue) {
        guard case .flag(let flag) = field else { return nil }
        self = flag
    }
    package var field: FieldValue { .flag(self) }
}

extension Timestamp: FieldConvertible {
    package init?(field: FieldValue) {
        guard case .time(let time) = field else { return nil }
        self = time
    }
    package var field: FieldValue { .time(self) }
}

extension JobID: FieldConvertible {
    package init?(field: FieldValue) {
        guard case .text(let text) = field else { return nil }
        self.init(text)
    }
    package var field: FieldValue { .text(description) }
}

extension JobArguments: FieldConvertible {
    package init?(field: FieldValue) {
        guard case .object(let bytes) = field else { return nil }
        self.init(unchecked: bytes)
    }
    package var field: FieldValue { .object(bytes) }
}

extension FieldConvertible where Self: RawRepresentable, RawValue == String {
    package init?(field: FieldValue) {
        guard case .text(let text) = field else { return nil }
        self.init(rawValue: text)
    }
    package var field: FieldValue { .text(rawValue) }
}

extension JobStatus: FieldConvertible {}
extension UniqueConflict: FieldConvertible {}
