public import JobReactorCore
public import JobReactorWire

/// Lists and changes stored jobs, whether or not their nodes run: `jobs_for`, `load`, `destroy` and
/// `destroy_all_jobs_for` of the gem, and more.
///
/// Listing reads the storage itself. A running owner makes changes itself, on request at its port; if no process has
/// the jobs open, the change is made in the storage. If nodes and distributors share a place, a job that a node owns is
/// shown for the node, not for a distributor. Every method may be called from any task.
public struct JobMonitor: Sendable {
    /// A filter for jobs; nil matches all.
    public struct Filter: Hashable, Sendable {
        /// The name of the node or the distributor.
        public var node: String?
        public var name: String?
        public var status: JobStatus?
        /// Jobs that were made, begun or failed at this time or later.
        public var since: Timestamp?
        /// A text in the last error, ignoring case.
        public var error: String?

        public init(
            node: String? = nil, name: String? = nil, status: JobStatus? = nil, since: Timestamp? = nil,
            error: String? = nil
        ) {
            self.node = node
            self.name = name
            self.status = status
            self.since = since
            self.error = error
        }

        /// What it says of records.
        var records: JobFilter { JobFilter(name: name, status: status, since: since, error: error) }

        func means(_ owner: StoredOwner) -> Bool { node == nil || node == owner.name }
    }

    /// A job and the node or distributor that has it.
    public struct Found: Hashable, Sendable {
        public var job: Job
        public var owner: StoredOwner
        /// The node to which a distributor has given the job, if the distributor reports one.
        public var node: String?
        /// The reason why the job waits, apart from its due time, if its owner reports one.
        public var waitsFor: String?

        public init(job: Job, owner: StoredOwner, node: String? = nil, waitsFor: String? = nil) {
            self.job = job
            self.owner = owner
            self.node = node
            self.waitsFor = waitsFor
        }
    }

    let place: any StoragePlace
    let security: WireSecurity

    /// `security` contains the password and the TLS settings for the ports of nodes.
    public init(_ place: any StoragePlace, security: WireSecurity = WireSecurity()) {
        self.place = place
        self.security = security
    }

    /// Asks a running node at its port, with any storage, also for jobs in memory. A distributor lists jobs that wait
    /// or are parked there, jobs of nodes with memory storage or of nodes that are away, and failed jobs that ended
    /// their nodes. `security` contains the password and the TLS settings.
    public init(node address: Address, security: WireSecurity = WireSecurity()) {
        self.init(NodePlace(address, security: security), security: security)
    }

    // MARK: Looking

    /// The nodes that have or had jobs here, and distributors with a storage.
    public func owners() async throws(StorageError) -> [StoredOwner] { try await place.owners() }

    /// The jobs that match the filter, ordered by node and age, at most `limit`.
    public func jobs(_ filter: Filter = Filter(), limit: Int = .max) async throws(StorageError) -> [Found] {
        var found: [Found] = []
        let owners = try await ownersInOrder()
        for owner in owners where filter.means(owner) {
            found += try await jobs(of: owner, filter, .oldestFirst, limit: limit - found.count, among: owners)
        }
        return found
    }

    /// The last `limit` jobs that match the filter, in falling order of ids, which is the newest first.
    public func newestJobs(_ filter: Filter = Filter(), limit: Int = 100) async throws(StorageError) -> [Found] {
        var found: [Found] = []
        let owners = try await ownersInOrder()
        for owner in owners where filter.means(owner) {
            found += try await jobs(of: owner, filter, .newestFirst, limit: limit, among: owners)
        }
        return Array(found.sorted { $0.job.id > $1.job.id }.prefix(max(0, limit)))
    }

    /// The jobs whose ids have this prefix, at most `limit`.
    public func find(idPrefix prefix: String, limit: Int = 10) async throws(StorageError) -> [Found] {
        guard let range = JobID.range(ofPrefix: prefix) else { return [] }
        var found: [Found] = []
        var ids: Set<JobID> = []
        let owners = try await ownersInOrder()
        for owner in owners where found.count < limit {
            let page = try await page(
                of: owner, RecordQuery(.oldestFirst, from: range.lowerBound.predecessor, count: min(limit, 500)))
            for next in page.found
            where range.contains(next.job.id) && !isNoted(next.job, by: owner, []) && ids.insert(next.job.id).inserted {
                found.append(next)
            }
        }
        return Array(found.prefix(max(0, limit)))
    }

    /// Those of one owner that the filter means, without those that a node of the same place has.
    private func jobs(
        of owner: StoredOwner, _ filter: Filter, _ order: RecordQuery.Order, limit: Int, among owners: [StoredOwner]
    ) async throws(StorageError) -> [Found] {
        let nodes = Set(owners.lazy.filter { $0.role == .node }.map(\.name))
        var found: [Found] = []
        var last: JobID?
        while found.count < limit {
            // Where the owner itself looks for them each is one that is meant.
            let count = filter.records.isEmpty || place is NodePlace ? min(500, limit - found.count) : 500
            let query = RecordQuery(order, from: last, count: count, filter: filter.records)
            let page = try await page(of: owner, query)
            for next in page.found where found.count < limit {
                if !isNoted(next.job, by: owner, nodes) { found.append(next) }
            }
            guard let next = page.last else { break }
            last = next
        }
        return found
    }

    /// Whether a distributor that shares its place with nodes only notes the job there, which a node owns, or only its key.
    func isNoted(_ job: Job, by owner: StoredOwner, _ nodes: Set<String>) -> Bool {
        guard owner.role == .distributor else { return false }
        let kept = KeptFor(job)
        return kept.isHolding || kept.owner.map(nodes.contains) == true
    }

    /// The next jobs that are meant, and the last that was looked at; nil at the end.
    private func page(
        of owner: StoredOwner, _ query: RecordQuery
    ) async throws(StorageError) -> (found: [Found], last: JobID?) {
        if let place = place as? NodePlace { return try await place.page(of: owner, query) }
        let jobs =
            switch query.order {
            case .oldestFirst: try await place.jobs(of: owner, after: query.start, limit: query.count)
            case .newestFirst: try await place.jobs(of: owner, before: query.start, limit: query.count)
            }
        return (jobs.filter(query.filter.matches).map { Found(job: $0, owner: owner) }, jobs.last?.id)
    }

    /// The jobs of a node.
    public func jobs(for node: String) async throws(StorageError) -> [Job] {
        try await jobs(Filter(node: node)).map(\.job)
    }

    /// The record of a job of any owner; nil if there is none.
    public func load(_ id: JobID) async throws(StorageError) -> Found? {
        for owner in try await ownersInOrder() {
            if let place = place as? NodePlace {
                if let found = try await place.find(id, of: owner) { return found }
            } else if let job = try await place.load(id, of: owner), !isNoted(job, by: owner, []) {
                return Found(job: job, owner: owner)
            }
        }
        return nil
    }

    /// Nodes before distributors.
    func ownersInOrder() async throws(StorageError) -> [StoredOwner] {
        let owners = try await place.owners()
        return owners.filter { $0.role == .node } + owners.filter { $0.role == .distributor }
    }
}
