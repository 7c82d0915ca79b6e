/// What one peer may make this process hold. Each limit ends in an error reply that names it, and a closed connection.
public struct RESPLimits: Hashable, Sendable {
    /// Bytes of one frame: a command with all its arguments, or a reply. A link takes messages of 16 MiB whatever stands
    /// here.
    public var frameBytes: Int
    /// Elements of all arrays of one frame together.
    public var elements: Int

    /// Whole seconds that a peer has to say the password, where one is asked for.
    public var authenticationTime: Int

    /// Whole seconds after which a link whose other side says nothing is given up; each side says something after a third of
    /// it at the latest.
    public var silenceTime: Int

    /// 16 MiB, as `JobLimits.messageBytes`, 100,000 elements, 10 s and 30 s. Arrays hold arrays at most 7 deep, a limit of the reader
    /// itself.
    public init(
        frameBytes: Int = 16 << 20, elements: Int = 100_000, authenticationTime: Int = 10, silenceTime: Int = 30
    ) {
        self.frameBytes = frameBytes
        self.elements = elements
        self.authenticationTime = authenticationTime
        self.silenceTime = silenceTime
    }
}
