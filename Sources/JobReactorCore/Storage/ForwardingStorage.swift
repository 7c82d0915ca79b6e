/// A storage that forwards to another all calls that it does not implement itself: for storages that count, encrypt,
/// delay or refuse.
///
/// ```swift
/// struct CountingStorage: ForwardingStorage {
///     let storage: any JobStorage
///     let saved: Counter
///
///     func save(_ jobs: [Job], done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void) {
///         storage.save(jobs) { result in
///             if case .success(let new) = result { saved.increment(by: new.count) }
///             done(result)
///         }
///     }
/// }
/// ```
///
/// If the wrapper of a ``SharedJobStorage`` does not conform to that protocol, no other node adopts its jobs.
public protocol ForwardingStorage: JobStorage {
    /// The wrapped storage. Any thread may read it.
    var storage: any JobStorage { get }
}

extension ForwardingStorage {
    public var isDurable: Bool { storage.isDurable }

    public func open(_ owner: StorageOwner, done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        storage.open(owner, done: done)
    }

    public func save(_ jobs: [Job], done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void) {
        storage.save(jobs, done: done)
    }

    public func apply(_ changes: [JobChange], done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        storage.apply(changes, done: done)
    }

    public func load(_ id: JobID, done: @escaping @Sendable (Result<Job?, StorageError>) -> Void) {
        storage.load(id, done: done)
    }

    public func jobs(after id: JobID?, limit: Int, done: @escaping @Sendable (Result<[Job], StorageError>) -> Void) {
        storage.jobs(after: id, limit: limit, done: done)
    }

    public func jobs(before id: JobID?, limit: Int, done: @escaping @Sendable (Result<[Job], StorageError>) -> Void) {
        storage.jobs(before: id, limit: limit, done: done)
    }

    public func reports(
        after key: JobReport.Key?, limit: Int, done: @escaping @Sendable (Result<[StoredReport], StorageError>) -> Void
    ) {
        storage.reports(after: key, limit: limit, done: done)
    }

    public func close(done: @escaping @Sendable () -> Void) { storage.close(done: done) }
}
