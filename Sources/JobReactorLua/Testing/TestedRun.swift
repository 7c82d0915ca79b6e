internal import JobReactorCore

/// One run of a job as a test sees it: what the node would have made of it.
struct TestedRun {
    let json: [UInt8]

    /// The run ends here: `policy` is the job's own.
    init(_ outcome: LuaLane.Outcome, _ progress: LuaLane.Note?, said: [String], policy: JobPolicy) {
        let run = outcome.outcome
        let job = JobLifecycle.end(outcome.job, run, policy: policy, now: .now).job
        let isTriedAgain = job.status == .queued
        var members: [(key: String, json: [UInt8])] = [
            ("status", Self.json(.string(isTriedAgain ? "error" : job.status.rawValue))),
            ("attempt", Self.json(.integer(Int64(outcome.job.attempt)))),
            ("args", run.args.bytes),
            ("log", Self.json(.array(said.map { .string($0) }))),
        ]
        if let error = run.error { members.append(("error", error)) }
        if let error = run.errbackError { members.append(("errback_error", error)) }
        if let traceback = run.traceback { members.append(("traceback", Self.json(.string(traceback)))) }
        if isTriedAgain, let wait = job.makeAfter { members.append(("retry_in", Self.json(.number(wait)))) }
        if let progress {
            var said: [String: JSONValue] = ["text": .string(progress.text)]
            if let fraction = progress.fraction { said["fraction"] = .number(fraction) }
            members.append(("progress", Self.json(.object(said))))
        }
        json = JobArguments([]).setting(members).bytes
    }

    private static func json(_ value: JSONValue) -> [UInt8] { Array(value.json.utf8) }
}
