// `Duration` in place of seconds, with the same ranges: what is negative or longer than `JobLimits.seconds` is refused when the job
// is enqueued.

extension JobOptions {
    /// Options whose waits are durations: `JobOptions(after: .seconds(5), period: .milliseconds(500))`.
    @_disfavoredOverload
    public init(
        after: Duration? = nil, runAt: Timestamp? = nil, period: Duration? = nil, node: String? = nil,
        notNode: String? = nil, isDeferred: Bool = false, maxAttempt: Int? = nil, retryMultiplier: Double? = nil,
        priority: Int? = nil, unique: JobUnique? = nil, id: JobID? = nil
    ) {
        self.init(
            after: after?.inSeconds, runAt: runAt, period: period?.inSeconds, node: node, notNode: notNode,
            isDeferred: isDeferred, maxAttempt: maxAttempt, retryMultiplier: retryMultiplier,
            priority: priority, unique: unique, id: id)
    }

    /// As above, with a duration for `retryMultiplier` as well.
    public init(
        after: Duration? = nil, runAt: Timestamp? = nil, period: Duration? = nil, node: String? = nil,
        notNode: String? = nil, isDeferred: Bool = false, maxAttempt: Int? = nil, retryMultiplier: Duration,
        priority: Int? = nil, unique: JobUnique? = nil, id: JobID? = nil
    ) {
        self.init(
            after: after?.inSeconds, runAt: runAt, period: period?.inSeconds, node: node, notNode: notNode,
            isDeferred: isDeferred, maxAttempt: maxAttempt, retryMultiplier: retryMultiplier.inSeconds,
            priority: priority, unique: unique, id: id)
    }
}
