public import JobReactorCore
public import Logging

/// Functions of the host that scripts may call, with the Lua text that makes a library of them.
///
/// Each Lua state runs `source` once, before any job script, with one argument: a table that has a Lua function for each of
/// `functions`, under its name. The text defines globals; it should keep in locals what it needs of others, since scripts
/// may change them. An error that a function of the host ends with is raised as a string with the place of the nearest
/// caller that is a script. In tracebacks frames of libraries are one, `[JobReactor]`, without a place.
public protocol ScriptLibrary: Sendable {
    /// What `debug.getinfo` calls it, such as `http`.
    var name: String { get }
    /// Lua.
    var source: String { get }
    var functions: [ScriptFunction] { get }
}

/// One function of the host.
public struct ScriptFunction: Sendable {
    /// Called on the lane's thread while a script waits for the answer: it must be quick and must not block.
    public typealias Immediate = @Sendable (ScriptCall, [ScriptValue]) throws(ScriptFailure) -> [ScriptValue]

    /// Called on the lane's thread, and must return at once. The job is suspended until `done` is called, from any thread,
    /// once. Returns what to do when the job ends before: cancelled, timed out, or interrupted; `done` may then still be
    /// called, and does nothing. An error that is thrown is raised at once.
    public typealias Suspending =
        @Sendable (ScriptCall, [ScriptValue], _ done: @escaping Done) throws(ScriptFailure) -> (@Sendable () -> Void)?

    public typealias Done = @Sendable (Result<[ScriptValue], ScriptFailure>) -> Void

    public enum Body: Sendable {
        case immediate(Immediate)
        case suspending(Suspending)
    }

    public let name: String
    public let body: Body

    public static func immediate(_ name: String, _ body: @escaping Immediate) -> ScriptFunction {
        ScriptFunction(name: name, body: .immediate(body))
    }

    public static func suspending(_ name: String, _ body: @escaping Suspending) -> ScriptFunction {
        ScriptFunction(name: name, body: .suspending(body))
    }
}

/// Who calls a function of the host.
public struct ScriptCall: Sendable {
    /// The job that runs; nil while scripts load.
    public var job: Job?
    /// Whether the scripts are kept from files and processes.
    public var isSandboxed: Bool
    /// With the job's name and id.
    public var logger: Logger
    /// The span of the run, for a function that asks another service for something; nil where nothing is traced.
    public var trace: JobTrace?

    public init(job: Job?, isSandboxed: Bool, logger: Logger, trace: JobTrace? = nil) {
        self.job = job
        self.isSandboxed = isSandboxed
        self.logger = logger
        self.trace = trace
    }
}

/// Why a function of the host failed: the script sees it as an error, a string with the place of the call.
public struct ScriptFailure: Error, Hashable, Sendable, CustomStringConvertible {
    public let message: String

    public init(_ message: String) { self.message = message }

    public var description: String { message }
}
