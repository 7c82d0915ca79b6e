internal import DequeModule
internal import JobReactorCore

/// The nodes that had the jobs of the last ids put in, up to a limit of ids.
struct RecentHolders {
    private var nodes: [JobID: [String]] = [:]
    private var order: Deque<JobID> = []
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// The node had the job.
    mutating func insert(_ id: JobID, _ node: String) {
        if nodes[id] == nil {
            order.append(id)
            if order.count > limit, let oldest = order.popFirst() { nodes[oldest] = nil }
        }
        if nodes[id]?.contains(node) != true { nodes[id, default: []].append(node) }
    }

    /// The id is that of a new job. It keeps its place in the order, and may go a little early the next time.
    mutating func forget(_ id: JobID) {
        if !nodes.isEmpty { nodes[id] = nil }
    }

    /// What that node says of the job does not count any more.
    mutating func remove(_ id: JobID, _ node: String) { nodes[id]?.removeAll { $0 == node } }

    func contains(_ id: JobID) -> Bool { nodes[id] != nil }

    func contains(_ id: JobID, _ node: String) -> Bool { nodes[id]?.contains(node) == true }
}
