internal import JobReactor
private import JobReactorLua

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
            self = .usage(Self.withFlags(error.message, startsWithName: true))
        case let error as JobError:
            switch error.code {
            case .invalidName, .invalidArguments, .invalidOption: self = .usage(error.message)
            case .busy, .stopped, .timedOut, .unreachable: self = .failure(error.message)
            }
        // What a script says is left as it is.
        case let error as JobFailure: self = .failure("\(error)")
        default: self = .failure(Self.withFlags("\(error)"))
        }
    }

    var description: String { message ?? "" }

    /// The message of a library, whose settings are parameters of Swift, with the flags that they have here. Where it does not
    /// start with one, a name of one word is a word of the sentence.
    static func withFlags(_ message: String, startsWithName: Bool = false) -> String {
        message.split(separator: " ", omittingEmptySubsequences: false).enumerated().map { index, word in
            let name = word.hasPrefix("policy.") ? word.dropFirst("policy.".count) : word
            let isName = name.contains(where: \.isUppercase) || startsWithName && index == 0
            let setting = isName ? SettingTable.all.first { $0.swiftName == name } : nil
            return setting.map { "--" + $0.flag } ?? String(word)
        }.joined(separator: " ")
    }
}
