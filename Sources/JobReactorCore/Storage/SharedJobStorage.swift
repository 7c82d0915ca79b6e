/// A storage at a place that several nodes share, so that a node can take over the jobs of another that does not come
/// back.
public protocol SharedJobStorage: JobStorage {
    /// The identity of the place, equal for all storages that share it. Nil until the storage is open.
    var place: String? { get }

    /// The names of nodes with jobs or reports at this place that no process has open.
    func abandoned(done: @escaping @Sendable (Result<[String], StorageError>) -> Void)

    /// Moves unfinished jobs of another node to this one. It looks at the next `limit` jobs after `id`, fewer if they
    /// are large, as in a page of ``JobStorage/jobs(after:limit:done:)``, and moves those with these names that this
    /// node may run; and as many reports. Fails with ``StorageError/Code/held`` while that node lives. After success,
    /// calls of the other node have no effect.
    func adopt(
        _ node: String, defining names: Set<String>, after id: JobID?, limit: Int,
        done: @escaping @Sendable (Result<AdoptedJobs, StorageError>) -> Void)
}

/// The result of moving jobs from another node.
public struct AdoptedJobs: Hashable, Sendable {
    public var jobs: [Job]
    public var reports: [StoredReport]
    /// The id after which to continue; nil at the end.
    public var next: JobID?

    public init(jobs: [Job], reports: [StoredReport], next: JobID?) {
        self.jobs = jobs
        self.reports = reports
        self.next = next
    }
}
