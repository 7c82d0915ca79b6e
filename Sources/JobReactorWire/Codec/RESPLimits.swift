/// What one peer may make this process hold. Each limit ends in an error reply that names it, and a closed connection.
public struct RESPLimits: Hashable, Sendable {
    /// Bytes of one frame: a command with all its arguments, or a reply. A link takes messages of 16 MiB whatever stands
    /// here.
    public var frameBytes: Int
    /// Elements of all arrays of one frame together.
    public var elements: Int

    /// Whole seconds that a peer has to say the password, where one is asked for, and to answer a handshake.
    public var authenticationTime: Int

    /// Whole seconds after which a link whose other side says nothing is given up; each side says something after a third of
    /// it at the latest.
    public var silenceTime: Int

    /// Whole seconds in which a message that has begun must be complete, and in which a client must read something of
    /// the replies that wait for it.
    public var messageTime: Int

    /// Bytes of replies that may wait for a client who does not read them. From a fraction of it on, 64 KiB, no more of its
    /// commands are read.
    public var unreadBytes: Int

    /// Bytes that unfinished messages, commands that wait and unread replies of all connections of a port may have together.
    /// Beyond it the connection that has kept this process waiting longest is closed.
    public var heldBytes: Int

    /// 16 MiB, as `JobLimits.messageBytes`, 100,000 elements, 10 s, 30 s, 60 s, 64 MiB and 256 MiB. Arrays hold arrays at most
    /// 7 deep, a limit of the reader itself. Before the password is said a frame may have 16 KiB.
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
