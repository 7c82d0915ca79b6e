/// What can be wrong with a job that someone asks for, and what can happen to it on the way.
public struct JobError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Hashable, Sendable {
        /// The name, the args or an option is not allowed; nothing was enqueued.
        case invalidName, invalidArguments, invalidOption
        /// The distributor or the client was stopped; what was waiting there is gone with it.
        case stopped
        /// What waits here takes all the memory that it may: try again when some has left. Nothing was enqueued.
        case busy
        /// No outcome within the time asked for. The job goes on.
        case timedOut
        /// The other side could not be reached, or refused.
        case unreachable
    }

    public let code: Code
    /// Says what to do.
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
