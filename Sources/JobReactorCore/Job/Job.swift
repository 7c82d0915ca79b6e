/// The record of a job: a node stores it, and `JOB id` shows it.
public struct Job: Hashable, Sendable {
    public let id: JobID
    public let name: String
    public var args: JobArguments
    public var status: JobStatus
    /// The number of runs begun; a successful run of a periodic job resets it to 0.
    public var attempt: Int32
    /// The total number of runs begun. It is never reset, so it identifies a run of the job. Wraps around.
    public var runs: Int32
    /// Whether the job runs on a thread beside the reactor lane.
    public var isDeferred: Bool
    /// Whether `dueAt` was given as a future date by `run_at`: then it follows the wall clock. For other jobs `dueAt`
    /// is the end of the wait, by the wall clock at its start.
    ///
    /// Not part of the record: after a restart, every job waits for its `dueAt` as for a date.
    package var isDated: Bool {
        get { unrecordedIsDated.value }
        set { unrecordedIsDated.value = newValue }
    }
    private var unrecordedIsDated = Unrecorded(false)
    /// Whether a run of another job waits for its outcome in `perform`; that run stays suspended until then.
    ///
    /// Not part of the record: after a restart, the giver sends the job again with this flag.
    package var isAwaited: Bool {
        get { unrecordedIsAwaited.value }
        set { unrecordedIsAwaited.value = newValue }
    }
    private var unrecordedIsAwaited = Unrecorded(false)
    /// The time of the next run, by the wall clock.
    public var dueAt: Timestamp
    /// The time at which its last run began.
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
        guard !options.isPlain else {
            dueAt = now
            return
        }
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

    /// Whether the record has only the fields of every job: no wait, no option, no failure. A storage may store it more
    /// compactly.
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
    /// The total number of attempts, if the producer set it.
    public internal(set) var maxAttempt: Int? {
        get { rare?.fields.maxAttempt }
        set { set(\.maxAttempt, newValue) }
    }
    /// The growth of the wait between retries in seconds, if the producer set it.
    public internal(set) var retryMultiplier: Double? {
        get { rare?.fields.retryMultiplier }
        set { set(\.retryMultiplier, newValue) }
    }
    /// The requested seconds between the last save and the next run; nil for at once.
    public var makeAfter: Double? {
        get { makeAfterBits == Self.noWait ? nil : Double(bitPattern: makeAfterBits) }
        set { makeAfterBits = newValue?.bitPattern ?? Self.noWait }
    }
    /// The time of the last failed run.
    public var failedAt: Timestamp? {
        get { rare?.fields.failedAt }
        set { set(\.failedAt, newValue) }
    }
    /// The message of the last error, `file:line: text`. If an errback failed as well, its message is on a further
    /// line.
    public var lastError: String? {
        get { rare?.fields.lastError }
        set { set(\.lastError, newValue) }
    }
    /// Lua's traceback of the last error.
    public var lastTraceback: String? {
        get { rare?.fields.lastTraceback }
        set { set(\.lastTraceback, newValue) }
    }

    /// The current activity of a job on a lane, as a text. Only in records that are shown; never stored.
    package var doing: String? {
        get { rare?.fields.doing }
        set { set(\.doing, newValue) }
    }

    /// The span in which the job was enqueued, if its producer has a tracer.
    public var trace: JobTrace? {
        get { rare?.fields.trace }
        set { set(\.trace, newValue) }
    }

    /// The priority, from 0 (last) to 9 (first), if the producer set it.
    public internal(set) var priority: Int? {
        get { rare?.fields.priority }
        set { set(\.priority, newValue) }
    }
    /// The unique key that it holds, always with an explicit key; nil for none.
    public var unique: JobUnique? {
        get { rare?.fields.unique }
        set { set(\.unique, newValue) }
    }
    /// The tick of the schedule that made the job; nil for other jobs.
    public internal(set) var tick: JobTick? {
        get { rare?.fields.tick }
        set { set(\.tick, newValue) }
    }
    /// The args of one more run after the current one; nil for none. They are those of a job with the same unique key
    /// that was enqueued meanwhile: ``UniqueConflict/again``.
    public var again: JobArguments? {
        get { rare?.fields.again }
        set { set(\.again, newValue) }
    }

    /// The options in the record, without the id and without those that set its due time.
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
