public import JobReactorCore
public import JobReactorWire

/// Looks at stored jobs and changes them, whether or not their nodes run: `jobs_for`, `load`, `destroy` and
/// `destroy_all_jobs_for` of the gem, and more.
///
/// Looking reads the storage itself. A change is the owner's to make while it runs, and is asked of it at its port; when no
/// process has the jobs open it is made in the storage. Where nodes and distributors share a place, a job that a node owns is
/// that node's, whatever a distributor still notes of it. Every method may be called from any task.
public struct JobMonitor: Sendable {
    /// Which jobs are meant; nil is any.
    public struct Filter: Hashable, Sendable {
        public var node: String?
        public var name: String?
        public var status: JobStatus?

        public init(node: String? = nil, name: String? = nil, status: JobStatus? = nil) {
            self.node = node
            self.name = name
            self.status = status
        }

        func matches(_ job: Job) -> Bool {
            (name == nil || name == job.name) && (status == nil || status == job.status)
        }
    }

    /// A job and the node that has it.
    public struct Found: Hashable, Sendable {
        public var job: Job
        public var owner: StoredOwner
    }

    private let place: any StoragePlace
    private let security: WireSecurity

    /// `security` is that of the installation, for the ports of nodes.
    public init(_ place: any StoragePlace, security: WireSecurity = WireSecurity()) {
        self.place = place
        self.security = security
    }

    /// Asks a node that runs, at the port where it listens, whatever its storage: also for jobs in memory. A distributor, asked
    /// so, has the jobs that have failed there, because nodes ended with them. The password and the TLS of the installation
    /// are in `security`.
    public init(node address: Address, security: WireSecurity = WireSecurity()) {
        self.init(NodePlace(address, security: security), security: security)
    }

    // MARK: Looking

    /// The nodes that have, or had, jobs here; distributors with a storage are among them.
    public func owners() async throws(StorageError) -> [StoredOwner] { try await place.owners() }

    /// The jobs of a node, or of all: those that the filter means, in the order of node and age, at most `limit`.
    public func jobs(_ filter: Filter = Filter(), limit: Int = .max) async throws(StorageError) -> [Found] {
        var found: [Found] = []
        let owners = try await ownersInOrder()
        let nodes = Set(owners.lazy.filter { $0.role == .node }.map(\.name))
        for owner in owners where filter.node == nil || filter.node == owner.name {
            var last: JobID?
            while found.count < limit {
                let page = try await place.jobs(of: owner, after: last, limit: 500)
                for job in page where filter.matches(job) && found.count < limit {
                    let node = owner.role == .distributor ? KeptFor(job).owner : nil
                    if node.map(nodes.contains) != true { found.append(Found(job: job, owner: owner)) }
                }
                guard let next = page.last?.id else { break }
                last = next
            }
        }
        return found
    }

    /// The jobs of a node.
    public func jobs(for node: String) async throws(StorageError) -> [Job] {
        try await jobs(Filter(node: node)).map(\.job)
    }

    /// The record of a job, whoever has it; nil when nobody has.
    public func load(_ id: JobID) async throws(StorageError) -> Found? {
        for owner in try await ownersInOrder() {
            if let job = try await place.load(id, of: owner) { return Found(job: job, owner: owner) }
        }
        return nil
    }

    /// Nodes before distributors.
    private func ownersInOrder() async throws(StorageError) -> [StoredOwner] {
        let owners = try await place.owners()
        return owners.filter { $0.role == .node } + owners.filter { $0.role == .distributor }
    }

    // MARK: Changing

    /// Cancels a job that is not finished. Its outcome goes to its distributor, as when it cancels itself. Returns whether
    /// there was one.
    @discardableResult
    public func cancel(_ id: JobID) async throws -> Bool { try await change(id, .cancel) }

    /// Runs a job now: one that has failed or was cancelled from its first attempt, one that waits before its time. Returns
    /// false for one that runs, or that is not there.
    @discardableResult
    public func retry(_ id: JobID) async throws -> Bool { try await change(id, .retry) }

