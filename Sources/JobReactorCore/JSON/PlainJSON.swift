/// Says quickly of most JSON objects that they are valid: those whose strings are ASCII without escapes, whose numbers have no
/// exponent, and that nest no deeper than 64. Of all else it says nothing: ``JSONScanner`` looks.
///
/// Each job passes this at its door, at its node, and with its outcome. Strings are read eight bytes at a time.
struct PlainJSON {
    private let bytes: UnsafeRawBufferPointer
    private var at = 0
    /// What is open, a bit each, the innermost lowest: 1 for an object, 0 for an array.
    private var open: UInt64 = 0
    private var depth = 0

    private static let quote = UInt8(ascii: "\"")
    private static let deepest = 64

    /// Whether the bytes are one JSON object for certain.
    static func isObject(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var plain = PlainJSON(bytes)
        return plain.isObject()
    }

    private init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    private mutating func isObject() -> Bool {
        skipSpace()
        guard next == UInt8(ascii: "{"), enter(1) else { return false }
        var isFirst = true
        while true {
            if !isFirst || next != closing {
                if open & 1 == 1, !skipKey() { return false }
                switch next {
                case UInt8(ascii: "{"):
                    guard enter(1) else { return false }
                    isFirst = true
                    continue
                case UInt8(ascii: "["):
                    guard enter(0) else { return false }
                    isFirst = true
                    continue
                default: guard skipScalar() else { return false }
                }
            }
            isFirst = false
            guard let goesOn = endElement() else { return false }
            if !goesOn {
                skipSpace()
                return at == bytes.count
            }
        }
    }

    // MARK: Containers

    private var closing: UInt8 { open & 1 == 1 ? UInt8(ascii: "}") : UInt8(ascii: "]") }

    private mutating func enter(_ kind: UInt64) -> Bool {
        guard depth < Self.deepest else { return false }
        depth += 1
        open = open << 1 | kind
        at += 1
        skipSpace()
        return true
    }

    /// After a value, or where an empty container ends: true before another element, false when nothing is open any more; nil
    /// where neither may be.
    private mutating func endElement() -> Bool? {
        while true {
            skipSpace()
            if take(UInt8(ascii: ",")) {
                skipSpace()
                return true
            }
            guard take(closing) else { return nil }
            open >>= 1
            depth -= 1
            if depth == 0 { return false }
        }
    }

    // MARK: Values

    private mutating func skipKey() -> Bool {
        guard skipString() else { return false }
        skipSpace()
        guard take(UInt8(ascii: ":")) else { return false }
        skipSpace()
        return true
    }

    private mutating func skipScalar() -> Bool {
        switch next {
        case Self.quote: skipString()
        case UInt8(ascii: "t"): skip("true")
        case UInt8(ascii: "f"): skip("false")
        case UInt8(ascii: "n"): skip("null")
        default: skipNumber()
        }
    }

    private mutating func skipString() -> Bool {
        guard take(Self.quote) else { return false }
        while bytes.count &- at >= 8 {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
            let special = Self.special(word)
            guard special == 0 else {
                at &+= special.trailingZeroBitCount >> 3
                // All but the end of the string is for who looks closely.
                return take(Self.quote)
            }
            at &+= 8
        }
        while next >= 0x20, next < 0x80, next != Self.quote, next != UInt8(ascii: "\\") { at &+= 1 }
        return take(Self.quote)
    }

    /// The highest bit of the first byte that is a quote, a backslash, a control character or not ASCII; above it others may be
    /// set. 0 when there is none.
    private static func special(_ word: UInt64) -> UInt64 {
        let (ones, highs) = (0x0101_0101_0101_0101 as UInt64, 0x8080_8080_8080_8080 as UInt64)
        let quotes = word ^ (ones &* UInt64(quote))
        let backslashes = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
        let isQuote = (quotes &- ones) & ~quotes
        let isBackslash = (backslashes &- ones) & ~backslashes
        let isControl = (word &- (ones &* 0x20)) & ~word
        return (isQuote | isBackslash | isControl | word) & highs
    }

    private mutating func skip(_ word: StaticString) -> Bool {
        let length = word.utf8CodeUnitCount
        guard bytes.count - at >= length else { return false }
        for offset in 0..<length where bytes[at + offset] != word.utf8Start[offset] { return false }
        at += length
        return true
    }

    private mutating func skipNumber() -> Bool {
        let start = at
        _ = take(UInt8(ascii: "-"))
        guard isDigit(next) else { return false }
        if !take(UInt8(ascii: "0")) { skipDigits() }
        if take(UInt8(ascii: ".")) {
            guard isDigit(next) else { return false }
            skipDigits()
        }
        guard next != UInt8(ascii: "e"), next != UInt8(ascii: "E") else { return false }
        // Of so few digits no number is too large.
        return at - start <= 300
    }

    private mutating func skipDigits() {
        while isDigit(next) { at &+= 1 }
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    // MARK: Bytes

    /// 0, which is no part of JSON, at the end.
    private var next: UInt8 { at < bytes.count ? bytes[at] : 0 }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        at &+= 1
        return true
    }

    private mutating func skipSpace() {
        while next <= 0x20, next == 0x20 || next == 0x0A || next == 0x0D || next == 0x09 { at &+= 1 }
    }
}
