/// Where a node keeps its jobs, and the outcomes that their distributor does not have yet.
///
/// A storage belongs to one owner at a time: a node (or a distributor that stores what waits in it) opens it before all
/// else and closes it at its end. Every call carries a batch and ends by calling `done` once, on any thread, perhaps
/// before it returns. Calls of one storage take effect in the order they are made, whether or not the calls before were
/// answered. A batch whose `done` reports success is stored as far as ``isDurable`` promises; one that reports an error
/// changed nothing, and may be given again.
///
/// `StorageConformance` in JobReactorTesting checks all that this page says.
public protocol JobStorage: Sendable {
    /// Whether what was stored survives the end of the process. The jobs of a node whose storage is not durable are kept
    /// by their distributor as well, until their outcome arrives.
    var isDurable: Bool { get }

    /// Makes `owner` the owner of the jobs that are kept under its name. Fails with ``StorageError/Code/held`` while
    /// another owner has it open, and names that one. From the moment it succeeds nothing that an earlier owner still
    /// sends has any effect: its calls fail with ``StorageError/Code/lost``.
    func open(_ owner: StorageOwner, done: @escaping @Sendable (Result<Void, StorageError>) -> Void)

    /// Stores new jobs, in their order: each whose id is not there, or is that of a finished job, whose record it replaces. A job
    /// whose id is that of an unfinished one changes nothing. `done` gets the ids that were new.
    func save(_ jobs: [Job], done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void)

    /// Applies changes in their order, each completely or not at all: a report is there when its record has changed.
    func apply(_ changes: [JobChange], done: @escaping @Sendable (Result<Void, StorageError>) -> Void)

    /// The record of a job; nil when there is none.
    func load(_ id: JobID, done: @escaping @Sendable (Result<Job?, StorageError>) -> Void)

    /// A page of jobs in order of their ids, those after `id` when one is given: at most `limit`, and fewer where their args
    /// together would have more than ``JobLimits/pageBytes``, but then one at least. So a page that is empty is the end, and
    /// one that is short need not be the last.
    func jobs(after id: JobID?, limit: Int, done: @escaping @Sendable (Result<[Job], StorageError>) -> Void)

    /// As ``jobs(after:limit:done:)`` from the other end: a page of jobs with the greatest id first, those before `id` when one
    /// is given. Without one of its own a storage looks through all of its jobs for it.
    func jobs(before id: JobID?, limit: Int, done: @escaping @Sendable (Result<[Job], StorageError>) -> Void)

    /// A page of the reports not yet taken, in order of their keys, those after `key` when one is given; as long as one of
    /// ``jobs(after:limit:done:)``.
    func reports(
        after key: JobReport.Key?, limit: Int, done: @escaping @Sendable (Result<[StoredReport], StorageError>) -> Void)

    /// Ends the ownership, once all calls before have taken effect; there is no call after it. Another may open the same
    /// place from then on. Closing one that is not open is fine.
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

/// Who opens a storage.
public struct StorageOwner: Sendable {
    /// What it is; a node and a distributor of one name have jobs of their own.
    public enum Role: String, Hashable, Sendable {
        case node, distributor
    }

    public var role: Role
    /// The node's name: jobs are kept under it, and found under it again.
    public var name: String
    /// Where the owner can be reached, `host:port`; shown to those who find the storage held.
    public var address: String?
    /// Called, on any thread, when the storage finds out by itself that another has taken it over (``StorageError/Code/lost``:
    /// what the owner still runs is no longer its own), or that what it kept is gone (``StorageError/Code/emptied``).
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

/// One step in the life of a stored job, or of its report. A step of a record that is not there changes nothing, nor does
/// it keep the report.
public enum JobChange: Hashable, Sendable {
    /// The record now reads so; the report is kept until it is taken.
    case update(Job, StoredReport? = nil)
    /// The record is no longer needed; the report is kept until it is taken.
    case remove(JobID, StoredReport? = nil)
    /// The report has arrived, or is too old, and is no longer needed.
    case taken(JobReport.Key)
}

/// A report that is kept for its distributor.
public struct StoredReport: Hashable, Sendable, Codable {
    public var report: JobReport
    /// The name of the distributor that is to have it.
    public var distributor: String
    /// When the run ended.
    public var madeAt: Timestamp

    public init(_ report: JobReport, distributor: String, madeAt: Timestamp) {
        self.report = report
        self.distributor = distributor
        self.madeAt = madeAt
    }
}

/// Why a storage could not do what it was asked. Whatever the code, nothing of the batch was stored.
public struct StorageError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Hashable, Sendable {
        /// It did not work, and may work another time.
        case failed
        /// There is no room: a full disk, or a server at its memory limit.
        case full
        /// The storage cannot be used as it is: a damaged file, one of a newer release, one that may not be written, a
        /// wrong password.
        case unusable
        /// Another owner has it open.
        case held
        /// Another owner has taken it over; no call of this one has an effect any more.
        case lost
        /// What it kept is gone, as when its database was emptied, and nobody else has it. No call has an effect until it is
        /// closed and opened again, empty.
        case emptied
        /// It was closed, or is not open yet.
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
    /// Whether the ownership has ended with it: every later call fails in the same way.
    public var endsOwnership: Bool { code == .lost || code == .emptied }

    /// For the second who opens a storage: names the first. `remedy` is what the second can do beside stopping the first.
    public static func held(
        by name: String, address: String?, detail: String? = nil, remedy: String = "give this process another name"
    ) -> StorageError {
        let more = [address.map { "at \($0)" }, detail].compactMap { $0 }.joined(separator: ", ")
        return StorageError(
            "the storage of \(name) is already open\(more.isEmpty ? "" : " (\(more))"):"
                + " stop that process, or \(remedy)",
            code: .held)
    }

    /// For calls before the opening and after the end.
    public static let notOpen = StorageError("the storage is not open: open it first", code: .closed)
}
