/// An error in the request for a job, or on its way.
public struct JobError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Hashable, Sendable {
        /// The name, the args or an option is not allowed; nothing was enqueued.
        case invalidName, invalidArguments, invalidOption
        /// The distributor or the client was stopped; jobs that waited there are lost.
        case stopped
        /// Waiting jobs use all of their memory: try again later. Nothing was enqueued.
        case busy
        /// No outcome within the given time. The job continues.
        case timedOut
        /// The other side could not be reached, or refused the request.
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
