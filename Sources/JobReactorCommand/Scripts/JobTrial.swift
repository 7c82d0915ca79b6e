internal import JobReactorCore
internal import JobReactorLua
internal import Logging

/// One run of a job, here and now: its scripts are loaded, it runs, with the jobs that it gives away, and what came of it is
/// printed.
struct JobTrial: Sendable {
    var name: String
    var arguments: JobArguments
    /// Whether the script sees `args.job_itself`.
    var merges: Bool
    /// Whether what came of it is printed as one JSON object.
    var isJSON = false
    var directory: String
    var memoryLimit: Int?
    var sandbox: SandboxMode
    var logger: Logger

    struct End: Sendable {
        /// The job, and those that it enqueued.
        var succeeded: Bool
        /// How long the job ran, and then those.
        var duration: Duration
    }

    /// Throws when the job cannot be run. Cancels the job, and prints nothing more, when the task is cancelled.
    func run() async throws -> End {
        let runner = try await ScriptRunner.load(
            directory, memoryLimit: memoryLimit, sandbox: sandbox, merges: merges, logger: logger)
        defer { runner.stop() }
        try Task.checkCancellation()
        runner.tellProblems()
        let names = runner.report.definitions.map(\.name)
        guard names.contains(name) else { throw Self.undefined(name, among: names, in: directory) }

        var ids = JobID.Generator()
        let now = Timestamp.now
        let job = Job(id: ids.next(at: now), name: name, args: arguments, createdAt: now)
        let start = ContinuousClock.now
        return try await withTaskCancellationHandler {
            let outcome = await runner.runs.run(job)
            try Task.checkCancellation()
            switch outcome.kind {
            case .undefined:
                throw Self.undefined(name, among: names, in: directory)
            case _ where isJSON:
                try Terminal.result(json: Self.json(outcome, start.duration(to: .now)))
            case .succeeded:
                try Terminal.result(outcome.args.description)
            case .cancelled:
                Terminal.note("the job cancelled itself")
                try Terminal.result(outcome.args.description)
            case .raised, .failed, .failedCancelled: Self.tell(outcome)
            }
            let isGood = await runner.runs.others()
            try Task.checkCancellation()
            return End(succeeded: isGood && !Self.hasFailed(outcome), duration: start.duration(to: .now))
        } onCancel: {
            runner.runs.cancel()
        }
    }

    private static func json(_ outcome: RunOutcome, _ duration: Duration) -> String {
        let status: JobStatus =
            switch outcome.kind {
            case .succeeded: .complete
            case .cancelled, .failedCancelled: .cancelled
            case .raised, .failed, .undefined: .failed
            }
        var members: [String: JSONValue] = [
            "status": .string(status.rawValue), "args": outcome.args.value,
            "run_time": .number(duration / .seconds(1)),
        ]
        members["error"] = outcome.error.flatMap { try? JSONValue(parsing: $0) }
        members["errback_error"] = outcome.errbackError.flatMap { try? JSONValue(parsing: $0) }
        members["message"] = outcome.message.map { .string($0) }
        members["traceback"] = outcome.traceback.map { .string($0) }
        return JSONValue.object(members).json
    }

    static func hasFailed(_ outcome: RunOutcome) -> Bool {
        switch outcome.kind {
        case .raised, .failed, .failedCancelled: true
        case .succeeded, .cancelled, .undefined: false
        }
    }

    /// Says why a job has failed; `name` where it is not the one that was asked for.
    static func tell(_ outcome: RunOutcome, of name: String? = nil) {
        var lines = [outcome.traceback ?? outcome.message ?? "the job failed"]
        if let message = outcome.message, !lines[0].hasPrefix(message) { lines.insert(message, at: 0) }
        if let name { lines[0] = "the enqueued job '\(name)' failed: \(lines[0])" }
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

    private static func undefined(_ name: String, among names: [String], in directory: String) -> CommandFailure {
        let missing = "no script in \(directory) defines the job '\(name)'"
        guard !names.isEmpty else {
            return .failure("\(missing), nor any other job: give the folder of your job scripts with --jobs")
        }
        let hint = NearestName.find(name, among: names).map { "did you mean \($0)? " } ?? ""
        return .failure("\(missing): \(hint)there are \(names.joined(separator: ", "))")
    }
}
