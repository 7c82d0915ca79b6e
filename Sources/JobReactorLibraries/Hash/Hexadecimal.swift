internal import JobReactorLua

/// Bytes as lower-case hexadecimal digits.
enum Hexadecimal {
    static func encode(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return text
    }

    /// Reads digits of either case.
    static func decode(_ text: [UInt8]) throws(ScriptFailure) -> [UInt8] {
        guard text.count.isMultiple(of: 2) else {
            throw ScriptFailure("hash.unhex: two digits make a byte, and the number of digits, \(text.count), is odd")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 2)
        for index in stride(from: 0, to: text.count, by: 2) {
            bytes.append(try value(of: text, at: index) << 4 | value(of: text, at: index + 1))
        }
        return bytes
    }

    private static func value(of text: [UInt8], at index: Int) throws(ScriptFailure) -> UInt8 {
        switch text[index] {
        case let byte where (0x30...0x39).contains(byte): byte - 0x30
        case let byte where (0x41...0x46).contains(byte): byte - 0x41 + 10
        case let byte where (0x61...0x66).contains(byte): byte - 0x61 + 10
        default: throw ScriptFailure("hash.unhex: the byte at \(index + 1) is not a hexadecimal digit")
        }
    }
}
