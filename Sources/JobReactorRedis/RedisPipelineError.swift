/// The reason why a command has no answer.
package struct RedisPipelineError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: Hashable, Sendable {
        /// The command was never sent.
        case unreachable
        /// The command was sent, and the connection was lost before the answer arrived.
        case uncertain
        /// The server refused the login.
        case refused
        /// The pipeline was closed.
        case closed
    }

    package let code: Code
    package let message: String

    package var description: String { message }

    static func unreachable(_ location: RedisLocation, _ reason: String) -> Self {
        Self(
            code: .unreachable,
            message: "cannot connect to \(location): \(reason): check that a Redis server runs there and that the URL"
                + " is right")
    }

    static func uncertain(_ location: RedisLocation, _ reason: String) -> Self {
        Self(
            code: .uncertain,
            message:
                "the connection to \(location) was lost before the answer arrived (\(reason)): the command may or may"
                + " not have been executed")
    }

    static func refused(_ location: RedisLocation, _ reply: String) -> Self {
        Self(
            code: .refused,
            message: "\(location) refuses the login: \(reply): check user, password and database of the URL")
    }

    static func closed(_ location: RedisLocation) -> Self {
        Self(code: .closed, message: "the connection to \(location) was closed before the answer arrived")
    }
}
