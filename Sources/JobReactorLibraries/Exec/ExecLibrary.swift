public import JobReactorLua

/// `exec`: other programs, without a shell. Scripts in a sandbox are refused.
public final class ExecLibrary: ScriptLibrary {
    public let name = "exec"
    public var source: String { EmbeddedSource.exec }

    private let turns: Turns

    /// Programs that run at once; further ones wait for their turn, within their timeout.
    public static let usualPrograms = 64

    /// `programs`: as ``limit(programs:)``.
    public init(programs: Int = ExecLibrary.usualPrograms) { turns = Turns(programs) }

    /// From now on so many programs at once, from 1. From any thread.
    public func limit(programs: Int) { turns.limit(to: programs) }

    public var functions: [ScriptFunction] {
        [
            .suspending("run") { call, values, done throws(ScriptFailure) in
                guard !call.isSandboxed else {
                    throw ScriptFailure("exec: the scripts of this node run in a sandbox: they may start no programs")
                }
                return ProcessRun.start(try ProcessRequest(values), self.turns, done: done)
            }
        ]
    }
}
