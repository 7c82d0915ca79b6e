package import JobReactorCore
package import NIOCore

/// Writing RESP: what the reader of either side reads.
extension ByteBuffer {
    package mutating func writeRESPArray(count: Int) {
        writeMarked(UInt8(ascii: "*"), count)
    }

    package mutating func writeRESPInteger(_ value: Int) {
        writeMarked(UInt8(ascii: ":"), value)
    }

    package mutating func writeRESPNull() {
        writeStaticString("$-1\r\n")
    }

    /// A status; the text must not contain a line end.
    package mutating func writeRESPSimple(_ text: StaticString) {
        writeInteger(UInt8(ascii: "+"))
        writeStaticString(text)
        writeStaticString("\r\n")
    }

    /// An error; line ends in the text become spaces.
    package mutating func writeRESPError(_ text: String) {
        writeInteger(UInt8(ascii: "-"))
        writeBytes(text.utf8.lazy.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 })
        writeStaticString("\r\n")
    }

    /// An error of a word and bytes that follow it unchanged; they must not contain a line end, as JSON does not.
    package mutating func writeRESPError(code: StaticString, _ bytes: [UInt8]) {
        writeInteger(UInt8(ascii: "-"))
        writeStaticString(code)
        writeInteger(UInt8(ascii: " "))
        writeBytes(bytes.lazy.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 })
        writeStaticString("\r\n")
    }

    package mutating func writeRESPBulk(_ bytes: [UInt8]) {
        writeRESP(capacity: bytes.count + RESPCursor.aroundWord) { $0.bulk(bytes) }
    }

    package mutating func writeRESPBulk(_ text: String) {
        writeRESP(capacity: text.utf8.count + RESPCursor.aroundWord) { $0.bulk(text) }
    }

    package mutating func writeRESPBulk(_ text: StaticString) {
        writeRESP(capacity: text.utf8CodeUnitCount + RESPCursor.aroundWord) { $0.bulk(text) }
    }

    package mutating func writeRESPBulk(_ bytes: UnsafeRawBufferPointer) {
        writeRESP(capacity: bytes.count + RESPCursor.aroundWord) { $0.bulk(bytes) }
    }

    /// A number as text.
    package mutating func writeRESPBulk(number: Int) {
        writeRESP(capacity: 2 * RESPCursor.aroundWord) { $0.bulk(number: number) }
    }

    package mutating func writeRESPBulk(_ id: JobID) {
        writeRESP(capacity: RESPCursor.idWord) { $0.bulk(id) }
    }

    /// A whole command, for senders without need for speed.
    package mutating func writeRESPCommand(_ words: [String]) {
        writeRESPArray(count: words.count)
        for word in words { writeRESPBulk(word) }
    }

    private mutating func writeMarked(_ mark: UInt8, _ value: Int) {
        writeInteger(mark)
        if value >= 0 && value < 10 {
            writeInteger(UInt8(value) &+ 48)
        } else {
            withDecimal(value) { _ = writeBytes($0) }
        }
        writeInteger(UInt16(0x0D0A))
    }
}

/// The digits of a number, without a string.
func withDecimal(_ value: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
        var position = 20
        var rest = value.magnitude
        repeat {
            position -= 1
            digits[position] = UInt8(truncatingIfNeeded: rest % 10) &+ 48
            rest /= 10
        } while rest > 0
        if value < 0 {
            position -= 1
            digits[position] = UInt8(ascii: "-")
        }
        body(UnsafeBufferPointer(rebasing: digits[position...]))
    }
}
