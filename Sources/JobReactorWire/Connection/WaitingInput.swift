internal import NIOCore

/// What a peer has sent and its session is not given yet, and the end of its input behind that.
///
/// A value without I/O.
struct WaitingInput {
    private enum End {
        /// More may come. Turns into the others.
        case open
        /// Nothing more comes; the session is to hear of it when nothing waits. Turns into `told`.
        case behind
        /// The session knows.
        case told
    }

    private var bytes = ByteBuffer()
    private var end = End.open

    /// What is read at one time, so that others get their turns.
    private static let partBytes = 64 << 10

    var count: Int { bytes.readableBytes }
    var isEmpty: Bool { count == 0 }
    /// Nothing that comes counts any more.
    var hasEnded: Bool { end != .open }
    /// Whether there is anything for the session.
    var hasAny: Bool { count > 0 || end == .behind }

    /// Appends what the buffer has behind its first bytes.
    mutating func append(_ buffer: ByteBuffer, behind first: Int) {
        bytes.writeBytes(buffer.readableBytesView.dropFirst(first))
    }

    /// What is to be read next; ``take(_:)`` is to follow.
    var part: ByteBuffer {
        bytes.getSlice(at: bytes.readerIndex, length: min(count, Self.partBytes)) ?? ByteBuffer()
    }

    /// So many bytes were read.
    mutating func take(_ taken: Int) {
        bytes.moveReaderIndex(forwardBy: min(taken, count))
        // What much input took is given back.
        if isEmpty { removeAll() }
    }

    mutating func removeAll() { bytes = ByteBuffer() }

    /// The input has ended, behind what waits.
    mutating func endBehind() {
        if end == .open { end = .behind }
    }

    /// Returns whether the session is to hear of the end now.
    mutating func tellEnd() -> Bool {
        guard isEmpty, end == .behind else { return false }
        end = .told
        return true
    }

    /// Nothing of what waits can be read. Returns whether the session is to hear of the end, which comes by that.
    mutating func endNow() -> Bool {
        removeAll()
        endBehind()
        return tellEnd()
    }
}
