public import JobReactorCore

extension Job {
    /// The content of `args.job_itself` for a script: the fields of the record under the names of the gem, with times as
    /// seconds since 1970. `node` is the node that runs the job.
    public func itself(onNode node: String) -> [UInt8] {
        var members: [(String, JSONValue)] = [
            ("id", .string(id.description)),
            ("name", .string(name)),
            ("attempt", .integer(Int64(attempt))),
            ("status", .string(status.rawValue)),
            ("defer", .bool(isDeferred)),
            ("node", .string(node)),
            ("distributor", .string(distributor)),
            // Feedbacks are found by the job's id.
            ("on_success", .string(id.description)),
            ("on_error", .string(id.description)),
        ]
        if let runAt { members.append(("run_at", .number(runAt.seconds))) }
        if let period { members.append(("period", .number(period))) }
        if let makeAfter { members.append(("make_after", .number(makeAfter))) }
        if let failedAt { members.append(("failed_at", .number(failedAt.seconds))) }
        if let lastError {
            members.append(("last_error", .string(lastError.cut(toBytes: JobLimits.argsTextBytes))))
        }
        return JobArguments(members).bytes
    }
}
