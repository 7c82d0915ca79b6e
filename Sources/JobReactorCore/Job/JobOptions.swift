/// How one job is to be run; the defaults mean: at once, on any node that defines it, with the node's retry policy.
public struct JobOptions: Hashable, Sendable {
    /// Seconds from now before which the job does not run; fractions allowed, from 0 to ``JobLimits/seconds``. `runAt`
    /// wins over it.
    public var after: Double?
    /// Not before this time, at most ``JobLimits/seconds`` from now; in the past means now.
    public var runAt: Timestamp?
    /// Again, each `period` seconds after the previous run ended; above 0, to ``JobLimits/seconds``. With `after` or
    /// `runAt`, those set the first run.
    public var period: Double?
    /// Preferred node; strict only where `always_use_specified_node` is set.
    public var node: String?
    /// Never this node.
    public var notNode: String?
    /// Run on a background thread of the node, so that a heavy job does not hold up its other jobs.
    public var isDeferred: Bool
    /// Attempts in all before the job is `failed`, from 1 to ``JobLimits/attempts``; nil takes the script's, else the node's.
    public var maxAttempt: Int?
    /// Seconds by which the wait grows from one retry to the next, from 0 to ``JobLimits/seconds``; nil takes the
    /// script's, else the node's.
    public var retryMultiplier: Double?
    /// How urgent it is, from 0 (last) to 9 (first); nil takes the script's, else ``JobPriority/usual``.
    public var priority: Int?
    /// No other job of its name with the same key is enqueued as long as it holds that.
    public var unique: JobUnique?
    /// The job's id, for a producer that may have to send it twice; nil makes a new one. The same id twice is one job, until
    /// that is finished: then the id may be used again, and a record that is kept of it makes room for the new job.
    public var id: JobID?
    /// The span that the job comes from. Whoever enqueues it makes one of its own below that, where the program has a tracer;
    /// nil takes the span of the current task.
    public var trace: JobTrace?
    /// The tick of a schedule that the job comes of.
    package var tick: JobTick?

    public init(
        after: Double? = nil, runAt: Timestamp? = nil, period: Double? = nil, node: String? = nil,
        notNode: String? = nil, isDeferred: Bool = false, maxAttempt: Int? = nil, retryMultiplier: Double? = nil,
        priority: Int? = nil, unique: JobUnique? = nil, id: JobID? = nil
    ) {
        self.after = after
        self.runAt = runAt
        self.period = period
        self.node = node
        self.notNode = notNode
        self.isDeferred = isDeferred
        self.maxAttempt = maxAttempt
        self.retryMultiplier = retryMultiplier
        self.priority = priority
        self.unique = unique
        self.id = id
    }

    /// Throws what is wrong with the values, in words that say what is allowed.
    public func validate() throws(JobError) { try validate(secondsApart: 0) }

    /// As ``validate()``, for options that another has checked by a clock which may differ from ours by so much, in words for
    /// those who know the options by these names.
    package func validate(secondsApart: Double = 0, names: OptionNames = .swift) throws(JobError) {
        if !isLimited { return }
        func wrong(_ name: String, _ problem: String) -> JobError {
            JobError(.invalidOption, "\(names.text(name)) \(problem)")
        }
        for (name, seconds) in [("after", after), ("retry_multiplier", retryMultiplier)] {
            if let seconds, !(seconds >= 0 && seconds <= JobLimits.seconds) {
                throw wrong(name, "takes seconds from 0 to \(Int(JobLimits.seconds)), not \(seconds)")
            }
        }
        if let period, !(period > 0 && period <= JobLimits.seconds) {
            throw wrong("period", "takes seconds above 0 up to \(Int(JobLimits.seconds)), not \(period)")
        }
        if let runAt, let problem = Self.problem(in: runAt, now: .now, secondsApart: secondsApart) {
            throw wrong("run_at", problem)
        }
        if let maxAttempt, maxAttempt < 1 || maxAttempt > JobLimits.attempts {
            throw wrong("max_attempt", "takes a whole number from 1 to \(JobLimits.attempts), not \(maxAttempt)")
        }
        for (name, node) in [("node", node), ("not_node", notNode)] {
            if let node, let problem = Name.problem(in: node) { throw wrong(name, problem) }
        }
        if let priority, !JobPriority.range.contains(priority) {
            throw wrong("priority", "takes a whole number from 0 (last) to 9 (first), not \(priority)")
        }
        if let unique {
            if let key = unique.key { _ = try UniqueKey(job: "", key: key) }
            guard unique.seconds >= 0, unique.seconds <= JobLimits.seconds else {
                throw wrong(
                    "unique_for", "takes seconds from 0 to \(Int(JobLimits.seconds)), not \(unique.seconds)")
            }
        }
        if let tick, let problem = Name.problem(in: tick.schedule) { throw wrong("schedule", problem) }
    }

    private static func problem(in runAt: Timestamp, now: Timestamp, secondsApart: Double) -> String? {
        let latest = now.advanced(bySeconds: JobLimits.seconds)
        guard runAt > latest.advanced(bySeconds: secondsApart) else { return nil }
        // Those that say a time in another unit have it within the next hundred years, too.
        let hint =
            if runAt == Timestamp(microseconds: .max) {
                ", not a time beyond all"
            } else if Timestamp(seconds: runAt.seconds / 1000) <= latest {
                ", not \(Int(runAt.seconds)): that looks like milliseconds, so divide it by 1000"
            } else {
                ", not \(Int(runAt.seconds))"
            }
        return "takes seconds since 1970, at most a hundred years from now\(hint)"
    }

    /// Whether there is anything that could be wrong: most jobs have none of it.
    private var isLimited: Bool { after != nil || runAt != nil || hasRareFields }

    /// Whether a record has to keep any of it that most have not.
    var hasRareFields: Bool {
        period != nil || retryMultiplier != nil || maxAttempt != nil || node != nil || notNode != nil || trace != nil
            || priority != nil || unique != nil || tick != nil
    }
}

/// How options and settings are called where somebody reads of them: `max_attempt`, the name of all, in each one's spelling.
package enum OptionNames: Hashable, Sendable {
    /// `max_attempt`: in Lua, in JSON and over the wire.
    case plain
    /// `maxAttempt`
    case swift
    /// `--max-attempt`
    case flags

    package func text(_ name: String) -> String {
        let words = name.split(separator: "_")
        return switch self {
        case .plain: name
        case .flags: "--" + words.joined(separator: "-")
        case .swift:
            words.prefix(1).joined() + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
        }
    }
}

/// The rule for names of jobs and nodes.
public enum Name {
    /// Why the text cannot name a job or a node, as the end of a sentence; nil when it can. Names have 1 to 255 bytes of
    /// UTF-8 without spaces and control characters.
    public static func problem(in name: String) -> String? {
        if name.isEmpty { return "must not be empty" }
        if name.utf8.count > JobLimits.nameBytes { return "must not be longer than \(JobLimits.nameBytes) bytes" }
        if name.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) {
            return "must not contain spaces or control characters"
        }
        return nil
    }
}
