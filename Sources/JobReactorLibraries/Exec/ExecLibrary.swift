private import JobReactorCore
public import JobReactorLua

/// `exec`: other programs, without a shell. Scripts in a sandbox are refused.
public final class ExecLibrary: ScriptLibrary {
    public let name = "exec"
    public var source: String { EmbeddedSource.exec }

    private let turns: Turns

    /// Programs that run at once where nobody says how many: one for each 16 files that the system lets this process have open,
    /// at most 256. Each needs up to eight of them while it starts.
    public static var usualPrograms: Int { min(256, max(1, OpenFiles.limit / 16)) }

    /// As many as there can be, whatever is said.
    private static var mostPrograms: Int { max(1, OpenFiles.limit / 8) }

    /// `programs`: as ``limit(programs:)``.
    public init(programs: Int = ExecLibrary.usualPrograms) {
        turns = Turns(min(programs, Self.mostPrograms))
        TimedWork.ready
    }

    /// From now on so many programs at once, from 1, but no more than one for each 8 open files; further ones wait for their turn,
    /// before their timeout begins. From any thread.
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
