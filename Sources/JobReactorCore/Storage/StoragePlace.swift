/// An outside view of the stored jobs of several owners, for tools that inspect them while their nodes run.
public protocol StoragePlace: Sendable {
    /// All owners that have or had jobs here.
    func owners() async throws(StorageError) -> [StoredOwner]

    /// A page of the current records of one owner, also while a process has them open: in order of their ids, after
    /// `id` if it is given, with the limits of ``JobStorage/jobs(after:limit:done:)``.
    func jobs(of owner: StoredOwner, after id: JobID?, limit: Int) async throws(StorageError) -> [Job]

    /// As ``jobs(of:after:limit:)`` in falling order of ids, before `id` if it is given. The default implementation
    /// reads all jobs of the owner.
    func jobs(of owner: StoredOwner, before id: JobID?, limit: Int) async throws(StorageError) -> [Job]

    /// One record of an owner; nil if there is none.
    func load(_ id: JobID, of owner: StoredOwner) async throws(StorageError) -> Job?

    /// A new, closed storage at this place, to change the jobs of an owner that does not run. Nil if the place shows
    /// only running owners.
    func makeStorage() -> (any JobStorage)?
}

extension StoragePlace {
    public func jobs(of owner: StoredOwner, before id: JobID?, limit: Int) async throws(StorageError) -> [Job] {
        var found: [Job] = []
        var last: JobID?
        while true {
            let page = try await jobs(of: owner, after: last, limit: 1000)
            let fitting = page.prefix { job in id.map { job.id < $0 } ?? true }
            found = (fitting.reversed() + found).page(limit: limit)
            guard let next = page.last?.id, fitting.count == page.count else { return found }
            last = next
        }
    }
}

/// An owner of stored jobs, as others see it.
public struct StoredOwner: Hashable, Sendable {
    public var role: StorageOwner.Role
    public var name: String
    /// Whether a process has the jobs open.
    public var isOpen: Bool
    /// The address of that process, `host:port`.
    public var address: String?

    public init(role: StorageOwner.Role, name: String, isOpen: Bool, address: String? = nil) {
        self.role = role
        self.name = name
        self.isOpen = isOpen
        self.address = address
    }
}
