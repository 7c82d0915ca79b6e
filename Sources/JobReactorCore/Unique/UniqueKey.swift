/// What becomes of a job whose key another holds.
public enum UniqueConflict: String, Hashable, Sendable, CaseIterable, Codable {
    /// The other stands, and its id is the answer.
    case keep
    /// The other, while it waits, gets the args, options and due time of this one; once it runs, as ``keep``.
    case replace
    /// As ``replace`` while the other waits; once it runs, it runs once more afterwards, with the newest args.
    case again
    /// An error that names the other.
    case raise
}

/// What no two jobs of one name have at a time.
public struct UniqueKey: Hashable, Sendable {
    /// The job's name: other jobs may have the same key.
    public let job: String
    /// 1 to ``bytes`` bytes of UTF-8 without control characters.
    public let key: String

    /// Bytes of UTF-8 of a key.
    public static let bytes = 255

    /// Throws what is wrong with the key, in words that say what is allowed.
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

    /// The key that is made of the args: whoever writes the same members in another order has the same.
    public init(job: String, args: JobArguments) {
        self.job = job
        key = args.value.keyText
    }
}
