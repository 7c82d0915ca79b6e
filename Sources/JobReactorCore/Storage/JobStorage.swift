/// Where a node keeps its jobs.
///
/// Every call carries a batch and ends by calling `done` once, on any thread, perhaps before it returns. Calls of one
/// storage take effect in the order they are made. A batch whose `done` reports success is stored as far as
/// ``isDurable`` promises; one that reports an error changed nothing.
public protocol JobStorage: Sendable {
    /// Whether what was stored survives the end of the process. The jobs of a node whose storage is not durable are kept
    /// by their distributor as well, until their outcome arrives.
    var isDurable: Bool { get }

    /// Stores new jobs. A job whose id is already there changes nothing; `done` gets the ids that were new.
    func save(_ jobs: [Job], done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void)

    /// Applies changes to jobs that are there, each completely or not at all.
    func apply(_ changes: [JobChange], done: @escaping @Sendable (Result<Void, StorageError>) -> Void)

    /// The record of a job; nil when there is none.
    func load(_ id: JobID, done: @escaping @Sendable (Result<Job?, StorageError>) -> Void)

    /// Jobs in order of their ids, at most `limit`, those after `id` when one is given.
    func jobs(after id: JobID?, limit: Int, done: @escaping @Sendable (Result<[Job], StorageError>) -> Void)
}

/// One step in the life of a stored job.
public enum JobChange: Hashable, Sendable {
    /// The record now reads so.
    case update(Job)
    /// The record is no longer needed.
    case remove(JobID)
}

/// Why a storage could not do what it was asked.
public struct StorageError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Says what to do.
    public let message: String

    public init(_ message: String) {
        self.message = message
    }

    public var description: String { message }
}
