/// The record of a job, as a node stores it and as `JOB id` shows it.
public struct Job: Hashable, Sendable {
    public let id: JobID
    public let name: String
    public var args: JobArguments
    public var status: JobStatus
    /// Runs begun so far; a good run of a periodic job sets it back to 0.
    public var attempt: Int32
    /// Runs begun in all; never set back, so that it tells the runs of a job apart. Wraps around.
    public var runs: Int32
    /// Run on a background thread of the node.
    public var isDeferred: Bool
    /// Whether `dueAt` was given as a date that had not come, by `run_at`: then it is one whoever sets the clock. Of another
    /// job it is when its wait ends, as far as the wall clock told when the wait began.
    ///
    /// No part of the record: what an earlier process left waits for its `dueAt` as for a date in any case.
    package var isDated: Bool {
        get { unrecordedIsDated.value }
        set { unrecordedIsDated.value = newValue }
    }
    private var unrecordedIsDated = Unrecorded(false)
    /// Whether a run of another job waits for its outcome, by `perform`: until it has run that one keeps its place.
    ///
    /// No part of the record: whoever gave the job to an earlier process gives it again.
    package var isAwaited: Bool {
        get { unrecordedIsAwaited.value }
        set { unrecordedIsAwaited.value = newValue }
    }
    private var unrecordedIsAwaited = Unrecorded(false)
    /// When the job is to run next, by the wall clock.
    public var dueAt: Timestamp
    /// When its last run began.
    public var runAt: Timestamp?
    /// The name of the distributor that gets the report.
    public var distributor: String
    /// That of a Double: so it needs no byte to say that it is nil, and equal records have equal bits.
    private var makeAfterBits = Self.noWait
    private static let noWait = Double.nan.bitPattern
    /// What only some jobs have, kept apart so that a million plain jobs stay small.
    private var rare: Rare?

    private final class Rare: Hashable, Sendable {
        let fields: RareFields
        init(_ fields: RareFields) { self.fields = fields }
        static func == (left: Rare, right: Rare) -> Bool { left.fields == right.fields }
        func hash(into hasher: inout Hasher) { hasher.combine(fields) }
    }

    /// What is no part of the record: records are equal whatever it is.
    private struct Unrecorded: Hashable {
        var value: Bool
        init(_ value: Bool) { self.value = value }
        static func == (left: Unrecorded, right: Unrecorded) -> Bool { true }
        func hash(into hasher: inout Hasher) {}
    }

    private struct RareFields: Hashable, Sendable {
        var period: Double?
        var node: String?
        var notNode: String?
        var maxAttempt: Int?
        var retryMultiplier: Double?
        var failedAt: Timestamp?
        var lastError: String?
        var lastTraceback: String?
        var doing: String?
        var trace: JobTrace?
        var priority: Int?
        var unique: JobUnique?
        var tick: JobTick?
        var again: JobArguments?
    }

    public init(
        id: JobID, name: String, args: JobArguments, options: JobOptions = JobOptions(), distributor: String = "",
        createdAt now: Timestamp
    ) {
        self.id = id
        self.name = name
        self.args = args
        self.distributor = distributor
        status = .new
        attempt = 0
        runs = 0
        isDeferred = options.isDeferred
        let start = options.runAt ?? options.after.map { now.advanced(bySeconds: $0) }
        dueAt = max(start ?? now, now)
        if options.hasRareFields {
            var unique = options.unique?.keyed(args)
            if unique != nil, unique?.acceptedAt == nil { unique?.acceptedAt = now }
            rare = Rare(
                RareFields(
                    period: options.period, node: options.node, notNode: options.notNode,
                    maxAttempt: options.maxAttempt, retryMultiplier: options.retryMultiplier, trace: options.trace,
                    priority: options.priority, unique: unique, tick: options.tick))
        }
        // What the gem calls make_after: the wait from the last save to the next run.
        if let runAt = options.runAt {
            let (wait, overflow) = runAt.microseconds.subtractingReportingOverflow(now.microseconds)
            makeAfter = max(0, overflow ? runAt.seconds - now.seconds : Timestamp(microseconds: wait).seconds)
            isDated = runAt > now
        } else {
            makeAfter = options.after.map { max(0, $0) }
        }
    }

