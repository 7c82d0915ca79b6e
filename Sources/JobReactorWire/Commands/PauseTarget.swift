internal import JobReactorCore

/// The target of a pause: all jobs of a name, or a node. `PAUSE JOB resize`, `RESUME NODE worker_1`.
package enum PauseTarget: Hashable, Sendable {
    case job(String)
    case node(String)

    /// `job` or `node`.
    package var kind: String {
        switch self {
        case .job: "job"
        case .node: "node"
        }
    }

    package var name: String {
        switch self {
        case .job(let name), .node(let name): name
        }
    }

    /// Nil for an unknown kind.
    package init?(kind: String, name: String) {
        switch kind {
        case "job": self = .job(name)
        case "node": self = .node(name)
        default: return nil
        }
    }

    /// The words behind `PAUSE` or `RESUME`.
    init(_ frame: RESPFrame, _ count: Int, verb: String) throws(CommandError) {
        guard count == 3 else { throw CommandError("ERR \(verb) takes JOB name or NODE name") }
        let name = frame.text(2)
        guard let target = PauseTarget(kind: CommandWord.shown(frame.word(1)).lowercased(), name: name) else {
            throw CommandError("ERR \(verb) takes JOB name or NODE name, not '\(CommandWord.shown(frame.word(1)))'")
        }
        if let problem = Name.problem(in: name) { throw CommandError("ERR the name of the \(target.kind) \(problem)") }
        self = target
    }
}
