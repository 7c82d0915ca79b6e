extension JobPolicy {
    /// A policy whose times are durations: `JobPolicy(maxRetryDelay: .seconds(600), timeout: .seconds(30))`. A node
    /// refuses durations that are negative or longer than ``JobLimits/seconds`` at its start.
    @_disfavoredOverload
    public init(
        maxAttempt: Int = 10, retryMultiplier: Double = 5, backoff: RetryBackoff = .linear, jitter: Double = 0,
        maxRetryDelay: Duration? = nil, timeout: Duration? = nil, removeDoneJobs: Bool = true,
        removeCancelledJobs: Bool = true, removeFailedJobs: Bool = false
    ) {
        self.init(
            maxAttempt: maxAttempt, retryMultiplier: retryMultiplier, backoff: backoff, jitter: jitter,
            maxRetryDelay: maxRetryDelay?.inSeconds, timeout: timeout?.inSeconds, removeDoneJobs: removeDoneJobs,
            removeCancelledJobs: removeCancelledJobs, removeFailedJobs: removeFailedJobs)
    }

    /// As above, with a duration for `retryMultiplier` as well.
    public init(
        maxAttempt: Int = 10, retryMultiplier: Duration, backoff: RetryBackoff = .linear, jitter: Double = 0,
        maxRetryDelay: Duration? = nil, timeout: Duration? = nil, removeDoneJobs: Bool = true,
        removeCancelledJobs: Bool = true, removeFailedJobs: Bool = false
    ) {
        self.init(
            maxAttempt: maxAttempt, retryMultiplier: retryMultiplier.inSeconds, backoff: backoff, jitter: jitter,
            maxRetryDelay: maxRetryDelay?.inSeconds, timeout: timeout?.inSeconds, removeDoneJobs: removeDoneJobs,
            removeCancelledJobs: removeCancelledJobs, removeFailedJobs: removeFailedJobs)
    }
}
