/// The number of attempts of a job, the waits between them, and whether its record is kept. The defaults are those of
/// the gem.
public struct JobPolicy: Hashable, Sendable {
    /// The total number of attempts, from 1; with 1 the job is never tried again.
    public var maxAttempt: Int
    /// The base of the waits between attempts in seconds; see ``RetryBackoff``.
    public var retryMultiplier: Double
    /// How the waits grow.
    public var backoff: RetryBackoff
    /// The random share of each wait, from 0 to 1, so that jobs that failed together do not retry together: with 0.5, a
    /// wait of 10 s becomes one between 5 and 10 s.
    public var jitter: Double
    /// The longest wait in seconds; nil for no limit.
    public var maxRetryDelay: Double?
    /// Seconds that one attempt may take before it is interrupted and counts as failed; nil for no limit.
    public var timeout: Double?
    public var removeDoneJobs: Bool
    public var removeCancelledJobs: Bool
    public var removeFailedJobs: Bool

    public init(
        maxAttempt: Int = 10, retryMultiplier: Double = 5, backoff: RetryBackoff = .linear, jitter: Double = 0,
        maxRetryDelay: Double? = nil, timeout: Double? = nil, removeDoneJobs: Bool = true,
        removeCancelledJobs: Bool = true, removeFailedJobs: Bool = false
    ) {
        self.maxAttempt = maxAttempt
        self.retryMultiplier = retryMultiplier
        self.backoff = backoff
        self.jitter = jitter
        self.maxRetryDelay = maxRetryDelay
        self.timeout = timeout
        self.removeDoneJobs = removeDoneJobs
        self.removeCancelledJobs = removeCancelledJobs
        self.removeFailedJobs = removeFailedJobs
    }

    /// This policy, overridden by the script's values for its job, and then by the producer's values for this job.
    public func applying(_ script: ScriptPolicy?, _ job: Job) -> JobPolicy {
        var policy = self
        if let attempts = job.maxAttempt ?? script?.maxAttempt { policy.maxAttempt = attempts }
        if let multiplier = job.retryMultiplier ?? script?.retryMultiplier { policy.retryMultiplier = multiplier }
        guard let script else { return policy }
        if let backoff = script.backoff { policy.backoff = backoff }
        if let jitter = script.jitter { policy.jitter = jitter }
        if let delay = script.maxRetryDelay { policy.maxRetryDelay = delay }
        if let timeout = script.timeout { policy.timeout = timeout }
        return policy
    }

    /// Seconds from a failed attempt, counted from 1, to the next. `chance` is the random number, from 0 up to 1.
    public func retryDelay(afterAttempt attempt: Int32, chance: Double) -> Double {
        let count = Double(max(1, attempt))
        // Past any wait that makes sense, and far from infinity.
        let growth =
            switch backoff {
            case .linear: count
            case .exponential: Double(sign: .plus, exponent: Int(min(count - 1, 60)), significand: 1)
            }
        let delay = min(growth * retryMultiplier, maxRetryDelay ?? .infinity)
        return delay * (1 - jitter * chance)
    }
}

/// How the wait between attempts grows.
public enum RetryBackoff: String, Hashable, Sendable, CaseIterable {
    /// The n-th retry waits n times the multiplier, as in the gem: 5, 10, 15, … s.
    case linear
    /// Each retry waits twice as long as the previous one; the first wait is the multiplier: 5, 10, 20, … s.
    case exponential
}

/// The options table of a job's definition in Lua; nil for unset options. A `backoff` function is not included: its
/// result comes with the outcome of the run, as ``RunOutcome/retryIn``.
public struct ScriptPolicy: Hashable, Sendable {
    public var maxAttempt: Int?
    public var retryMultiplier: Double?
    public var backoff: RetryBackoff?
    public var jitter: Double?
    public var maxRetryDelay: Double?
    public var timeout: Double?
    /// The priority of its jobs, from 0 (last) to 9 (first), unless their producer sets one.
    public var priority: Int?
    /// The names of the limits that count its runs.
    public var limits: [String]

    public init(
        maxAttempt: Int? = nil, retryMultiplier: Double? = nil, backoff: RetryBackoff? = nil, jitter: Double? = nil,
        maxRetryDelay: Double? = nil, timeout: Double? = nil, priority: Int? = nil, limits: [String] = []
    ) {
        self.maxAttempt = maxAttempt
        self.retryMultiplier = retryMultiplier
        self.backoff = backoff
        self.jitter = jitter
        self.maxRetryDelay = maxRetryDelay
        self.timeout = timeout
        self.priority = priority
        self.limits = limits
    }
}
