/// How often a job is tried and what becomes of its record. The defaults are the gem's.
public struct JobPolicy: Hashable, Sendable {
    /// Attempts in all, from 1.
    public var maxAttempt: Int
    /// The n-th retry waits n times this many seconds.
    public var retryMultiplier: Double
    public var removeDoneJobs: Bool
    public var removeCancelledJobs: Bool
    public var removeFailedJobs: Bool

    public init(
        maxAttempt: Int = 10, retryMultiplier: Double = 5, removeDoneJobs: Bool = true,
        removeCancelledJobs: Bool = true, removeFailedJobs: Bool = false
    ) {
        self.maxAttempt = maxAttempt
        self.retryMultiplier = retryMultiplier
        self.removeDoneJobs = removeDoneJobs
        self.removeCancelledJobs = removeCancelledJobs
        self.removeFailedJobs = removeFailedJobs
    }

    /// This policy with what a script says for its job, and over that what the producer says for this one.
    public func applying(_ script: ScriptPolicy?, _ job: Job) -> JobPolicy {
        var policy = self
        if let attempts = job.maxAttempt ?? script?.maxAttempt { policy.maxAttempt = attempts }
        if let multiplier = job.retryMultiplier ?? script?.retryMultiplier { policy.retryMultiplier = multiplier }
        return policy
    }
}

/// What the options table of a job's definition in Lua says; nil where it says nothing.
public struct ScriptPolicy: Hashable, Sendable {
    public var maxAttempt: Int?
    public var retryMultiplier: Double?

    public init(maxAttempt: Int? = nil, retryMultiplier: Double? = nil) {
        self.maxAttempt = maxAttempt
        self.retryMultiplier = retryMultiplier
    }
}
