internal import ArgumentParser
private import JobReactorCore
internal import JobReactorLua

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Load every script, tell what is wrong, and list the jobs.",
        usage: "jobreactor check [<directory>] [--json] [<options>]",
        discussion: """
            Problems go to standard error as file:line: text; the exit code is 1 when one of them is an error, or a global \
            that no script defines. A script that asks for one that may not be there says rawget(_G, 'name').
            """
    )

    @Argument(help: "The folder of job scripts, as with --jobs.") var directory: String?
    @Flag(help: "As a JSON object, the problems too.") var json = false
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
        let report = runner.report
        if json {
            try Terminal.result(json: Self.json(of: report))
            if report.failsCheck { throw CommandFailure.told }
            return
        }
        runner.tellProblems(isError: \.failsCheck)
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

    static func json(of report: ScriptReport) -> String {
        let jobs = report.definitions.map { job in
            JSONValue.object([
                "name": .string(job.name), "file": .string(job.file), "line": JSONValue(job.line),
                "callbacks": JSONValue(job.callbacks), "errbacks": JSONValue(job.errbacks),
                "policy": json(of: job.policy),
            ])
        }
        let problems = report.problems.map { problem in
            JSONValue.object(["message": .string(problem.message), "fails": .bool(problem.failsCheck)])
        }
        return JSONValue.object([
            "jobs": .array(jobs), "problems": .array(problems), "files": JSONValue(report.fileCount),
            "good": .bool(!report.failsCheck),
        ]).json
    }

    private static func json(of policy: ScriptPolicy) -> JSONValue {
        var members: [String: JSONValue] = [:]
        members["max_attempt"] = policy.maxAttempt.map { JSONValue($0) }
        members["retry_multiplier"] = policy.retryMultiplier.map { .number($0) }
        members["backoff"] = policy.backoff.map { .string($0.rawValue) }
        members["jitter"] = policy.jitter.map { .number($0) }
        members["max_retry_delay"] = policy.maxRetryDelay.map { .number($0) }
        members["timeout"] = policy.timeout.map { .number($0) }
        return .object(members)
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
