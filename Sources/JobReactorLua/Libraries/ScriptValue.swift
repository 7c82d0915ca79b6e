/// A value passed between a script and a host function.
public enum ScriptValue: Hashable, Sendable {
    case `nil`
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    /// A Lua string, which is a sequence of bytes.
    case string([UInt8])
    /// JSON, which the script gets as the decoded value. Only from the host to the script: a script passes a table as
    /// text from `json.encode`.
    case json([UInt8])

    public static func string(_ text: String) -> ScriptValue { .string(Array(text.utf8)) }
}

extension ScriptValue {
    /// The bytes of a string; nil for anything else.
    public var bytes: [UInt8]? {
        if case .string(let bytes) = self { bytes } else { nil }
    }

    /// A string as text, with U+FFFD for invalid UTF-8; nil for anything else.
    public var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

    /// A number, whole or not; nil for anything else.
    public var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// A whole number, also one that is written as a float; nil for anything else.
    public var int: Int? {
        switch self {
        case .integer(let value): Int(exactly: value)
        case .number(let value): Int(exactly: value)
        default: nil
        }
    }

    /// False for nil and false, as in Lua.
    public var isTrue: Bool {
        switch self {
        case .nil, .bool(false): false
        default: true
        }
    }
}
