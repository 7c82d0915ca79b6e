internal import DequeModule
internal import JobReactorCore

/// The last ids put in, up to a limit.
struct RecentIDs {
    var ids: Set<JobID> = []
    private var order: Deque<JobID> = []
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    mutating func insert(_ id: JobID) {
        guard ids.insert(id).inserted else { return }
        order.append(id)
        if order.count > limit, let oldest = order.popFirst() { ids.remove(oldest) }
    }

    /// The id is that of a new job. It keeps its place in the order, and may go a little early the next time.
    mutating func forget(_ id: JobID) {
        if !ids.isEmpty { ids.remove(id) }
    }

    func contains(_ id: JobID) -> Bool { ids.contains(id) }
}
