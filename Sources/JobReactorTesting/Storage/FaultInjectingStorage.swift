public import JobReactorCore

/// A storage that makes some calls fail before they reach the wrapped storage, for tests of full disks and absent
/// servers.
public final class FaultInjectingStorage: ForwardingStorage {
    /// One call, as it is made.
    public struct Call: Hashable, Sendable {
        public enum Kind: String, Hashable, Sendable, CaseIterable {
            case open, save, apply, load, jobs, reports
        }

        /// Counted from 1, of all kinds.
        public let number: Int
        public let kind: Kind
    }

    /// An error for injected faults, with a text that says so.
    public static let fault = StorageError("this fault was injected")

    public let storage: any JobStorage
    private let count = Locked(0)
    private let decide: @Sendable (Call) -> StorageError?

    /// `decide` is called for each call, on its thread and in order, and returns the error; nil passes the call on.
    public init(_ storage: any JobStorage, _ decide: @escaping @Sendable (Call) -> StorageError?) {
        self.storage = storage
        self.decide = decide
    }

    public func open(_ owner: StorageOwner, done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        pass(.open, done) { storage.open(owner, done: done) }
    }

    public func save(_ jobs: [Job], done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void) {
        pass(.save, done) { storage.save(jobs, done: done) }
    }

    public func apply(_ changes: [JobChange], done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        pass(.apply, done) { storage.apply(changes, done: done) }
    }

    public func load(_ id: JobID, done: @escaping @Sendable (Result<Job?, StorageError>) -> Void) {
        pass(.load, done) { storage.load(id, done: done) }
    }

    public func jobs(after id: JobID?, limit: Int, done: @escaping @Sendable (Result<[Job], StorageError>) -> Void) {
        pass(.jobs, done) { storage.jobs(after: id, limit: limit, done: done) }
    }

    public func jobs(before id: JobID?, limit: Int, done: @escaping @Sendable (Result<[Job], StorageError>) -> Void) {
        pass(.jobs, done) { storage.jobs(before: id, limit: limit, done: done) }
    }

    public func reports(
        after key: JobReport.Key?, limit: Int, done: @escaping @Sendable (Result<[StoredReport], StorageError>) -> Void
    ) {
        pass(.reports, done) { storage.reports(after: key, limit: limit, done: done) }
    }

    private func pass<Value>(
        _ kind: Call.Kind, _ done: (Result<Value, StorageError>) -> Void, _ call: () -> Void
    ) {
        let number = count.withLock { count in
            count += 1
            return count
        }
        if let error = decide(Call(number: number, kind: kind)) { done(.failure(error)) } else { call() }
    }
}
