public import JobReactorCore
public import Logging

/// A library for scripts: host functions, and the Lua source that uses them.
///
/// Each Lua state runs `source` once, before any job script, with one argument: a table with a Lua function for each of
/// `functions`, by name. The source defines globals. It should keep other globals that it needs in locals, because
/// scripts may change them. An error of a host function is raised as a string with the place of the nearest calling
/// script. In tracebacks, frames of libraries appear as one, `[JobReactor]`, without a place.
public protocol ScriptLibrary: Sendable {
    /// The name in `debug.getinfo`, such as `http`.
    var name: String { get }
    /// Lua.
    var source: String { get }
    var functions: [ScriptFunction] { get }
}

/// One host function.
public struct ScriptFunction: Sendable {
    /// Called on the lane's thread while the script waits for the answer: it must be quick and must not block.
    public typealias Immediate = @Sendable (ScriptCall, [ScriptValue]) throws(ScriptFailure) -> [ScriptValue]

    /// Called on the lane's thread, and must return at once. The job is suspended until `done` is called, once, from
    /// any thread. The returned closure is called if the job ends first, because it is cancelled, timed out or
    /// interrupted; a later call of `done` has no effect. A thrown error is raised at once.
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

/// The context of a call of a host function.
public struct ScriptCall: Sendable {
    /// The job that runs; nil while scripts load.
    public var job: Job?
    /// Whether scripts have no access to files and processes.
    public var isSandboxed: Bool
    /// A logger with the job's name and id.
    public var logger: Logger
    /// The span of the run, for calls to other services; nil without tracing.
    public var trace: JobTrace?

    public init(job: Job?, isSandboxed: Bool, logger: Logger, trace: JobTrace? = nil) {
        self.job = job
        self.isSandboxed = isSandboxed
        self.logger = logger
        self.trace = trace
    }
}

/// The failure of a host function: the script sees it as an error, a string with the place of the call.
public struct ScriptFailure: Error, Hashable, Sendable, CustomStringConvertible {
    public let message: String

    public init(_ message: String) { self.message = message }

    public var description: String { message }
}
