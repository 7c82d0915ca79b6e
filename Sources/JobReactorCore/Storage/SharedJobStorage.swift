/// A storage whose place several nodes share, so that one of them can take over the jobs of another that does not come
/// back.
public protocol SharedJobStorage: JobStorage {
    /// Tells one place from others: the same for all storages that share their jobs' place. Nil until it is open.
    var place: String? { get }

    /// The names of the nodes that have jobs or reports here and that nobody has open.
    func abandoned(done: @escaping @Sendable (Result<[String], StorageError>) -> Void)

    /// Moves unfinished jobs of another node to this one: those with these names, that this node may run, of the next
    /// `limit` after `id`, fewer where they are large, as in a page of ``JobStorage/jobs(after:limit:done:)``; and as many of
    /// its reports. Fails with ``StorageError/Code/held`` while that node lives. From
    /// its success on nothing that the other may still send has any effect.
    func adopt(
        _ node: String, defining names: Set<String>, after id: JobID?, limit: Int,
        done: @escaping @Sendable (Result<AdoptedJobs, StorageError>) -> Void)
}

/// What was moved from another node.
public struct AdoptedJobs: Hashable, Sendable {
    public var jobs: [Job]
    public var reports: [StoredReport]
    /// Where to go on; nil when all of it was looked at.
    public var next: JobID?

    public init(jobs: [Job], reports: [StoredReport], next: JobID?) {
        self.jobs = jobs
        self.reports = reports
        self.next = next
    }
}
