package import JobReactorCore

extension Job {
    /// The record as `JOB id` shows it, name and value in turn; fields that are not set are left out. Times are seconds
    /// since 1970, waits seconds.
    package var shownFields: [String] {
        var fields = [
            "id", id.description, "name", name, "args", args.description, "status", status.rawValue,
            "attempt", "\(attempt)", "defer", isDeferred ? "true" : "false", "distributor", distributor,
            "due_at", "\(dueAt.seconds)",
        ]
        func add(_ name: String, _ value: Any?) {
            if let value { fields += [name, "\(value)"] }
        }
        add("run_at", runAt?.seconds)
        add("period", period)
        add("make_after", makeAfter)
        add("node", node)
        add("not_node", notNode)
        add("max_attempt", maxAttempt)
        add("retry_multiplier", retryMultiplier)
        add("failed_at", failedAt?.seconds)
        add("last_error", lastError)
        add("traceback", lastTraceback)
        // Feedbacks are found by the job's id.
        fields += ["on_success", id.description, "on_error", id.description]
        return fields
    }
}
