public import JobReactorCore

/// A snapshot of the record of an unfinished or kept job.
public struct JobInfo: Hashable, Sendable {
    public var id: JobID
    public var name: String
    /// The args for the next attempt; during a run, those from before the run.
    public var args: JobArguments
    public var status: JobStatus
    /// The number of runs begun; a successful run of a periodic job resets it to 0.
    public var attempt: Int
    /// Whether it runs on a thread beside the reactor lane.
    public var isDeferred: Bool
    /// The node that has it; nil while it waits at the distributor.
    public var node: String?
    /// The node it prefers.
    public var preferredNode: String?
    /// The node that must not run it.
    public var notNode: String?
    /// The name of the distributor that gets its outcome.
    public var distributor: String
    /// The time of its next run.
    public var dueAt: Timestamp
    /// The time at which its last run began.
    public var runAt: Timestamp?
    /// The time of its last failed run.
    public var failedAt: Timestamp?
    /// The message of the last error, `file:line: text`.
    public var lastError: String?
    /// Lua's traceback of the last error.
    public var traceback: String?
    /// Seconds from the end of one run to the start of the next; nil for a job that runs once.
    public var period: Double?
    /// The requested seconds between the last save and the next run; nil for at once.
    public var makeAfter: Double?
    /// The reason why the job waits, apart from its due time: `no node defines it`; nil if there is none.
    public var waitsFor: String?
    /// What a job on its node's lane does now, in words: `running for 12.3 s, jobs.lua:3 in os.execute`.
    public var doing: String?
    /// Attempts in all, when the producer set them.
    public var maxAttempt: Int?
    /// Growth of the wait between retries in seconds, when the producer set it.
    public var retryMultiplier: Double?
    /// How urgent it is, from 0 (last) to 9 (first), when the producer set it.
    public var priority: Int?
    /// The key that it holds.
    public var uniqueKey: String?
    /// Until when it holds the key at least; nil where that is until it is finished.
    public var uniqueUntil: Timestamp?
    /// The tick of a schedule that it comes of.
    public var tick: JobTick?
    /// The beginning of the JSON of the args of one more run that follows the one under way; nil for none.
    public var again: String?
    /// The span that it comes from, where its producer traces.
    public var trace: JobTrace?

    /// Reads the fields of `JOB id`.
    package init?(fields: [String]) {
        var values: [String: String] = [:]
        for index in stride(from: 0, to: fields.count - 1, by: 2) { values[fields[index]] = fields[index + 1] }
        guard let id = values["id"].flatMap({ JobID($0) }), let name = values["name"],
            let status = values["status"].flatMap(JobStatus.init(rawValue:))
        else { return nil }
        func time(_ key: String) -> Timestamp? { values[key].flatMap { Double($0) }.map(Timestamp.init(seconds:)) }
        self.id = id
        self.name = name
        args = JobArguments(unchecked: Array((values["args"] ?? "{}").utf8))
        self.status = status
        attempt = values["attempt"].flatMap { Int($0) } ?? 0
        isDeferred = values["defer"] == "true"
        node = values["on_node"]
        preferredNode = values["node"]
        notNode = values["not_node"]
        distributor = values["distributor"] ?? ""
        dueAt = time("due_at") ?? Timestamp(microseconds: 0)
        runAt = time("run_at")
        failedAt = time("failed_at")
        lastError = values["last_error"]
        traceback = values["traceback"]
        period = values["period"].flatMap { Double($0) }
        makeAfter = values["make_after"].flatMap { Double($0) }
        waitsFor = values["waits_for"]
        doing = values["doing"]
        maxAttempt = values["max_attempt"].flatMap { Int($0) }
        retryMultiplier = values["retry_multiplier"].flatMap { Double($0) }
        priority = values["priority"].flatMap { Int($0) }
        uniqueKey = values["unique"]
        uniqueUntil = time("unique_until")
        if let schedule = values["schedule"], let at = time("tick") { tick = JobTick(schedule: schedule, at: at) }
        again = values["again"]
        trace = values["trace"].flatMap { JobTrace(json: $0.utf8) }
    }
}
