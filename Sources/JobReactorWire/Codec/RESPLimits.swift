/// The limits for one peer. Exceeding a limit leads to an error reply that names it, and a closed connection.
public struct RESPLimits: Hashable, Sendable {
    /// Bytes of one frame: a command with all its arguments, or a reply. A link accepts messages of 16 MiB regardless
    /// of this value.
    public var frameBytes: Int
    /// Elements of all arrays of one frame together.
    public var elements: Int

    /// Whole seconds within which a peer must send a required password, and answer a handshake.
    public var authenticationTime: Int

    /// Whole seconds after which a link with a silent peer is closed; each side sends at least a heartbeat after a
    /// third of this time.
    public var silenceTime: Int

    /// Whole seconds within which a message must be complete, and within which a client must read some of the waiting
    /// replies.
    public var messageTime: Int

    /// Bytes of replies that may wait for a client. From 64 KiB on, its commands are not read.
    public var unreadBytes: Int

    /// Bytes of unfinished messages, waiting commands and unread replies of all connections of a port. Beyond it, the
    /// connection that has held data longest is closed.
    public var heldBytes: Int

    /// 16 MiB, as `JobLimits.messageBytes`, 100,000 elements, 10 s, 30 s, 60 s, 64 MiB and 256 MiB. Arrays hold arrays
    /// at most 7 deep, a limit of the reader itself. Before the password is given, a frame may have 16 KiB.
    public init(
        frameBytes: Int = 16 << 20, elements: Int = 100_000, authenticationTime: Int = 10, silenceTime: Int = 30,
        messageTime: Int = 60, unreadBytes: Int = 64 << 20, heldBytes: Int = 256 << 20
    ) {
        self.frameBytes = frameBytes
        self.elements = elements
        self.authenticationTime = authenticationTime
        self.silenceTime = silenceTime
        self.messageTime = messageTime
        self.unreadBytes = unreadBytes
        self.heldBytes = heldBytes
    }

    /// What a peer may send that has not said the password.
    var beforeAuthentication: RESPLimits {
        var limits = self
        limits.frameBytes = min(frameBytes, 16 << 10)
        limits.elements = min(elements, 64)
        return limits
    }
}
