internal import ArgumentParser
private import JobReactorCore
private import JobReactorLibraries

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run one job without a node and without a network, while you write it.",
        usage: "jobreactor run <name> [<key=value> ...] [--args <json>] [--json] [<options>]",
        discussion: """
            Loads the scripts and runs the job with its callbacks, or its errbacks when it fails: one attempt, no retry. \
            What the scripts print goes to standard error, the resulting args to standard output as JSON. When the job \
            fails, its error is printed with the file, the line and the traceback, and the exit code is 1.

            Jobs that it enqueues or performs run here as well, once each; it gets the outcome of jobs that it performs. A \
            job that it enqueues for later is only reported. The exit code is also 1 when an enqueued job fails.

            With --watch, the job runs again after each change of a script, until SIGINT; a current run is cancelled.

            \(ArgumentWords.help)
            """)

    @Argument(help: "Name of the job.") var name: String
    @Argument(help: ArgumentHelp("Args of the job.", valueName: "key=value")) var words: [String] = []
    @Option(help: ArgumentHelp("Args of the job as one JSON object; key=value words override it.", valueName: "json"))
    var args: String?
    @Flag(help: "Run again after each change of a script.") var watch = false
    @Flag(help: "Print a JSON object: the status of the job, its args, and its error.") var json = false
    @Option(\.jobDirectory) var jobDirectory: String?
    @Flag(\.mergeJobItselfToArgs) var mergeJobItselfToArgs: Bool?
    @Option(\.memoryLimit) var memoryLimit: String?
    @Option(\.sandbox) var sandbox: String?
    @Option(\.allowHost) var allowHost: [String] = []
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let settings = try common.settings()
        ScriptLibraries.allow(try settings.value(\.allowHost, flags: allowHost))
        let name = try ArgumentWords.jobName(name)
        let arguments = try ArgumentWords.arguments(words, json: args)
        let merges = try settings.value(\.mergeJobItselfToArgs, flag: mergeJobItselfToArgs)
        let directory = try settings.value(\.jobDirectory, flag: jobDirectory)
        let trial = JobTrial(
            name: name, arguments: arguments, merges: merges, isJSON: json, directory: directory,
            memoryLimit: try settings.value(\.memoryLimit, flag: memoryLimit),
            sandbox: try settings.value(\.sandbox, flag: sandbox), logger: try common.logger(settings, style: .plain))
        if watch { return try await RepeatedTrial(trial).run() }
        guard try await trial.run().succeeded else { throw CommandFailure.told }
    }
}
