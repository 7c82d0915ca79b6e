/// The reason why a text is not the spec of a schedule.
public struct ScheduleSpecError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Offset of the byte at which the wrong part begins, from 0.
    public let offset: Int
    /// What is wrong with it, and what to write.
    public let reason: String

    init(offset: Int, reason: String) {
        self.offset = offset
        self.reason = reason
    }

    public var description: String { "invalid schedule at byte \(offset): \(reason)" }
}
