/// Compares and parses words of a command as bytes, so that a job needs no strings on its way.
package enum CommandWord {
    /// Whether the word is `name` in any letter case; `name` is given in upper case.
    package static func matches(_ word: UnsafeRawBufferPointer, _ name: StaticString) -> Bool {
        guard word.count == name.utf8CodeUnitCount else { return false }
        for index in 0..<word.count {
            var byte = word[index]
            if byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") { byte &-= 32 }
            guard byte == name.utf8Start[index] else { return false }
        }
        return true
    }

    /// Whether the word equals `text`, case-sensitively.
    package static func equals(_ word: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
        guard word.count == text.utf8CodeUnitCount else { return false }
        for index in 0..<word.count where word[index] != text.utf8Start[index] { return false }
        return true
    }

    /// A whole number in decimal, with sign; nil for anything else.
    package static func integer(_ word: UnsafeRawBufferPointer) -> Int? {
        // What has room in 64 bits, whatever its digits; longer ones are rare.
        guard word.count < 19, let first = word.first, first != UInt8(ascii: "-"), first != UInt8(ascii: "+") else {
            return word.count <= 20 ? Int(String(decoding: word, as: UTF8.self)) : nil
        }
        var value = 0
        for byte in word {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            value = value &* 10 &+ Int(byte &- 48)
        }
        return value
    }

    /// A finite number; nil for anything else.
    package static func number(_ word: UnsafeRawBufferPointer) -> Double? {
        // Double ends its text at a zero byte.
        guard word.count <= 64, !word.contains(0), let value = Double(String(decoding: word, as: UTF8.self)),
            value.isFinite
        else { return nil }
        return value
    }

    /// The word for an error message: printable and shortened.
    package static func shown(_ word: UnsafeRawBufferPointer) -> String {
        let text = String(decoding: word.prefix(64), as: UTF8.self)
        return String(text.map { $0.isASCII && ($0.asciiValue ?? 0) < 0x20 ? " " : $0 })
    }
}
