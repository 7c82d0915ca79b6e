internal import JobReactor

/// The end of a command that did not go well: one line on standard error, and the exit code.
struct CommandFailure: Error, Hashable, Sendable, CustomStringConvertible {
    enum Code: Int32, Sendable {
        case failure = 1
        /// The command was not used as it is meant: `EX_USAGE`.
        case usage = 64
    }

    let code: Code
    /// Says what to do; nil when all has been said.
    let message: String?

    static func usage(_ message: String) -> CommandFailure { CommandFailure(code: .usage, message: message) }
    static func failure(_ message: String) -> CommandFailure { CommandFailure(code: .failure, message: message) }
    /// What went wrong stands on standard error already.
    static let told = CommandFailure(code: .failure, message: nil)

    private init(code: Code, message: String?) {
        self.code = code
        self.message = message
    }

    /// An error of the libraries.
    init(_ error: any Error) {
        switch error {
        case let error as CommandFailure: self = error
        case let error as WireError where error.code == .configuration:
            self = .usage(error.message)
        case let error as JobError:
            switch error.code {
            case .invalidName, .invalidArguments, .invalidOption: self = .usage(error.message)
            case .busy, .stopped, .timedOut, .unreachable: self = .failure(error.message)
            }
        default: self = .failure("\(error)")
        }
    }

    var description: String { message ?? "" }
}
