internal import JobReactorCore
internal import NIOCore

/// Writes RESP into memory whose size is known to suffice.
///
/// Unsafe for speed: through a `ByteBuffer` each piece of a message pays for checks of room, uniqueness and exclusivity,
/// which were three quarters of what an echo of messages costs. Here one message pays once.
struct RESPCursor {
    private let end: UnsafeMutableRawPointer
    private(set) var next: UnsafeMutableRawPointer

    fileprivate init(_ room: UnsafeMutableRawBufferPointer, start: UnsafeMutableRawPointer) {
        next = start
        end = start + room.count
    }

    /// Bytes that a word may take beside its own.
    static let aroundWord = 24
    /// All that an id takes.
    static let idWord = 39

    mutating func array(count: Int) { marked(UInt8(ascii: "*"), count) }

    mutating func bulk(_ text: StaticString) {
        bulk(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func bulk(_ text: String) {
        var text = text
        text.withUTF8 { bulk(UnsafeRawBufferPointer($0)) }
    }

    mutating func bulk(_ bytes: [UInt8]) { bytes.withUnsafeBytes { bulk($0) } }

    mutating func bulk(_ bytes: UnsafeRawBufferPointer) {
        marked(UInt8(ascii: "$"), bytes.count)
        copy(bytes)
        endLine()
    }

    mutating func bulk(_ id: JobID) {
        marked(UInt8(ascii: "$"), 32)
        precondition(end - next >= 34)
        id.write(hexadecimal: UnsafeMutableRawBufferPointer(start: next, count: 32))
        next += 32
        endLine()
    }

    mutating func bulk(number: Int) {
        withDecimal(number) { bulk(UnsafeRawBufferPointer($0)) }
    }

    private mutating func marked(_ mark: UInt8, _ value: Int) {
        precondition(end - next >= 3)
        next.storeBytes(of: mark, as: UInt8.self)
        next += 1
        if value >= 0 && value < 10 {
            next.storeBytes(of: UInt8(value) &+ 48, as: UInt8.self)
            next += 1
        } else {
            withDecimal(value) { copy(UnsafeRawBufferPointer($0)) }
        }
        endLine()
    }

    private mutating func copy(_ bytes: UnsafeRawBufferPointer) {
        precondition(end - next >= bytes.count)
        guard let start = bytes.baseAddress else { return }
        next.copyMemory(from: start, byteCount: bytes.count)
        next += bytes.count
    }

    private mutating func endLine() {
        precondition(end - next >= 2)
        next.storeBytes(of: UInt16(0x0A0D).littleEndian, as: UInt16.self)
        next += 2
    }
}

extension ByteBuffer {
    /// Writes what `body` writes, which takes at most `capacity` bytes.
    mutating func writeRESP(capacity: Int, _ body: (inout RESPCursor) -> Void) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: capacity) { room in
            guard let start = room.baseAddress else { return 0 }
            var cursor = RESPCursor(room, start: start)
            body(&cursor)
            return cursor.next - start
        }
    }
}