    /// Whether there is nothing but what every job has: no wait, no option, no failure. A storage may keep it in less.
    public var isPlain: Bool { rare == nil && makeAfterBits == Self.noWait }

    /// Seconds from the end of one run to the start of the next; nil for a job that runs once.
    public var period: Double? {
        get { rare?.fields.period }
        set { set(\.period, newValue) }
    }
    /// Preferred node.
    public internal(set) var node: String? {
        get { rare?.fields.node }
        set { set(\.node, newValue) }
    }
    /// Node that must not run it.
    public internal(set) var notNode: String? {
        get { rare?.fields.notNode }
        set { set(\.notNode, newValue) }
    }
    /// Attempts in all, when the producer set them.
    public internal(set) var maxAttempt: Int? {
        get { rare?.fields.maxAttempt }
        set { set(\.maxAttempt, newValue) }
    }
    /// Growth of the wait between retries in seconds, when the producer set it.
    public internal(set) var retryMultiplier: Double? {
        get { rare?.fields.retryMultiplier }
        set { set(\.retryMultiplier, newValue) }
    }
    /// Seconds between the last save and the next run, as it was asked for; nil for at once.
    public var makeAfter: Double? {
        get { makeAfterBits == Self.noWait ? nil : Double(bitPattern: makeAfterBits) }
        set { makeAfterBits = newValue?.bitPattern ?? Self.noWait }
    }
    /// When a run last failed.
    public var failedAt: Timestamp? {
        get { rare?.fields.failedAt }
        set { set(\.failedAt, newValue) }
    }
    /// The message of the last error, `file:line: text`; in a further line that of an errback that has failed.
    public var lastError: String? {
        get { rare?.fields.lastError }
        set { set(\.lastError, newValue) }
    }
    /// Lua's traceback of the last error.
    public var lastTraceback: String? {
        get { rare?.fields.lastTraceback }
        set { set(\.lastTraceback, newValue) }
    }

    /// What a job that is on a lane of its node does now, in words. Of a record that is shown; no storage has it.
    package var doing: String? {
        get { rare?.fields.doing }
        set { set(\.doing, newValue) }
    }

    /// The span that it comes from, where its producer has a tracer.
    public var trace: JobTrace? {
        get { rare?.fields.trace }
        set { set(\.trace, newValue) }
    }

    /// How urgent it is, from 0 (last) to 9 (first), when the producer set it.
    public internal(set) var priority: Int? {
        get { rare?.fields.priority }
        set { set(\.priority, newValue) }
    }
    /// The key that it holds, which is always said; nil for none.
    public var unique: JobUnique? {
        get { rare?.fields.unique }
        set { set(\.unique, newValue) }
    }
    /// The tick of a schedule that it comes of; nil for any other.
    public internal(set) var tick: JobTick? {
        get { rare?.fields.tick }
        set { set(\.tick, newValue) }
    }
    /// The args of one more run that is to follow the one under way; nil for none. They come of a job with the same key that was
    /// enqueued meanwhile: ``UniqueConflict/again``.
    public var again: JobArguments? {
        get { rare?.fields.again }
        set { set(\.again, newValue) }
    }

    /// The options that its record keeps: without the id, and without those that its due time has come of.
    package var options: JobOptions {
        var options = JobOptions(
            period: period, node: node, notNode: notNode, isDeferred: isDeferred, maxAttempt: maxAttempt,
            retryMultiplier: retryMultiplier, priority: priority, unique: unique)
        (options.trace, options.tick) = (trace, tick)
        return options
    }

    private mutating func set<Value: Equatable>(_ key: WritableKeyPath<RareFields, Value>, _ value: Value) {
        var fields = rare?.fields ?? RareFields()
        guard fields[keyPath: key] != value else { return }
        fields[keyPath: key] = value
        // Without any of them nil, as a job that never had one: records are equal when their fields are.
        rare = fields == RareFields() ? nil : Rare(fields)
    }
}
