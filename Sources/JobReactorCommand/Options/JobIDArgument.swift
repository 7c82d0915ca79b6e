internal import JobReactor
internal import JobReactorCore

/// The id of a job as it is typed: whole, or as much of its beginning as no other id has.
enum JobIDArgument {
    /// Throws for what begins no id, and for what begins several: those are listed.
    static func find(_ text: String, in monitor: JobMonitor) async throws -> JobID {
        if let id = JobID(text) { return id }
        guard JobID.range(ofPrefix: text) != nil else {
            throw CommandFailure.usage(
                "'\(text)' is no job id: it has 32 hexadecimal digits, of which the first suffice that no other id has")
        }
        let shown = 10
        let found = try await monitor.find(idPrefix: text, limit: shown + 1)
        guard let first = found.first else {
            throw CommandFailure.failure("there is no job whose id begins with \(text)")
        }
        guard found.count > 1 else { return first.job.id }
        let list = found.prefix(shown).map { "\($0.job.id) (\($0.job.name), \($0.job.status.rawValue))" }
        let more = found.count > shown ? " and others" : ""
        throw CommandFailure.failure(
            "\(text) begins the ids of several jobs: \(list.joined(separator: ", "))\(more): write more of it")
    }
}
