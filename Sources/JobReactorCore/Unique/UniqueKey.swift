/// What happens to a job whose key another job holds.
public enum UniqueConflict: String, Hashable, Sendable, CaseIterable, Codable {
    /// The other job stays, and its id is returned.
    case keep
    /// While the other job waits, it gets the args, options and due time of this one; once it runs, as ``keep``.
    case replace
    /// As ``replace`` while the other job waits; once it runs, it runs once more afterwards, with the newest args.
    case again
    /// An error that names the other job.
    case raise
}

/// A key that at most one job of a name holds at a time.
public struct UniqueKey: Hashable, Sendable {
    /// The job's name; jobs of other names may have the same key.
    public let job: String
    /// 1 to ``bytes`` bytes of UTF-8 without control characters.
    public let key: String

    /// Bytes of UTF-8 of a key.
    public static let bytes = 255

    /// Checks the key. The error says what is allowed.
    public init(job: String, key: String) throws(JobError) {
        let hasControls = key.utf8.contains { $0 < 0x20 || $0 == 0x7F }
        guard !key.isEmpty, key.utf8.count <= Self.bytes, !hasControls else {
            throw JobError(
                .invalidOption,
                "unique takes a key of 1 to \(Self.bytes) bytes without control characters, not '\(key.cut(toBytes: 300))'"
            )
        }
        self.job = job
        self.key = key
    }

    /// The key derived from the args; the order of their members does not matter.
    public init(job: String, args: JobArguments) {
        self.job = job
        key = args.value.keyText
    }
}
