/// The limits of a job, its options and its outcome: the same for every entrance (Redis clients, Swift, Lua, the
/// command line, stored records) and for both sides of every link.
///
/// A job that an entrance accepts fits into a message of ``messageBytes``, including all additions of the system. Every
/// node therefore accepts what a distributor accepts.
public enum JobLimits {
    /// Bytes of UTF-8 of the name of a job or node, which contains neither spaces nor control characters.
    public static let nameBytes = 255
    /// Bytes of JSON of the args that a producer gives, and of those that a run leaves: 15 MiB.
    public static let argsBytes = 15 << 20
    /// The largest number of bytes of JSON that the system adds to args (`job_itself`, `error`, `errback_error`,
    /// `retrying`): 512 KiB. A link accepts args of ``argsBytes`` plus this.
    public static let addedBytes = 512 << 10
    /// Bytes of one message of a link, regardless of the limit of a port for commands: 16 MiB.
    public static let messageBytes = 16 << 20
    /// Bytes of args, errors and tracebacks in one page of a storage with more than one record: 16 MiB.
    public static let pageBytes = 16 << 20
    /// The longest wait in seconds, for `after`, `period`, `retry_multiplier`, and from now to `run_at`: a hundred
    /// years.
    public static let seconds: Double = 3_155_760_000
    /// The largest `max_attempt`.
    public static let attempts = Int(Int32.max)
    /// Bytes of JSON of `args.error` and of `args.errback_error`, each: 128 KiB.
    public static let errorBytes = 128 << 10
    /// Bytes of UTF-8 of the text of an error and of its traceback, each, in the record and in the log: 64 KiB. A
    /// longer text is cut and marked.
    public static let errorTextBytes = 64 << 10
    /// As ``errorTextBytes``, for a text within args: in `job_itself`, or instead of an error that is too large: 16
    /// KiB.
    public static let argsTextBytes = 16 << 10
    /// Bytes of UTF-8 of the text of a `progress`: 4 KiB. A longer text is cut.
    public static let progressBytes = 4 << 10

    /// Bytes of JSON of a ``JobTrace``: 4 KiB.
    public static let traceBytes = 4 << 10

    /// Checks the job of a producer. The error says what is allowed.
    public static func check(
        _ name: String, _ args: JobArguments, _ options: JobOptions = JobOptions()
    ) throws(JobError) {
        try check(name, args, options, names: .swift)
    }

    /// The same, with these names of options in the error.
    package static func check(
        _ name: String, _ args: JobArguments, _ options: JobOptions, names: OptionNames
    ) throws(JobError) {
        try check(name: name)
        if let problem = args.problem { throw JobError(.invalidArguments, problem) }
        try check(argsBytes: args.bytes.count)
        try options.validate(names: names)
    }

    /// Checks a stored record of an earlier process, whose args may contain additions of the system.
    public static func check(stored job: Job) throws(JobError) {
        try check(name: job.name)
        try check(argsBytes: job.args.bytes.count, limit: argsBytes + addedBytes)
        try job.options.validate(names: .plain)
    }

    /// Throws ``JobError/Code/invalidName``.
    public static func check(name: String) throws(JobError) {
        if let problem = Name.problem(in: name) { throw JobError(.invalidName, "the job's name \(problem)") }
    }

    /// Throws ``JobError/Code/invalidArguments`` for args of more bytes of JSON than the limit.
    public static func check(argsBytes count: Int, limit: Int = JobLimits.argsBytes) throws(JobError) {
        if count > limit {
            throw JobError(.invalidArguments, "args may have at most \(limit) bytes of JSON, not \(count)")
        }
    }

    /// Throws ``JobError/Code/invalidOption`` for a timeout that is negative or too long.
    public static func check(timeout: Double?) throws(JobError) {
        if let timeout, !(timeout >= 0 && timeout <= seconds) {
            throw JobError(.invalidOption, "timeout takes seconds from 0 to \(Int(seconds)), not \(timeout)")
        }
    }
}

extension String {
    /// The text, cut if it has more than `limit` bytes of UTF-8 (at least 100); a cut text ends with its original
    /// length.
    package func cut(toBytes limit: Int) -> String {
        let count = utf8.count
        guard count > limit else { return self }
        let note = "… (cut: the text has \(count) bytes, the limit is \(limit))"
        return prefix(ofBytes: limit - note.utf8.count) + note
    }

    /// The longest prefix of whole Unicode characters with at most so many bytes of UTF-8.
    package func prefix(ofBytes limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var end = utf8.index(startIndex, offsetBy: max(0, limit))
        while end > startIndex, end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return String(self[..<end])
    }
}
