/// The receiving side of a connection: it takes bytes and returns frames.
///
/// The server side also reads inline commands (`PING` and a line end, as typed into a terminal), which Redis' own tools
/// use. Not thread-safe.
package final class RESPStream {
    package enum Side: Sendable {
        /// Reads commands: arrays, and inline ones.
        case server
        /// Reads replies: any value.
        case client
    }

    private let side: Side
    private let reader: RESPReader
    private var line: [UInt8] = []

    /// Lines are typed by people.
    static let lineBytes = 64 << 10
    private var inlineLimit: Int { min(Self.lineBytes, reader.limits.frameBytes) }
    private static let arrayMark = UInt8(ascii: "*")

    package init(side: Side, limits: RESPLimits) {
        self.side = side
        reader = RESPReader(limits: limits)
    }

    /// Raises the limits to at least these, from the next frame on.
    func raiseLimits(to least: RESPLimits) {
        reader.limits.frameBytes = max(reader.limits.frameBytes, least.frameBytes)
        reader.limits.elements = max(reader.limits.elements, least.elements)
    }

    /// The bytes of an incomplete message.
    var unfinishedBytes: Int {
        line.count + (reader.isBetweenFrames ? reader.bufferedBytes : reader.heldBytes)
    }

    /// The bytes of the peer in memory: incomplete lines and frames, and the last complete frame.
    var heldBytes: Int { line.count + reader.heldBytes }

    /// Reads the bytes and calls `visit` with each complete frame. If `visit` returns false, the rest is discarded.
    package func consume(
        _ bytes: UnsafeRawBufferPointer, _ visit: (RESPFrame) -> Bool
    ) throws(RESPError) {
        _ = try consumeSome(bytes, visit)
    }

    /// As ``consume(_:_:)``. Returns the number of bytes that were read; the next call continues after them.
    func consumeSome(_ bytes: UnsafeRawBufferPointer, _ visit: (RESPFrame) -> Bool) throws(RESPError) -> Int {
        var position = 0
        while position < bytes.count {
            if startsInline(bytes[position]) {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
                guard let length = try consumeLine(rest) else { return bytes.count }
                position += length
                let words = try InlineCommand.words(of: line)
                line.removeAll()
                if !words.isEmpty, !visit(try reader.frame(ofWords: words)) { return position }
                continue
            }
            // hiredis moves what is left of its buffer each time it has read 1 KiB: small helpings keep that cheap.
            let helping = reader.bufferedBytes > 8192 ? 65536 : 8192
            let end = min(position + helping, bytes.count)
            try reader.feed(UnsafeRawBufferPointer(rebasing: bytes[position..<end]))
            position = end
            while let frame = try reader.next() {
                guard visit(frame) else {
                    takeBack(&position)
                    return position
                }
                if side == .server, let next = reader.nextByte, next != Self.arrayMark {
                    // An inline command follows within what was fed.
                    takeBack(&position)
                    break
                }
            }
        }
        return position
    }

    /// What was fed behind a complete frame is as if it had not been.
    private func takeBack(_ position: inout Int) {
        guard reader.bufferedBytes > 0 else { return }
        position -= reader.bufferedBytes
        reader.discardBuffered()
    }

    private func startsInline(_ byte: UInt8) -> Bool {
        guard side == .server else { return false }
        if !line.isEmpty { return true }
        return reader.isBetweenFrames && reader.bufferedBytes == 0 && byte != Self.arrayMark
    }

    /// Collects a line; returns how many bytes it took, nil when the line end has not come yet.
    private func consumeLine(_ bytes: UnsafeRawBufferPointer) throws(RESPError) -> Int? {
        let end = bytes.firstIndex(of: UInt8(ascii: "\n"))
        line.append(contentsOf: bytes[..<(end ?? bytes.count)].prefix(inlineLimit + 1))
        guard line.count <= inlineLimit else { throw .inlineTooLong(limit: inlineLimit) }
        guard let end else {
            return nil
        }
        return end + 1
    }
}
