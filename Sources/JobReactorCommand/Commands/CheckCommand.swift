internal import ArgumentParser
private import JobReactorCore
internal import JobReactorLua

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Load every script, tell what is wrong, and list the jobs.",
        usage: "jobreactor check [<directory>] [<options>]",
        discussion: """
            Problems go to standard error as file:line: text; the exit code is 1 when one of them is an error, or a global \
            that no script defines. A script that asks for one that may not be there says rawget(_G, 'name').
            """
    )

    @Argument(help: "The folder of job scripts, as with --jobs.") var directory: String?
    @Option(\.jobDirectory) var jobDirectory: String?
    @Option(\.memoryLimit) var memoryLimit: String?
    @Option(\.sandbox) var sandbox: String?
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let settings = try common.settings()
        if let directory, let jobDirectory, directory != jobDirectory {
            throw CommandFailure.usage("\(directory) and --jobs \(jobDirectory) are two folders: name one of them")
        }
        let folder = try settings.value(\.jobDirectory, flag: directory ?? jobDirectory)
        let runner = try await ScriptRunner.load(
            folder, memoryLimit: try settings.value(\.memoryLimit, flag: memoryLimit),
            sandbox: try settings.value(\.sandbox, flag: sandbox), logger: try common.logger(settings, style: .plain))
        runner.stop()
        runner.tellProblems(isError: \.failsCheck)
        let report = runner.report
        if report.fileCount == 0 { Terminal.note("warning: there is no .lua file in \(folder)") }
        if !report.definitions.isEmpty { try Terminal.result(Self.table(of: report.definitions).text) }
        if report.failsCheck { throw CommandFailure.told }
    }

    static func table(of definitions: [ScriptReport.Definition]) -> TextTable {
        var table = TextTable(["JOB", "DEFINED AT", "CALLBACKS", "ERRBACKS", "POLICY"], numbers: [2, 3])
        for job in definitions {
            table.add([
                job.name, "\(job.file):\(job.line)", "\(job.callbacks)", "\(job.errbacks)", policy(job.policy),
            ])
        }
        return table
    }

    private static func policy(_ policy: ScriptPolicy) -> String {
        func text(_ number: Double) -> String {
            number == number.rounded() && number < 1e15 ? "\(Int64(number))" : "\(number)"
        }
        let said = [
            policy.maxAttempt.map { "max_attempt \($0)" },
            policy.retryMultiplier.map { "retry_multiplier \(text($0))" },
            policy.backoff.map { "backoff \($0.rawValue)" }, policy.jitter.map { "jitter \(text($0))" },
            policy.maxRetryDelay.map { "max_retry_delay \(text($0))" }, policy.timeout.map { "timeout \(text($0))" },
        ].compactMap { $0 }
        return said.isEmpty ? "the node's" : said.joined(separator: ", ")
    }
}
