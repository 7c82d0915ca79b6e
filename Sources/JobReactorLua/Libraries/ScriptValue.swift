/// A value on its way between a script and a function of the host.
public enum ScriptValue: Hashable, Sendable {
    case `nil`
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    /// Lua's strings are bytes.
    case string([UInt8])
    /// JSON, which the script gets as the value it stands for. Only from the host to the script: what a script has in a
    /// table it hands over as text that it made with `json.encode`.
    case json([UInt8])

    public static func string(_ text: String) -> ScriptValue { .string(Array(text.utf8)) }
}

extension ScriptValue {
    /// The bytes of a string; nil for anything else.
    public var bytes: [UInt8]? {
        if case .string(let bytes) = self { bytes } else { nil }
    }

    /// A string as text, with U+FFFD in place of what is not UTF-8; nil for anything else.
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
