private import JobReactorCore
public import JobReactorLua

/// The library `exec`: runs programs without a shell. It refuses scripts in a sandbox.
public final class ExecLibrary: ScriptLibrary {
    public let name = "exec"
    public var source: String { EmbeddedSource.exec }

    private let turns: Turns

    /// The default number of programs at once: one for each 16 files that the process may have open, at most 256. A
    /// program needs up to eight of them while it starts.
    public static var usualPrograms: Int { min(256, max(1, OpenFiles.limit / 16)) }

    /// As many as there can be, whatever is said.
    private static var mostPrograms: Int { max(1, OpenFiles.limit / 8) }

    /// `programs`: as ``limit(programs:)``.
    public init(programs: Int = ExecLibrary.usualPrograms) {
        turns = Turns(min(programs, Self.mostPrograms))
        TimedWork.ready
    }

    /// Sets the number of programs at once, from 1, but at most one for each 8 files that may be open. Further ones
    /// wait for their turn; their timeout begins afterwards. From any thread.
    public func limit(programs: Int) { turns.limit(to: min(programs, Self.mostPrograms)) }

    public var functions: [ScriptFunction] {
        [
            .suspending("run") { call, values, done throws(ScriptFailure) in
                guard !call.isSandboxed else {
                    throw ScriptFailure("exec: the scripts of this node run in a sandbox and may not start programs")
                }
                return ProcessRun.start(try ProcessRequest(values), self.turns, done: done)
            }
        ]
    }
}
