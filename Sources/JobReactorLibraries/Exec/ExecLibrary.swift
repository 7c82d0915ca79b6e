public import JobReactorLua

/// `exec`: other programs, without a shell. Scripts in a sandbox are refused.
public struct ExecLibrary: ScriptLibrary {
    public let name = "exec"
    public var source: String { EmbeddedSource.exec }

    public init() {}

    public var functions: [ScriptFunction] {
        [
            .suspending("run") { call, values, done throws(ScriptFailure) in
                guard !call.isSandboxed else {
                    throw ScriptFailure("exec: the scripts of this node run in a sandbox: they may start no programs")
                }
                return ProcessRun.start(try ProcessRequest(values), done: done)
            }
        ]
    }
}
