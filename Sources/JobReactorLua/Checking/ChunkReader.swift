/// The bytes of a compiled chunk, read from front to back. Whatever is asked for beyond the end is nil.
struct ChunkReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func byte() -> UInt8? {
        guard position < bytes.count else { return nil }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, count <= bytes.count - position else { return nil }
        defer { position += count }
        return bytes[position..<position + count]
    }

    mutating func skip(_ count: Int) -> Bool { take(count) != nil }

    /// Four bytes, in the order of this machine, which has compiled the chunk.
    mutating func instruction() -> UInt32? {
        take(4).map { $0.withUnsafeBytes { UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self)) } }
    }

    /// A number in groups of seven bits, the highest first, the last marked.
    mutating func number() -> Int? {
        var value = 0
        while let byte = byte() {
            guard value <= Int.max >> 7 else { return nil }
            value = value << 7 | Int(byte & 0x7F)
            if byte & 0x80 != 0 { return value }
        }
        return nil
    }

    /// The length of a list whose elements have at least so many bytes: no more than there can be.
    mutating func count(ofAtLeast bytes: Int) -> Int? {
        guard let count = number(), count <= (self.bytes.count - position) / bytes else { return nil }
        return count
    }

    /// Text, with U+FFFD in place of what is not UTF-8; `.some(nil)` where none was kept.
    mutating func string() -> String?? {
        guard let size = number() else { return nil }
        if size == 0 { return .some(nil) }
        return take(size - 1).map { String(decoding: $0, as: UTF8.self) }
    }
}
