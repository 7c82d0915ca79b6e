/// How large a job, its options and its outcome may be: one set of numbers for every entrance (Redis clients, Swift, Lua,
/// the command line, stored records) and for both sides of every link.
///
/// What an entrance accepts fits a message of ``messageBytes`` whatever the system adds to it on the way, so that what a
/// distributor accepts every node accepts.
public enum JobLimits {
    /// Bytes of UTF-8 of the name of a job or node; it has neither spaces nor control characters.
    public static let nameBytes = 255
    /// Bytes of JSON of the args that a producer gives, and of those that a run leaves: 15 MiB.
    public static let argsBytes = 15 << 20
    /// Bytes of JSON that the system adds to args at most (`job_itself`, `error`, `errback_error`, `retrying`): 512 KiB. A
    /// link takes args of ``argsBytes`` and as much.
    public static let addedBytes = 512 << 10
    /// Bytes of one message of a link, which is never less, whatever limit a port has for commands: 16 MiB.
    public static let messageBytes = 16 << 20
    /// Bytes of args, errors and tracebacks in one page of a storage, where it has more than one record: 16 MiB.
    public static let pageBytes = 16 << 20
    /// The longest wait in seconds, of `after`, `period`, `retry_multiplier`, and from now to `run_at`: a hundred years.
    public static let seconds: Double = 3_155_760_000
    /// The largest `max_attempt`.
    public static let attempts = Int(Int32.max)
    /// Bytes of JSON of `args.error` and of `args.errback_error`, each: 128 KiB.
    public static let errorBytes = 128 << 10
    /// Bytes of UTF-8 of the text of an error and of its traceback, each, in the record and in the log: 64 KiB. What is longer
    /// is cut, and says so.
    public static let errorTextBytes = 64 << 10
    /// As ``errorTextBytes``, where such a text is part of args: of `job_itself`, or in the place of an error that is too large:
    /// 16 KiB.
    public static let argsTextBytes = 16 << 10
    /// Bytes of UTF-8 of the text of a `progress`: 4 KiB. What is longer is cut.
    public static let progressBytes = 4 << 10

    /// Bytes of JSON of a ``JobTrace``: 4 KiB.
    public static let traceBytes = 4 << 10

    /// Throws what is wrong with a job that a producer brings, in words that say what is allowed.
    public static func check(
        _ name: String, _ args: JobArguments, _ options: JobOptions = JobOptions()
    ) throws(JobError) {
        try check(name, args, options, names: .swift)
    }

    /// The same, in words for those who know the options by these names.
    package static func check(
        _ name: String, _ args: JobArguments, _ options: JobOptions, names: OptionNames
    ) throws(JobError) {
        try check(name: name)
        if let problem = args.problem { throw JobError(.invalidArguments, problem) }
        try check(argsBytes: args.bytes.count)
        try options.validate(names: names)
    }

    /// Throws what is wrong with a record that an earlier process has left. Its args may have grown by what the system adds.
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
            throw JobError(.invalidArguments, "args take at most \(limit) bytes of JSON, not \(count)")
        }
    }

    /// Throws ``JobError/Code/invalidOption`` for a time to wait for an outcome that no clock can measure.
    public static func check(timeout: Double?) throws(JobError) {
        if let timeout, !(timeout >= 0 && timeout <= seconds) {
            throw JobError(.invalidOption, "timeout takes seconds from 0 to \(Int(seconds)), not \(timeout)")
        }
    }
}

extension String {
    /// The text, cut where it has more bytes of UTF-8 than `limit`, which is 100 or more; it ends with how long it was.
    package func cut(toBytes limit: Int) -> String {
        let count = utf8.count
        guard count > limit else { return self }
        let note = "… (cut: the text has \(count) bytes, the limit is \(limit))"
        return prefix(ofBytes: limit - note.utf8.count) + note
    }

    /// As many whole characters of Unicode as have room in so many bytes of UTF-8.
    package func prefix(ofBytes limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var end = utf8.index(startIndex, offsetBy: max(0, limit))
        while end > startIndex, end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return String(self[..<end])
    }
}
