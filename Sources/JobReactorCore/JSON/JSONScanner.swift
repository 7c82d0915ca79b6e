/// Reads strict JSON (RFC 8259): one pass, depth at most ``JSONScanner/maximumDepth``, strings checked for valid UTF-8.
///
/// The same grammar as the decoder of the Lua side, so that what the door lets in is what a job can read.
struct JSONScanner {
    /// Arrays and objects may nest this deep.
    static let maximumDepth = 128

    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// Runs `body` on a scanner over the bytes.
    static func scan<Result>(
        _ bytes: [UInt8], _ body: (inout JSONScanner) throws(JSONError) -> Result
    ) throws(JSONError) -> Result {
        let result: Swift.Result<Result, JSONError> = bytes.withUnsafeBytes { raw in
            var scanner = JSONScanner(raw)
            do throws(JSONError) { return .success(try body(&scanner)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    // MARK: Documents

    mutating func parseDocument() throws(JSONError) -> JSONValue {
        skipWhitespace()
        let value = try parseValue(depth: 0)
        try expectEnd()
        return value
    }

    /// Checks that the bytes are one JSON object; builds nothing.
    mutating func checkObject() throws(JSONError) {
        skipWhitespace()
        guard peek == UInt8(ascii: "{") else { throw failure("expected an object, such as {\"key\": 1}") }
        try skipValue(depth: 0)
        try expectEnd()
    }

    /// Checks that the bytes are one JSON object and calls `visit` with each member's key (unescaped) and the bytes of
    /// its value.
    mutating func visitMembers(
        _ visit: (String, UnsafeRawBufferPointer) -> Void
    ) throws(JSONError) {
        skipWhitespace()
        guard peek == UInt8(ascii: "{") else { throw failure("expected an object, such as {\"key\": 1}") }
        position += 1
        skipWhitespace()
        if peek == UInt8(ascii: "}") {
            position += 1
            return try expectEnd()
        }
        while true {
            let key = try parseKey()
            let start = position
            try skipValue(depth: 1)
            visit(key, UnsafeRawBufferPointer(rebasing: bytes[start..<position]))
            if try endsContainer(UInt8(ascii: "}"), "expected ',' or '}'") { return try expectEnd() }
        }
    }

    // MARK: Values

    private mutating func parseValue(depth: Int) throws(JSONError) -> JSONValue {
        switch peek {
        case UInt8(ascii: "{"):
            try enter(depth)
            var members: [String: JSONValue] = [:]
            if peek == UInt8(ascii: "}") {
                position += 1
                return .object([:])
            }
            while true {
                let key = try parseKey()
                members[key] = try parseValue(depth: depth + 1)
                if try endsContainer(UInt8(ascii: "}"), "expected ',' or '}'") { return .object(members) }
            }
        case UInt8(ascii: "["):
            try enter(depth)
            var elements: [JSONValue] = []
            if peek == UInt8(ascii: "]") {
                position += 1
                return .array([])
            }
            while true {
                elements.append(try parseValue(depth: depth + 1))
                if try endsContainer(UInt8(ascii: "]"), "expected ',' or ']'") { return .array(elements) }
            }
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "t"):
            try skipWord("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try skipWord("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try skipWord("null")
            return .null
        default: return try parseNumber()
        }
    }

    private mutating func skipValue(depth: Int) throws(JSONError) {
        switch peek {
        case UInt8(ascii: "{"):
            try enter(depth)
            if peek == UInt8(ascii: "}") {
                position += 1
                return
            }
            while true {
                guard peek == UInt8(ascii: "\"") else { throw failure("expected a key in quotes") }
                try skipString()
                try skipColon()
                try skipValue(depth: depth + 1)
                if try endsContainer(UInt8(ascii: "}"), "expected ',' or '}'") { return }
            }
        case UInt8(ascii: "["):
            try enter(depth)
            if peek == UInt8(ascii: "]") {
                position += 1
                return
            }
            while true {
                try skipValue(depth: depth + 1)
                if try endsContainer(UInt8(ascii: "]"), "expected ',' or ']'") { return }
            }
        case UInt8(ascii: "\""): try skipString()
        case UInt8(ascii: "t"): try skipWord("true")
        case UInt8(ascii: "f"): try skipWord("false")
        case UInt8(ascii: "n"): try skipWord("null")
        default:
            let start = position
            let isInteger = try skipNumber()
            if !isInteger || position - start > 300 { _ = try number(start..<position) }
        }
    }

    private mutating func enter(_ depth: Int) throws(JSONError) {
        guard depth < Self.maximumDepth else { throw failure("nested deeper than \(Self.maximumDepth) levels") }
        position += 1
        skipWhitespace()
    }

    /// After an element: true when the container ends here, false when another element follows.
    private mutating func endsContainer(_ end: UInt8, _ expected: String) throws(JSONError) -> Bool {
        skipWhitespace()
        if peek == end {
            position += 1
            return true
        }
        guard peek == UInt8(ascii: ",") else { throw failure(expected) }
        position += 1
        skipWhitespace()
        return false
    }

    private mutating func parseKey() throws(JSONError) -> String {
        guard peek == UInt8(ascii: "\"") else { throw failure("expected a key in quotes") }
        let key = try parseString()
        try skipColon()
        return key
    }

    private mutating func skipColon() throws(JSONError) {
        skipWhitespace()
        guard peek == UInt8(ascii: ":") else { throw failure("expected ':' after the key") }
        position += 1
        skipWhitespace()
    }

    // MARK: Numbers

    private mutating func parseNumber() throws(JSONError) -> JSONValue {
        let start = position
        if try skipNumber(), let integer = Int64(text(start..<position)) { return .integer(integer) }
        return .number(try number(start..<position))
    }

    private func number(_ range: Range<Int>) throws(JSONError) -> Double {
        guard let value = Double(text(range)), value.isFinite else {
            throw JSONError(offset: range.lowerBound, reason: "a number beyond the range of a 64-bit float")
        }
        return value
    }

    /// Returns whether the number is written as an integer.
    private mutating func skipNumber() throws(JSONError) -> Bool {
        if peek == UInt8(ascii: "-") { position += 1 }
        guard let first = peek, isDigit(first) else { throw failure("expected a value") }
        position += 1
        if first != UInt8(ascii: "0") { skipDigits() }
        var isInteger = true
        if peek == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            try skipRequiredDigits()
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            isInteger = false
            position += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { position += 1 }
            try skipRequiredDigits()
        }
        return isInteger
    }

    private mutating func skipRequiredDigits() throws(JSONError) {
        guard let byte = peek, isDigit(byte) else { throw failure("expected a digit") }
        skipDigits()
    }

    private mutating func skipDigits() {
        while let byte = peek, isDigit(byte) { position += 1 }
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }

    // MARK: Strings

    private mutating func parseString() throws(JSONError) -> String {
        let start = position + 1
        let hasEscapes = try skipString()
        let end = position - 1
        guard hasEscapes else { return text(start..<end) }
        var unescaped: [UInt8] = []
        unescaped.reserveCapacity(end - start)
        var cursor = start
        while cursor < end {
            let byte = bytes[cursor]
            guard byte == UInt8(ascii: "\\") else {
                unescaped.append(byte)
                cursor += 1
                continue
            }
            switch bytes[cursor + 1] {
            case UInt8(ascii: "b"): unescaped.append(0x08)
            case UInt8(ascii: "f"): unescaped.append(0x0C)
            case UInt8(ascii: "n"): unescaped.append(0x0A)
            case UInt8(ascii: "r"): unescaped.append(0x0D)
            case UInt8(ascii: "t"): unescaped.append(0x09)
            case UInt8(ascii: "u"):
                var scalar = UInt32(hexadecimal(at: cursor + 2) ?? 0)
                if scalar & 0xFC00 == 0xD800 {
                    scalar = 0x10000 + (scalar & 0x3FF) << 10 + UInt32(hexadecimal(at: cursor + 8) ?? 0) & 0x3FF
                    cursor += 6
                }
                unescaped.append(contentsOf: String(Unicode.Scalar(scalar).map(Character.init) ?? "\u{FFFD}").utf8)
                cursor += 4
            default: unescaped.append(bytes[cursor + 1])
            }
            cursor += 2
        }
        return String(decoding: unescaped, as: UTF8.self)
    }

    /// Checks one string; returns whether it has escapes.
    @discardableResult
    private mutating func skipString() throws(JSONError) -> Bool {
        let opening = position
        var hasEscapes = false
        position += 1
        while true {
            skipPlainText()
            guard let byte = peek else { throw JSONError(offset: opening, reason: "a string that does not end") }
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return hasEscapes
            case UInt8(ascii: "\\"):
                hasEscapes = true
                try skipEscape()
            case 0..<0x20: throw failure("a control character in a string must be escaped")
            case 0x20..<0x80: position += 1
            default: try skipMultibyteScalar()
            }
        }
    }

    /// What most strings are made of.
    private mutating func skipPlainText() {
        var cursor = position
        while cursor < bytes.count {
            let byte = bytes[cursor]
            guard byte >= 0x20, byte < 0x80, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") else { break }
            cursor += 1
        }
        position = cursor
    }

    private mutating func skipEscape() throws(JSONError) {
        guard position + 1 < bytes.count else { throw failure("a string that does not end") }
        switch bytes[position + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 2
        case UInt8(ascii: "u"):
            guard let unit = hexadecimal(at: position + 2) else { throw failure("expected four hexadecimal digits") }
            if unit & 0xFC00 == 0xDC00 { throw failure("half of a surrogate pair") }
            if unit & 0xFC00 == 0xD800 {
                guard position + 7 < bytes.count, bytes[position + 6] == UInt8(ascii: "\\"),
                    bytes[position + 7] == UInt8(ascii: "u"), let second = hexadecimal(at: position + 8),
                    second & 0xFC00 == 0xDC00
                else { throw failure("half of a surrogate pair") }
                position += 6
            }
            position += 6
        default: throw failure("an unknown escape")
        }
    }

    private func hexadecimal(at start: Int) -> UInt16? {
        guard start + 4 <= bytes.count else { return nil }
        var value: UInt16 = 0
        for byte in bytes[start..<start + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else { return nil }
            value = value << 4 | UInt16(digit)
        }
        return value
    }

    private mutating func skipMultibyteScalar() throws(JSONError) {
        let lead = bytes[position]
        let length: Int
        let second: ClosedRange<UInt8>
        switch lead {
        case 0xC2...0xDF: (length, second) = (2, 0x80...0xBF)
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: (length, second) = (3, 0x80...0xBF)
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: (length, second) = (4, 0x80...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: throw failure("a string that is not valid UTF-8")
        }
        guard position + length <= bytes.count, second.contains(bytes[position + 1]),
            bytes[(position + 2)..<max(position + 2, position + length)].allSatisfy({ $0 & 0xC0 == 0x80 })
        else { throw failure("a string that is not valid UTF-8") }
        position += length
    }

    // MARK: Bytes

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipWhitespace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func skipWord(_ word: StaticString) throws(JSONError) {
        let length = word.utf8CodeUnitCount
        guard position + length <= bytes.count,
            (0..<length).allSatisfy({ bytes[position + $0] == word.utf8Start[$0] })
        else { throw failure("expected a value") }
        position += length
    }

    private mutating func expectEnd() throws(JSONError) {
        skipWhitespace()
        guard position == bytes.count else { throw failure("expected nothing more") }
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    private func failure(_ reason: String) -> JSONError { JSONError(offset: position, reason: reason) }
}
