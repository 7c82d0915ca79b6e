/// A storage that also keeps the audit log of the process that has it open.
///
/// With other storages the audit log is in memory, and ends with the process. `auditChecks` of `StorageConformance` in
/// JobReactorTesting check this contract.
public protocol AuditStorage: JobStorage {
    /// Appends entries in order. At least the last ``AuditEntry/most`` are kept, for at least ``AuditEntry/seconds``;
    /// further and older ones are removed eventually.
    func note(_ entries: [AuditEntry], done: @escaping @Sendable (Result<Void, StorageError>) -> Void)

    /// The newest entries in falling order, at most `limit`.
    func audit(limit: Int, done: @escaping @Sendable (Result<[AuditEntry], StorageError>) -> Void)
}

/// One command that has changed something, except enqueueing.
public struct AuditEntry: Hashable, Sendable {
    /// How many are kept.
    public static let most = 100_000
    /// For how long: a year.
    public static let seconds: Double = 366 * 86_400

    /// Greater than the ids of all earlier entries of the same process; entries of several processes are in the order
    /// of their clocks.
    public var id: JobID
    public var at: Timestamp
    /// The user: `default` for the password of the installation, and for a server without passwords.
    public var user: String
    /// `host:port` of the connection.
    public var address: String
    /// Such as `CANCEL`.
    public var command: String
    /// The change, as a text.
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
