/// A storage that keeps who changed what, too: the audit log of the process that has it open.
///
/// Of a storage that is none the log is in memory, and ends with the process. `StorageConformance` in JobReactorTesting
/// checks all that this page says, in its `auditChecks`.
public protocol AuditStorage: JobStorage {
    /// Keeps entries, in their order. The last ``AuditEntry/most`` at least are kept, for ``AuditEntry/seconds`` at least; what
    /// is more, and older, goes in time.
    func note(_ entries: [AuditEntry], done: @escaping @Sendable (Result<Void, StorageError>) -> Void)

    /// The newest entries, the newest first, at most `limit`.
    func audit(limit: Int, done: @escaping @Sendable (Result<[AuditEntry], StorageError>) -> Void)
}

/// One command that has changed something other than by enqueueing.
public struct AuditEntry: Hashable, Sendable {
    /// How many are kept.
    public static let most = 100_000
    /// For how long: a year.
    public static let seconds: Double = 366 * 86_400

    /// Greater than that of every entry before of the same process; those of processes are in the order of their clocks.
    public var id: JobID
    public var at: Timestamp
    /// Who it was: `default` for the password of the installation, and where none is asked for.
    public var user: String
    /// `host:port` of the connection.
    public var address: String
    /// Such as `CANCEL`.
    public var command: String
    /// What it changed, in words.
    public var change: String

    public init(id: JobID, at: Timestamp, user: String, address: String, command: String, change: String) {
        self.id = id
        self.at = at
        self.user = user
        self.address = address
        self.command = command
        self.change = change
    }
}
