/// A key that at most one job of a name holds at a time. A job holds it from its acceptance until it is finished, and
/// at least for the given time.
public struct JobUnique: Hashable, Sendable {
    /// 1 to ``UniqueKey/bytes`` bytes of UTF-8 without control characters; nil for a key derived from the args,
    /// independent of the order of their members.
    public var key: String?
    /// The minimum time for which the job holds the key, in seconds from its acceptance, from 0 to
    /// ``JobLimits/seconds``.
    public var seconds: Double
    /// What happens to the job if another job holds the key.
    public var onConflict: UniqueConflict
    /// When the job was accepted, by the wall clock; nil before.
    package var acceptedAt: Timestamp?

    public init(_ key: String? = nil, for seconds: Double = 0, onConflict: UniqueConflict = .keep) {
        self.key = key
        self.seconds = seconds
        self.onConflict = onConflict
    }

    /// The same with a key that is said: that of the args where none is.
    package func keyed(_ args: JobArguments) -> JobUnique {
        guard key == nil else { return self }
        var keyed = self
        keyed.key = UniqueKey(job: "", args: args).key
        return keyed
    }

    /// When the key is free at the earliest; nil where that is when the job is finished.
    package var heldUntil: Timestamp? {
        guard seconds > 0, let acceptedAt else { return nil }
        return acceptedAt.advanced(bySeconds: seconds)
    }
}

extension UniqueKey {
    /// That of a job; nil where it has none.
    package init?(_ job: Job) {
        guard let key = job.unique?.key, let held = try? UniqueKey(job: job.name, key: key) else { return nil }
        self = held
    }
}
