/// Options for running one job. By default it runs at once, on any node that defines it, with the node's retry policy.
public struct JobOptions: Hashable, Sendable {
    /// Whether the job runs on a thread beside the reactor lane, so that a heavy job does not block other jobs.
    public var isDeferred: Bool
    /// The job's id, for a producer that may have to send the job twice; nil makes a new id. A second job with the id
    /// of an unfinished job counts as that job. The id of a finished job may be used again; the new record replaces a
    /// kept one.
    public var id: JobID?
    /// What most jobs do not say, kept apart: the options of each job are copied often.
    private var rare: Rare?

    private final class Rare: Hashable, Sendable {
        let fields: RareFields
        init(_ fields: RareFields) { self.fields = fields }
        static func == (left: Rare, right: Rare) -> Bool { left.fields == right.fields }
        func hash(into hasher: inout Hasher) { hasher.combine(fields) }
    }

    private struct RareFields: Hashable, Sendable {
        var after: Double?
        var runAt: Timestamp?
        var period: Double?
        var node: String?
        var notNode: String?
        var maxAttempt: Int?
        var retryMultiplier: Double?
        var priority: Int?
        var unique: JobUnique?
        var trace: JobTrace?
        var tick: JobTick?

        /// Whether a record has to keep any of it.
        var areKept: Bool {
            period != nil || node != nil || notNode != nil || maxAttempt != nil || retryMultiplier != nil
                || priority != nil || unique != nil || trace != nil || tick != nil
        }
    }

    private mutating func set<Value: Equatable>(_ key: WritableKeyPath<RareFields, Value>, _ value: Value) {
        var fields = rare?.fields ?? RareFields()
        guard fields[keyPath: key] != value else { return }
        fields[keyPath: key] = value
        // Without any of them nil, as of options that never had one: they are equal when their fields are.
        rare = fields == RareFields() ? nil : Rare(fields)
    }

    public init(
        after: Double? = nil, runAt: Timestamp? = nil, period: Double? = nil, node: String? = nil,
        notNode: String? = nil, isDeferred: Bool = false, maxAttempt: Int? = nil, retryMultiplier: Double? = nil,
        priority: Int? = nil, unique: JobUnique? = nil, id: JobID? = nil
    ) {
        self.isDeferred = isDeferred
        self.id = id
        // As most are called.
        let isPlain =
            after == nil && runAt == nil && period == nil && node == nil && notNode == nil && maxAttempt == nil
            && retryMultiplier == nil && priority == nil && unique == nil
        if isPlain { return }
        let fields = RareFields(
            after: after, runAt: runAt, period: period, node: node, notNode: notNode, maxAttempt: maxAttempt,
            retryMultiplier: retryMultiplier, priority: priority, unique: unique)
        rare = Rare(fields)
    }

    /// Seconds to wait before the first run, with fractions, from 0 to ``JobLimits/seconds``. `runAt` takes precedence.
    public var after: Double? {
        get { rare?.fields.after }
        set { set(\.after, newValue) }
    }
    /// The earliest time of the first run, at most ``JobLimits/seconds`` from now; a time in the past means now.
    public var runAt: Timestamp? {
        get { rare?.fields.runAt }
        set { set(\.runAt, newValue) }
    }
    /// Seconds from the end of each run to the next, above 0, up to ``JobLimits/seconds``. `after` or `runAt` set the
    /// first run.
    public var period: Double? {
        get { rare?.fields.period }
        set { set(\.period, newValue) }
    }
    /// The preferred node; the only one if `always_use_specified_node` is set.
    public var node: String? {
        get { rare?.fields.node }
        set { set(\.node, newValue) }
    }
    /// The node that must not run the job.
    public var notNode: String? {
        get { rare?.fields.notNode }
        set { set(\.notNode, newValue) }
    }
    /// The total number of attempts before the job is `failed`, from 1 to ``JobLimits/attempts``; nil takes the value
    /// of the script, otherwise of the node.
    public var maxAttempt: Int? {
        get { rare?.fields.maxAttempt }
        set { set(\.maxAttempt, newValue) }
    }
    /// Seconds by which the wait grows from one retry to the next, from 0 to ``JobLimits/seconds``; nil takes the value
    /// of the script, otherwise of the node.
    public var retryMultiplier: Double? {
        get { rare?.fields.retryMultiplier }
        set { set(\.retryMultiplier, newValue) }
    }
    /// The priority, from 0 (last) to 9 (first); nil takes the value of the script, otherwise ``JobPriority/usual``.
    public var priority: Int? {
        get { rare?.fields.priority }
        set { set(\.priority, newValue) }
    }
    /// A unique key: no other job of its name with this key is enqueued while the job holds it.
    public var unique: JobUnique? {
        get { rare?.fields.unique }
        set { set(\.unique, newValue) }
    }
    /// The parent span of the job. If the program has a tracer, enqueueing makes a child span of it; nil takes the span
    /// of the current task.
    public var trace: JobTrace? {
        get { rare?.fields.trace }
        set { set(\.trace, newValue) }
    }
    /// The tick of the schedule that makes the job.
    package var tick: JobTick? {
        get { rare?.fields.tick }
        set { set(\.tick, newValue) }
    }

    /// Checks the values. The error says what is allowed.
    public func validate() throws(JobError) { try validate(secondsApart: 0) }

    /// As ``validate()``, for options that a peer has checked by a clock that may differ by so many seconds, with these
    /// names of options in the error.
    package func validate(secondsApart: Double = 0, names: OptionNames = .swift) throws(JobError) {
        if isPlain { return }
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
                ", not an infinite time"
            } else if Timestamp(seconds: runAt.seconds / 1000) <= latest {
                ", not \(Int(runAt.seconds)): that looks like milliseconds, so divide it by 1000"
            } else {
                ", not \(Int(runAt.seconds))"
            }
        return "takes seconds since 1970, at most a hundred years from now\(hint)"
    }

    /// Whether there is nothing that could be wrong, and nothing but the id and ``isDeferred``: as most are.
    package var isPlain: Bool { rare == nil }

    /// Whether a record has to keep any of it that most have not.
    var hasRareFields: Bool { rare?.fields.areKept ?? false }
}

/// The spelling of options and settings in messages.
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
    /// The reason why the text cannot be the name of a job or a node, as the end of a sentence; nil if it can. Names
    /// have 1 to 255 bytes of UTF-8 without spaces and control characters.
    public static func problem(in name: String) -> String? {
        if name.isEmpty { return "must not be empty" }
        if name.utf8.count > JobLimits.nameBytes { return "must not be longer than \(JobLimits.nameBytes) bytes" }
        if name.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) {
            return "must not contain spaces or control characters"
        }
        return nil
    }
}
