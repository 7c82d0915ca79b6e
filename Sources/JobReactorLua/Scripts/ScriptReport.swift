public import JobReactorCore

/// What loading a folder of scripts came to.
public struct ScriptReport: Hashable, Sendable {
    /// A job as its scripts define it.
    public struct Definition: Hashable, Sendable {
        public let name: String
        /// Where `job` was called.
        public let file: String
        public let line: Int
        public let callbacks: Int
        public let errbacks: Int
        public let policy: ScriptPolicy
    }

    /// What is wrong with a script.
    public struct Problem: Hashable, Sendable {
        /// A warning leaves the script in use; an error leaves it, or the definition it names, out.
        public let isError: Bool
        /// `file:line: text`
        public let message: String
        /// Whether `jobreactor check` fails: for every error, and for a name that no script defines.
        public let failsCheck: Bool

        init(isError: Bool, message: String, failsCheck: Bool = false) {
            self.isError = isError
            self.message = message
            self.failsCheck = isError || failsCheck
        }
    }

    /// A file that cannot be loaded as it is.
    public struct Broken: Hashable, Sendable {
        public let path: String
        /// `file:line: text`, without the traceback.
        public let reason: String
        /// When the version of it that is used instead was loaded; nil when there is none.
        public let usedSince: Timestamp?
    }

    /// Sorted by name.
    public var definitions: [Definition] = []
    /// In the order they were found.
    public var problems: [Problem] = []
    public var broken: [Broken] = []
    /// Scripts that were looked at.
    public var fileCount = 0
    /// Counts the loads of a process.
    public var generation = 0

    public init() {}

    public var hasErrors: Bool { problems.contains(where: \.isError) }
    public var failsCheck: Bool { problems.contains(where: \.failsCheck) }
}
