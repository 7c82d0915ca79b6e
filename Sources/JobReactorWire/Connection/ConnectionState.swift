/// What a connection is about: whether it reads, when it sends what was written, and how it ends.
///
/// A value without I/O: its methods take what happened, and say what is to be done.
struct ConnectionState {
    private enum Phase {
        case open
        /// Our last words are on their way; what the peer still sends is not read.
        case closing
        case closed
    }

    /// A server stops reading the commands of a peer that does not read its replies; a client, and a link in either role,
    /// reads on: the volume is bounded, and two sides that wait for each other would stop for ever.
    private let readsOn: Bool
    private var phase = Phase.open
    private(set) var isLink = false
    private var isInputPaused = false
    /// Nothing is read for a moment, whatever the connection is.
    private var isResting = false
    /// The channel has asked to read, and was told to wait.
    private var owesRead = false
    /// Frames of one read are being taken: what is written meanwhile goes out after them.
    private var isReading = false
    private var isFlushDue = false
    /// Why it ends: the first reason that was given.
    private(set) var closeReason: String?

    init(readsOn: Bool) { self.readsOn = readsOn }

    /// Until it is gone.
    var isOpen: Bool { phase != .closed }
    /// Whether what is written now is sent, and what comes is read.
    var isInUse: Bool { phase == .open }
    /// Whether the peer has sent what we have not read, as far as we know.
    var hasUnread: Bool { owesRead }

    // MARK: Output

    /// Something was written. Returns whether a flush is to be made at the end of this turn of the loop.
    mutating func wrote() -> Bool {
        guard !isReading, !isFlushDue else { return false }
        isFlushDue = true
        return true
    }

    /// The end of that turn. Returns whether to flush.
    mutating func turnEnded() -> Bool {
        isFlushDue = false
        return phase == .open
    }

    // MARK: Input

    /// Whether the session has enough to do, and is given no more frames.
    var isPaused: Bool { isInputPaused && !isLink && !readsOn }

    /// Whether what comes now has to wait. A channel that is not to read has read some already, and hands out all that there
    /// is when its peer ends.
    func holdsBack(isWritable: Bool) -> Bool { phase == .open && !isLink && !readsOn && !mayRead(isWritable) }

    /// Bytes have come. Returns whether they count.
    mutating func readBegan() -> Bool {
        guard phase != .closing else { return false }
        isReading = true
        return true
    }

    /// All that came in one read is through. Returns whether to flush.
    mutating func readEnded() -> Bool {
        isReading = false
        return phase != .closing
    }

    /// The channel would read. Returns whether it may now; else it is told later, by one of the methods that follow.
    mutating func asksToRead(isWritable: Bool) -> Bool {
        owesRead = !mayRead(isWritable)
        return !owesRead
    }

    /// Returns whether the channel is to read now.
    mutating func pauseInput(_ pause: Bool, isWritable: Bool) -> Bool {
        isInputPaused = pause
        return resumes(isWritable)
    }

    /// Returns whether the channel is to read now.
    mutating func rest(_ rests: Bool, isWritable: Bool) -> Bool {
        isResting = rests
        return resumes(isWritable)
    }

    /// The connection has become a link. Returns whether the channel is to read now.
    mutating func becomeLink(isWritable: Bool) -> Bool {
        isLink = true
        return resumes(isWritable)
    }

    /// Returns whether the channel is to read now.
    mutating func writabilityChanged(_ isWritable: Bool) -> Bool { resumes(isWritable) }

    private mutating func resumes(_ isWritable: Bool) -> Bool {
        guard owesRead, mayRead(isWritable) else { return false }
        owesRead = false
        return true
    }

    private func mayRead(_ isWritable: Bool) -> Bool {
        if phase == .closing { return true }
        if isResting { return false }
        if isLink || readsOn { return true }
        return !isInputPaused && isWritable
    }

    // MARK: The end

    /// Returns whether it closes now, in words; not when it does already, or is gone.
    mutating func close(_ reason: String?) -> Bool {
        guard phase == .open else { return false }
        phase = .closing
        note(reason)
        return true
    }

    /// It closes, and reads to the end. Returns whether the channel is to read now.
    mutating func readsToTheEnd() -> Bool { resumes(true) }

    /// Why the end comes that is about to.
    mutating func note(_ reason: String?) { closeReason = closeReason ?? reason }

    /// The connection is gone. Returns whether that is new.
    mutating func ended() -> Bool {
        guard phase != .closed else { return false }
        phase = .closed
        return true
    }
}
