/// Writes JSON text. NaN and infinite numbers, which JSON cannot hold, are written as null.
enum JSONWriter {
    /// Returns whether JSON can hold all of it.
    @discardableResult
    static func write(_ value: JSONValue, into bytes: inout [UInt8]) -> Bool {
        switch value {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value): bytes.append(contentsOf: String(value).utf8)
        case .number(let value): return write(value, into: &bytes)
        case .string(let value): write(value, into: &bytes)
        case .array(let elements):
            var isWhole = true
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                if !write(element, into: &bytes) { isWhole = false }
            }
            bytes.append(UInt8(ascii: "]"))
            return isWhole
        case .object(let members):
            return write(members.sorted { $0.key < $1.key }.lazy.map { ($0.key, $0.value) }, into: &bytes)
        }
        return true
    }

    /// An object, its members in the order given. Returns whether JSON can hold all of it.
    @discardableResult
    static func write(_ members: some Sequence<(String, JSONValue)>, into bytes: inout [UInt8]) -> Bool {
        var isWhole = true
        bytes.append(UInt8(ascii: "{"))
        var first = true
        for (key, value) in members {
            if !first { bytes.append(UInt8(ascii: ",")) }
            first = false
            write(key, into: &bytes)
            bytes.append(UInt8(ascii: ":"))
            if !write(value, into: &bytes) { isWhole = false }
        }
        bytes.append(UInt8(ascii: "}"))
        return isWhole
    }

    /// A float, always with a fraction or an exponent, so that it stays a float. Returns whether JSON can hold it.
    private static func write(_ value: Double, into bytes: inout [UInt8]) -> Bool {
        guard value.isFinite else {
            bytes.append(contentsOf: "null".utf8)
            return false
        }
        bytes.append(contentsOf: value.description.utf8)
        return true
    }

    static func write(_ text: String, into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): bytes.append(contentsOf: "\\\"".utf8)
            case UInt8(ascii: "\\"): bytes.append(contentsOf: "\\\\".utf8)
            case 0x0A: bytes.append(contentsOf: "\\n".utf8)
            case 0x0D: bytes.append(contentsOf: "\\r".utf8)
            case 0x09: bytes.append(contentsOf: "\\t".utf8)
            case 0..<0x20:
                bytes.append(contentsOf: "\\u00".utf8)
                bytes.append(hexadecimal(byte >> 4))
                bytes.append(hexadecimal(byte & 15))
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func hexadecimal(_ digit: UInt8) -> UInt8 { digit < 10 ? digit + 48 : digit + 87 }

    // MARK: What JSON cannot hold

    /// What of the members JSON cannot hold, and where it stands: `.sizes[2]: NaN cannot be stored as JSON`. Nil for nothing.
    static func problem(in members: some Sequence<(String, JSONValue)>) -> String? {
        for (key, value) in members {
            if let problem = problem(in: value) { return ".\(key)\(problem)" }
        }
        return nil
    }

    private static func problem(in value: JSONValue) -> String? {
        switch value {
        case .number(let number): return number.problemInJSON.map { ": \($0)" }
        case .array(let elements):
            for (index, element) in elements.enumerated() {
                if let problem = problem(in: element) { return "[\(index)]\(problem)" }
            }
            return nil
        case .object(let members): return problem(in: members.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        case .null, .bool, .integer, .string: return nil
        }
    }
}

extension FloatingPoint {
    /// Why JSON cannot hold the number, in the words of Lua's side; nil when it can.
    package var problemInJSON: String? {
        if isNaN { return "NaN cannot be stored as JSON" }
        return isInfinite ? "an infinite number cannot be stored as JSON" : nil
    }
}
