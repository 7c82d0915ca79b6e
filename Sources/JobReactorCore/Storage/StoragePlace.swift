/// Where the jobs of several owners are kept, seen from outside: for tools that look at them while their nodes run.
public protocol StoragePlace: Sendable {
    /// All who have, or had, jobs here.
    func owners() async throws(StorageError) -> [StoredOwner]

    /// A page of the records of one owner as they are now, whoever has them open: in order of their ids, those after `id`
    /// when one is given; as long as one of ``JobStorage/jobs(after:limit:done:)``.
    func jobs(of owner: StoredOwner, after id: JobID?, limit: Int) async throws(StorageError) -> [Job]

    /// As ``jobs(of:after:limit:)`` from the other end: the greatest id first, those before `id` when one is given. Without one
    /// of its own a place looks through all jobs of the owner for it.
    func jobs(of owner: StoredOwner, before id: JobID?, limit: Int) async throws(StorageError) -> [Job]

    /// One record of an owner; nil when it has none.
    func load(_ id: JobID, of owner: StoredOwner) async throws(StorageError) -> Job?

    /// A storage of this place, not yet open: to change the jobs of an owner that does not run. Nil where only running
    /// owners are to be seen.
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
    /// A process has the jobs open.
    public var isOpen: Bool
    /// Where that process can be reached, `host:port`.
    public var address: String?

    public init(role: StorageOwner.Role, name: String, isOpen: Bool, address: String? = nil) {
        self.role = role
        self.name = name
        self.isOpen = isOpen
        self.address = address
    }
}
