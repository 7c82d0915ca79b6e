public import JobReactorCore

/// The result of loading a folder of scripts.
public struct ScriptReport: Hashable, Sendable {
    /// A job as its scripts define it.
    public struct Definition: Hashable, Sendable {
        public let name: String
        /// Where `job` was called.
        public let file: String
        public let line: Int
        public let callbacks: Int
        public let errbacks: Int
        public internal(set) var policy: ScriptPolicy
    }

    /// A schedule as a script defines it.
    public struct ScheduleDefinition: Hashable, Sendable {
        public let schedule: Schedule
        /// Where `schedule` was called.
        public let file: String
        public let line: Int
    }

    /// A limit as a script defines it.
    public struct LimitDefinition: Hashable, Sendable {
        public let limit: Limit
        /// Where `limit` was called, or `job` for its own limit.
        public let file: String
        public let line: Int
    }

    /// A problem of a script.
    public struct Problem: Hashable, Sendable {
        /// Whether it is an error, which excludes the script or the named definition; a warning does not.
        public let isError: Bool
        /// `file:line: text`, without the traceback.
        public let message: String
        /// Lua's traceback, from `stack traceback:` on; nil where no error was raised.
        public let traceback: String?
        /// Whether `jobreactor check` fails: for every error, and for a name that no script defines.
        public let failsCheck: Bool

        init(isError: Bool, message: String, traceback: String? = nil, failsCheck: Bool = false) {
            self.isError = isError
            self.message = message
            self.traceback = traceback
            self.failsCheck = isError || failsCheck
        }
    }

    /// A file that could not be loaded.
    public struct Broken: Hashable, Sendable {
        public let path: String
        /// `file:line: text`, without the traceback.
        public let reason: String
        /// The load time of the earlier version that is used instead; nil if there is none.
        public let usedSince: Timestamp?
    }

    /// Sorted by name.
    public var definitions: [Definition] = []
    /// Sorted by name.
    public var schedules: [ScheduleDefinition] = []
    /// Sorted by name. A limit that a job defines for itself has the name of the job.
    public var limits: [LimitDefinition] = []
    /// In the order in which they were found.
    public var problems: [Problem] = []
    public var broken: [Broken] = []
    /// The number of scripts that were read.
    public var fileCount = 0
    /// The number of the load in this process.
    public var generation = 0

    public init() {}

    /// The definitions for distributors, in addition to the names of the jobs.
    package var nodeDefinitions: NodeDefinitions {
        let jobs = definitions.filter { $0.policy.priority != nil || !$0.policy.limits.isEmpty }
        return NodeDefinitions(
            jobs: Dictionary(
                jobs.map { ($0.name, .init(priority: $0.policy.priority, limits: $0.policy.limits)) },
                uniquingKeysWith: { _, last in last }),
            limits: limits.map(\.limit), schedules: schedules.map(\.schedule))
    }

    public var hasErrors: Bool { problems.contains(where: \.isError) }
    public var failsCheck: Bool { problems.contains(where: \.failsCheck) }
}
