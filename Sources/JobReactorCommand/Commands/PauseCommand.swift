internal import ArgumentParser
private import JobReactorCore
internal import JobReactorWire

struct PauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Stop new runs of a job, or on a node, until resumed; current runs continue.",
        usage: "jobreactor pause [job|node <name>] [--json] [--distributor <host:port>] [<options>]",
        discussion: """
            A pause survives restarts. Without a name, the command lists what is paused, by whom and since when. Pausing \
            needs the role operator.
            """)

    @Argument(help: "What to pause: job or node.", completion: .list(["job", "node"])) var kind: String?
    @Argument(help: "Its name.") var name: String?
    @OptionGroup var asked: AskedDistributor

    func run() async throws {
        guard let kind else { return try Self.show(try await asked.rows(["PAUSES"]), json: asked.json) }
        let target = try PauseTarget(of: kind, name, command: "pause")
        try await asked.change(
            ["PAUSE", target.kind, target.name], done: "the \(target.kind) '\(target.name)' is paused",
            nothing: "the \(target.kind) '\(target.name)' is paused already")
    }

    private static func show(_ rows: [[String: String]], json: Bool) throws {
        let clock = LocalTime()
        func time(_ row: [String: String]) -> Timestamp? {
            row["at"].flatMap { Double($0) }.map { Timestamp(seconds: $0) }
        }
        if json {
            let list = rows.map { row in
                var members = row.mapValues { JSONValue.string($0) }
                if let time = time(row) {
                    (members["at"], members["at_local"]) = (.number(time.seconds), .string(clock.text(time)))
                }
                return JSONValue.object(members)
            }
            return try Terminal.result(json: JSONValue.array(list).json)
        }
        var table = TextTable(["PAUSED", "NAME", "BY", "SINCE"])
        for row in rows {
            table.add([row["kind"] ?? "", row["name"] ?? "", row["by"] ?? "", time(row).map(clock.short) ?? ""])
        }
        try Terminal.result(table.text)
    }
}

struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Let runs of a job, or on a node, begin again.",
        usage: "jobreactor resume job|node <name> [--json] [--distributor <host:port>] [<options>]")

    @Argument(help: "What to resume: job or node.", completion: .list(["job", "node"])) var kind: String
    @Argument(help: "Its name.") var name: String
    @OptionGroup var asked: AskedDistributor

    func run() async throws {
        let target = try PauseTarget(of: kind, name, command: "resume")
        try await asked.change(
            ["RESUME", target.kind, target.name], done: "the \(target.kind) '\(target.name)' goes on",
            nothing: "the \(target.kind) '\(target.name)' is not paused")
    }
}

extension PauseTarget {
    /// Of words of the command line.
    fileprivate init(of kind: String, _ name: String?, command: String) throws(CommandFailure) {
        guard let name, let target = PauseTarget(kind: kind.lowercased(), name: name) else {
            throw .usage("say what: jobreactor \(command) job <name>, or jobreactor \(command) node <name>")
        }
        if let problem = Name.problem(in: name) { throw .usage("the name of the \(target.kind) \(problem)") }
        self = target
    }
}