    /// Removes a job and its record; one that is not finished is cancelled. Returns whether there was one.
    @discardableResult
    public func destroy(_ id: JobID) async throws -> Bool { try await change(id, .destroy) }

    /// Destroys all jobs of a node. Returns how many there were.
    @discardableResult
    public func destroyAllJobs(for node: String) async throws -> Int {
        // A distributor of that name has jobs of its own.
        let found = try await jobs(Filter(node: node)).filter { $0.owner.role == .node }
        guard let owner = found.first?.owner else { return 0 }
        return try await change(found.map(\.job.id), of: owner, .destroy)
    }

    private func change(_ id: JobID, _ change: StoredJobChange) async throws -> Bool {
        guard let found = try await load(id) else { return false }
        let isFinished = found.job.status.isFinished
        return try await self.change([id], of: found.owner, change, areFinished: isFinished) == 1
    }

    private func change(
        _ ids: [JobID], of owner: StoredOwner, _ change: StoredJobChange, areFinished: Bool = false
    ) async throws -> Int {
        guard owner.isOpen else { return try await changeInStorage(ids, of: owner, change) }
        guard let command = change.command(for: owner.role, isFinished: areFinished) else {
            throw StorageError(
                "the job waits at the distributor \(owner.name), and runs as soon as a node takes it", code: .held)
        }
        guard let text = owner.address, let address = Address(text) else {
            throw StorageError(
                "\(owner.name) runs and does not listen, so that it cannot be told: stop it first, or start it with"
                    + " --server", code: .held)
        }
        let client = try await RESPClient.connect(to: address, security: security)
        var count = 0
        for id in ids {
            let reply = try await client.send([command, id.description])
            if case .error(let text) = reply {
                await client.close()
                throw StorageError("\(owner.name) says \(text)")
            }
            count += reply.integer ?? 0
        }
        await client.close()
        return count
    }

    private func changeInStorage(
        _ ids: [JobID], of owner: StoredOwner, _ change: StoredJobChange
    ) async throws(StorageError) -> Int {
        guard let storage = place.makeStorage() else { throw StorageError("\(owner.name) does not run") }
        try await storage.open(StorageOwner(role: owner.role, name: owner.name))
        do throws(StorageError) {
            var count = 0
            for start in stride(from: 0, to: ids.count, by: 1000) {
                var changes: [JobChange] = []
                for id in ids[start..<min(start + 1000, ids.count)] {
                    if let job = try await storage.load(id), let step = change.step(for: job, now: .now) {
                        changes.append(step)
                    }
                }
                try await storage.apply(changes)
                count += changes.count
            }
            await storage.close()
            return count
        } catch {
            await storage.close()
            throw error
        }
    }
}

/// What a monitor does to a job that no process has open.
enum StoredJobChange {
    case cancel, retry, destroy

    /// What the owner's port calls it; nil for what it cannot do. What is cancelled at a distributor leaves no record; what is
    /// finished there has failed there.
    func command(for role: StorageOwner.Role, isFinished: Bool) -> String? {
        switch (self, role, isFinished) {
        case (.cancel, _, _), (.destroy, .distributor, false): "CANCEL"
        case (.retry, .node, _), (.retry, .distributor, true): "RETRY"
        case (.destroy, .node, _), (.destroy, .distributor, true): "DESTROY"
        case (.retry, .distributor, false): nil
        }
    }

    func step(for job: Job, now: Timestamp) -> JobChange? {
        switch self {
        case .retry: return JobLifecycle.retry(job, now: now).map { .update($0) }
        case .cancel where job.status.isFinished: return nil
        case .destroy where job.status.isFinished: return .remove(job.id)
        case .cancel, .destroy:
            let ended = JobLifecycle.cancel(job, policy: JobPolicy())
            let report = ended.feedback.map { feedback in
                StoredReport(
                    JobReport(
                        id: job.id, name: job.name, feedback: feedback, status: ended.job.status, run: ended.job.runs),
                    distributor: job.distributor, madeAt: now)
            }
            return .remove(job.id, report)
        }
    }
}
