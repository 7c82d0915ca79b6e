package import JobReactorCore

/// An error between processes that does not concern a job.
public struct WireError: Error, Sendable, CustomStringConvertible {
    public enum Code: String, Hashable, Sendable {
        /// The port could not be opened.
        case listen
        /// The peer could not be reached, or refused the connection.
        case connect
        /// Invalid or inconsistent settings.
        case configuration
    }

    public let code: Code
    /// Says what to do.
    public let message: String
    public let cause: (any Error)?

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    public var description: String { message }

    /// Throws unless the time is from 0 to ``JobLimits/seconds``.
    package static func check(_ setting: SettingName, seconds: Double) throws(WireError) {
        guard seconds >= 0, seconds <= JobLimits.seconds else {
            throw WireError(
                .configuration, "\(setting) takes seconds from 0 to \(Int(JobLimits.seconds)), not \(seconds)")
        }
    }
}
