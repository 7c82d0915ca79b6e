internal import JobReactor
internal import JobReactorCore

/// The id of a job as it is typed: whole, or as much of its beginning as no other id has.
enum JobIDArgument {
    /// Throws for what begins no id, and for what begins several: those are listed.
    static func find(_ text: String, in monitor: JobMonitor) async throws -> JobID {
        if let id = JobID(text) { return id }
        guard JobID.range(ofPrefix: text) != nil else {
            throw CommandFailure.usage(
                "'\(text)' is not a job id: give its 32 hexadecimal digits, or a unique prefix of them")
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
            "\(text) is a prefix of several ids: \(list.joined(separator: ", "))\(more): give more digits")
    }
}
