import JobReactorCore
import JobReactorTesting

/// A memory storage that stores entries of the audit log when a test says so, and tells when one has come.
final class HeldAudit: ForwardingStorage, AuditStorage {
    let storage: any JobStorage = MemoryStorage()
    /// The entries that have come.
    let held = Collector<AuditEntry>()
    private let waiting = Locked<[@Sendable (StorageError?) -> Void]>([])

    func note(_ entries: [AuditEntry], done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        waiting.withLock { $0.append { error in done(error.map { .failure($0) } ?? .success(())) } }
        for entry in entries { held.append(entry) }
    }

    func audit(limit: Int, done: @escaping @Sendable (Result<[AuditEntry], StorageError>) -> Void) {
        done(.success([]))
    }

    /// What has come is stored, or not for that error.
    func release(_ error: StorageError? = nil) {
        let ends = waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        for end in ends { end(error) }
    }
}
