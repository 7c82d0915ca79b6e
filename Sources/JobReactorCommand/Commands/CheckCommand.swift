internal import ArgumentParser
internal import JobReactorCore
internal import JobReactorLua

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Load every script, report problems, and list the jobs.",
        usage: "jobreactor check [<directory>] [--json] [<options>]",
        discussion: """
            Each problem is one line on standard error, file:line: text; --json also has Lua's tracebacks. The exit code is \
            1 when a problem is an error, or a global that no script defines. Use rawget(_G, 'name') in a script for a \
            global that may be missing.
            """
    )

    @Argument(help: "Folder of the job scripts, as with --jobs.") var directory: String?
    @Flag(help: "Print a JSON object, including the problems.") var json = false
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
        if !report.schedules.isEmpty { try Terminal.result("\n" + Self.table(of: report.schedules, .now).text) }
        if !report.limits.isEmpty { try Terminal.result("\n" + Self.table(of: report.limits).text) }
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

    static func table(of schedules: [ScriptReport.ScheduleDefinition], _ now: Timestamp) -> TextTable {
        var table = TextTable(["SCHEDULE", "DEFINED AT", "WHEN", "TIMEZONE", "JOB", "NEXT"])
        for each in schedules {
            let schedule = each.schedule
            table.add([
                schedule.name, "\(each.file):\(each.line)", "\(schedule.spec)", schedule.timezone, schedule.job,
                next(of: schedule, now)?.local ?? "never again",
            ])
        }
        return table
    }

    private static func next(of schedule: Schedule, _ now: Timestamp) -> ScheduleTime? {
        let start = max(now, schedule.starts ?? now)
        guard let next = try? schedule.times().next(after: start, countedFrom: start) else { return nil }
        return next.at > schedule.ends ?? next.at ? nil : next
    }

    static func table(of limits: [ScriptReport.LimitDefinition]) -> TextTable {
        var table = TextTable(["LIMIT", "DEFINED AT", "CONCURRENCY", "RATE", "KEY", "WHEN FULL"], numbers: [2])
        for each in limits {
            let limit = each.limit
            table.add([
                limit.name, "\(each.file):\(each.line)", limit.concurrency.map { "\($0)" } ?? "",
                limit.rate.map { "\($0) in \(text(limit.per)) s" } ?? "", limit.key ?? "", limit.whenFull.rawValue,
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
            var members = ["message": JSONValue(problem.message), "fails": .bool(problem.failsCheck)]
            members["traceback"] = problem.traceback.map { .string($0) }
            return JSONValue.object(members)
        }
        let now = Timestamp.now
        let schedules = report.schedules.map { each in
            var members = each.schedule.options
            members["args"] = each.schedule.args.value
            let texts = [
                "name": each.schedule.name, "spec": "\(each.schedule.spec)", "job": each.schedule.job,
                "timezone": each.schedule.timezone, "file": each.file,
            ]
            for (name, text) in texts { members[name] = .string(text) }
            members["line"] = JSONValue(each.line)
            members["next"] = next(of: each.schedule, now).map { .number($0.at.seconds) } ?? .null
            return JSONValue.object(members)
        }
        let limits = report.limits.map { each in
            var members = each.limit.options
            (members["name"], members["file"]) = (.string(each.limit.name), .string(each.file))
            members["line"] = JSONValue(each.line)
            return JSONValue.object(members)
        }
        return JSONValue.object([
            "jobs": .array(jobs), "schedules": .array(schedules), "limits": .array(limits),
            "problems": .array(problems), "files": JSONValue(report.fileCount), "good": .bool(!report.failsCheck),
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
        members["priority"] = policy.priority.map { JSONValue($0) }
        if !policy.limits.isEmpty { members["limits"] = .array(policy.limits.map { .string($0) }) }
        return .object(members)
    }

    private static func text(_ number: Double) -> String {
        number == number.rounded() && number < 1e15 ? "\(Int64(number))" : "\(number)"
    }

    private static func policy(_ policy: ScriptPolicy) -> String {
        let said = [
            policy.maxAttempt.map { "max_attempt \($0)" },
            policy.retryMultiplier.map { "retry_multiplier \(text($0))" },
            policy.backoff.map { "backoff \($0.rawValue)" }, policy.jitter.map { "jitter \(text($0))" },
            policy.maxRetryDelay.map { "max_retry_delay \(text($0))" }, policy.timeout.map { "timeout \(text($0))" },
            policy.priority.map { "priority \($0)" },
            policy.limits.isEmpty ? nil : "limits \(policy.limits.joined(separator: " "))",
        ].compactMap { $0 }
        return said.isEmpty ? "the node's" : said.joined(separator: ", ")
    }
}
