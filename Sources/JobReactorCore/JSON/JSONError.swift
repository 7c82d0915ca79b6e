/// The reason why bytes are not the expected JSON.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Offset of the byte at which reading stopped, from 0.
    public let offset: Int
    /// What was expected there.
    public let reason: String

    public init(offset: Int, reason: String) {
        self.offset = offset
        self.reason = reason
    }

    public var description: String { "invalid JSON at byte \(offset): \(reason)" }
}
