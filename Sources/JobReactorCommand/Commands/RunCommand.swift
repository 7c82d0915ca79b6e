internal import ArgumentParser
private import JobReactorCore
private import JobReactorLua

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run one job here and now, without a network: for writing scripts.",
        usage: "jobreactor run <name> [<key=value> ...] [--args <json>] [<options>]",
        discussion: """
            Loads the scripts and runs the job with its callbacks, or its errbacks when it fails: one attempt, no retry. \
            What the scripts print goes to standard error, the resulting args to standard output as JSON. When the job \
            fails, its error is printed with the file, the line and the traceback, and the exit code is 1.

            \(ArgumentWords.help)
            """)

    @Argument(help: "Name of the job.") var name: String
    @Argument(help: ArgumentHelp("Args of the job.", valueName: "key=value")) var words: [String] = []
    @Option(help: ArgumentHelp("Args of the job as one JSON object; key=value words go over it.", valueName: "json"))
    var args: String?
    @Option(\.jobDirectory) var jobDirectory: String?
    @Flag(\.mergeJobItselfToArgs) var mergeJobItselfToArgs: Bool?
    @Option(\.memoryLimit) var memoryLimit: String?
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let settings = try common.settings()
        let name = try ArgumentWords.jobName(name)
        let arguments = try ArgumentWords.arguments(words, json: args)
        let merges = try settings.value(\.mergeJobItselfToArgs, flag: mergeJobItselfToArgs)
        let directory = try settings.value(\.jobDirectory, flag: jobDirectory)
        let runner = try await ScriptRunner.load(
            directory, memoryLimit: try settings.value(\.memoryLimit, flag: memoryLimit),
            logger: try common.logger(settings, style: .plain))
        defer { runner.stop() }
        runner.tellProblems()
        let names = runner.report.definitions.map(\.name)
        guard names.contains(name) else { throw Self.undefined(name, among: names, in: directory) }

        var ids = JobID.Generator()
        let now = Timestamp.now
        let job = JobLifecycle.begin(Job(id: ids.next(at: now), name: name, args: arguments, createdAt: now), now: now)
        let outcome = await runner.run(job, jobItself: merges ? job.itself(onNode: "run") : nil)
        switch outcome.kind {
        case .succeeded:
            try Terminal.result(outcome.args.description)
        case .cancelled:
            Terminal.note("the job cancelled itself")
            try Terminal.result(outcome.args.description)
        case .raised, .failed, .failedCancelled:
            Self.tell(outcome)
            throw CommandFailure.told
        case .undefined:
            throw Self.undefined(name, among: names, in: directory)
        }
    }

    private static func tell(_ outcome: RunOutcome) {
        var lines = [outcome.traceback ?? outcome.message ?? "the job failed"]
        if let message = outcome.message, !lines[0].hasPrefix(message) { lines.insert(message, at: 0) }
        if let error = outcome.error, error.first != UInt8(ascii: "\"") {
            lines.append("args.error: \(String(decoding: error, as: UTF8.self))")
        }
        if let error = outcome.errbackError {
            lines.append("args.errback_error: \(String(decoding: error, as: UTF8.self))")
        }
        if case .failedCancelled = outcome.kind { lines.append("an errback cancelled the job") }
        lines.append("args after the errbacks: \(outcome.args)")
        Terminal.note("jobreactor: " + Terminal.printable(lines.joined(separator: "\n")))
    }

    static func undefined(_ name: String, among names: [String], in directory: String) -> CommandFailure {
        let missing = "no script in \(directory) defines the job '\(name)'"
        guard !names.isEmpty else {
            return .failure("\(missing), nor any other: name the folder of your job scripts with --jobs")
        }
        let hint = NearestName.find(name, among: names).map { "did you mean \($0)? " } ?? ""
        return .failure("\(missing): \(hint)there are \(names.joined(separator: ", "))")
    }
}
