/// Words of a command, compared and read as bytes: no string is made on the way of a job.
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

    /// A whole number in decimal, with sign; nil for anything else.
    package static func integer(_ word: UnsafeRawBufferPointer) -> Int? {
        guard word.count <= 20 else { return nil }
        return Int(String(decoding: word, as: UTF8.self))
    }

    /// A finite number; nil for anything else.
    package static func number(_ word: UnsafeRawBufferPointer) -> Double? {
        // Double ends its text at a zero byte.
        guard word.count <= 64, !word.contains(0), let value = Double(String(decoding: word, as: UTF8.self)),
            value.isFinite
        else { return nil }
        return value
    }

    /// The word for an error message: printable, and no longer than need be.
    package static func shown(_ word: UnsafeRawBufferPointer) -> String {
        let text = String(decoding: word.prefix(64), as: UTF8.self)
        return String(text.map { $0.isASCII && ($0.asciiValue ?? 0) < 0x20 ? " " : $0 })
    }
}
