/// The storage of a node for its jobs, and for outcomes that their distributor does not have yet.
///
/// A storage has one owner at a time: a node, or a distributor that stores its waiting jobs, opens it first and closes
/// it at its end. Every call takes a batch and calls `done` exactly once, on any thread, possibly before it returns.
/// Calls take effect in the order in which they are made, also while earlier calls are unanswered. If `done` reports
/// success, the batch is stored as ``isDurable`` promises. If it reports an error, nothing has changed, and the call
/// may be repeated.
///
/// `StorageConformance` in JobReactorTesting checks this contract.
public protocol JobStorage: Sendable {
    /// Whether stored jobs survive the end of the process. If not, distributors keep copies of the node's jobs until
    /// their outcomes arrive.
    var isDurable: Bool { get }

    /// Makes `owner` the owner of the jobs under its name. Fails with ``StorageError/Code/held``, and names the other
    /// owner, while that has the storage open. After success, calls of an earlier owner have no effect: they fail with
    /// ``StorageError/Code/lost``.
    func open(_ owner: StorageOwner, done: @escaping @Sendable (Result<Void, StorageError>) -> Void)

    /// Stores new jobs in order. A job whose id is new is stored; it replaces the record of a finished job with its id.
    /// If an unfinished job has the id, nothing changes. `done` gets the ids that were new.
    func save(_ jobs: [Job], done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void)

    /// Applies changes in order, each completely or not at all: a report exists exactly when its record has changed.
    func apply(_ changes: [JobChange], done: @escaping @Sendable (Result<Void, StorageError>) -> Void)

    /// The record of a job; nil when there is none.
    func load(_ id: JobID, done: @escaping @Sendable (Result<Job?, StorageError>) -> Void)

    /// A page of jobs in order of their ids, after `id` if it is given: at most `limit`, and fewer if their args
    /// together exceed ``JobLimits/pageBytes``, but at least one. An empty page is the end; a short page need not be
    /// the last.
    func jobs(after id: JobID?, limit: Int, done: @escaping @Sendable (Result<[Job], StorageError>) -> Void)

    /// As ``jobs(after:limit:done:)`` in falling order of ids, before `id` if it is given. The default implementation
    /// reads all jobs.
    func jobs(before id: JobID?, limit: Int, done: @escaping @Sendable (Result<[Job], StorageError>) -> Void)

    /// A page of the reports that are not yet taken, in order of their keys, after `key` if it is given; with the
    /// limits of ``jobs(after:limit:done:)``.
    func reports(
        after key: JobReport.Key?, limit: Int, done: @escaping @Sendable (Result<[StoredReport], StorageError>) -> Void)

    /// Ends the ownership after all earlier calls have taken effect; no call may follow. Then another owner may open
    /// the same place. Closing a storage that is not open has no effect.
    func close(done: @escaping @Sendable () -> Void)
}

extension JobStorage {
    public func jobs(
        before id: JobID?, limit: Int, done: @escaping @Sendable (Result<[Job], StorageError>) -> Void
    ) {
        lastPage(before: id, limit: limit, after: nil, [], done)
    }

    /// Goes on after `last`; `found` are the jobs before it that the page would have, the greatest first.
    private func lastPage(
        before id: JobID?, limit: Int, after last: JobID?, _ found: [Job],
        _ done: @escaping @Sendable (Result<[Job], StorageError>) -> Void
    ) {
        jobs(after: last, limit: 10_000) { result in
            guard case .success(let page) = result else { return done(result) }
            let fitting = page.prefix { job in id.map { job.id < $0 } ?? true }
            let found = (fitting.reversed() + found).page(limit: limit)
            guard let last = page.last, fitting.count == page.count else { return done(.success(found)) }
            self.lastPage(before: id, limit: limit, after: last.id, found, done)
        }
    }
}

/// The owner that opens a storage.
public struct StorageOwner: Sendable {
    /// The kind of owner; a node and a distributor with the same name have separate jobs.
    public enum Role: String, Hashable, Sendable {
        case node, distributor
    }

    public var role: Role
    /// The name under which jobs are stored and found again.
    public var name: String
    /// The address of the owner, `host:port`; named in the error for others while the storage is held.
    public var address: String?
    /// Called on any thread when the storage notices that another owner has taken it over (``StorageError/Code/lost``:
    /// the owner must abandon its runs), or that its content is gone (``StorageError/Code/emptied``).
    public var lost: @Sendable (StorageError) -> Void

    public init(
        role: Role = .node, name: String, address: String? = nil,
        lost: @escaping @Sendable (StorageError) -> Void = { _ in }
    ) {
        self.role = role
        self.name = name
        self.address = address
        self.lost = lost
    }
}

/// One change of a stored job or its report. A change of a missing record has no effect and does not store the report.
public enum JobChange: Hashable, Sendable {
    /// Replaces the record; the report is kept until it is taken.
    case update(Job, StoredReport? = nil)
    /// Removes the record; the report is kept until it is taken.
    case remove(JobID, StoredReport? = nil)
    /// Removes a report that has arrived or is too old.
    case taken(JobReport.Key)
}

/// A stored report for a distributor.
public struct StoredReport: Hashable, Sendable, Codable {
    public var report: JobReport
    /// The name of the distributor that gets it.
    public var distributor: String
    /// When the run ended.
    public var madeAt: Timestamp

    public init(_ report: JobReport, distributor: String, madeAt: Timestamp) {
        self.report = report
        self.distributor = distributor
        self.madeAt = madeAt
    }
}

/// The reason why a call of a storage failed. With every code, nothing of the batch was stored.
public struct StorageError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Hashable, Sendable {
        /// The call failed, and may succeed later.
        case failed
        /// No room: a full disk, or a server at its memory limit.
        case full
        /// The storage is unusable: a damaged or read-only file, a file of a newer release, a wrong password.
        case unusable
        /// Another owner has it open.
        case held
        /// Another owner has taken it over; further calls of this owner have no effect.
        case lost
        /// Its content is gone, for example because the database was emptied. Calls have no effect until it is closed
        /// and opened again, empty.
        case emptied
        /// It was closed, or has not been opened.
        case closed
    }

    public let code: Code
    /// Says what to do.
    public let message: String

    public init(_ message: String, code: Code = .failed) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}

extension StorageError {
    /// Whether the error ends the ownership: every later call fails in the same way.
    public var endsOwnership: Bool { code == .lost || code == .emptied }

    /// The error for a second owner, which names the first. `remedy` is an alternative to stopping the first.
    public static func held(
        by name: String, address: String?, detail: String? = nil, remedy: String = "give this process another name"
    ) -> StorageError {
        let more = [address.map { "at \($0)" }, detail].compactMap { $0 }.joined(separator: ", ")
        return StorageError(
            "the storage of \(name) is already open\(more.isEmpty ? "" : " (\(more))"):"
                + " stop that process, or \(remedy)",
            code: .held)
    }

    /// The error for calls before opening and after closing.
    public static let notOpen = StorageError("the storage is not open: open it first", code: .closed)
}
