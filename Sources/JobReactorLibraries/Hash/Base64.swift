internal import JobReactorLua

/// Base64 of RFC 4648: the standard alphabet with padding, or that of URLs without.
struct Base64 {
    static let standard = Base64(last: "+/", isPadded: true, name: "hash.unbase64")
    static let url = Base64(last: "-_", isPadded: false, name: "hash.unbase64url")

    private let alphabet: [UInt8]
    /// The value of each byte, 255 for those that are none of the alphabet.
    private let values: [UInt8]
    private let isPadded: Bool
    private let name: String

    private init(last: String, isPadded: Bool, name: String) {
        alphabet = Array(("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + last).utf8)
        var values = [UInt8](repeating: 255, count: 256)
        for (value, byte) in alphabet.enumerated() { values[Int(byte)] = UInt8(value) }
        self.values = values
        self.isPadded = isPadded
        self.name = name
    }

    func encode(_ bytes: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let count = min(3, bytes.count - start)
            var group = 0
            for index in 0..<3 { group = group << 8 | (index < count ? Int(bytes[start + index]) : 0) }
            for index in 0...count { text.append(alphabet[group >> (18 - 6 * index) & 63]) }
            if isPadded { for _ in count..<3 { text.append(UInt8(ascii: "=")) } }
        }
        return text
    }

    /// Padding may be left out, whatever the alphabet; anything else that ``encode(_:)`` does not write is an error.
    func decode(_ text: [UInt8]) throws(ScriptFailure) -> [UInt8] {
        var digits = text[...]
        if text.count.isMultiple(of: 4) {
            for _ in 0..<2 where digits.last == UInt8(ascii: "=") { digits.removeLast() }
        }
        guard digits.count % 4 != 1 else { throw ScriptFailure("\(name): the text is cut short") }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 4 * 3 + 2)
        var (group, bits) = (0, 0)
        for (index, byte) in digits.enumerated() {
            let value = values[Int(byte)]
            guard value != 255 else { throw ScriptFailure("\(name): the byte at \(index + 1) is not Base64") }
            group = (group << 6 | Int(value)) & 0xFFFF
            bits += 6
            guard bits >= 8 else { continue }
            bits -= 8
            bytes.append(UInt8(truncatingIfNeeded: group >> bits))
        }
        guard group & (1 << bits - 1) == 0 else { throw ScriptFailure("\(name): the last digit has too many bits") }
        return bytes
    }
}
