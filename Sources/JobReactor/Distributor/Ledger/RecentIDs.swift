internal import DequeModule
internal import JobReactorCore

/// The last ids put in, up to a limit.
struct RecentIDs {
    private var ids: Set<JobID> = []
    private var order: Deque<JobID> = []
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    mutating func insert(_ id: JobID) {
        guard ids.insert(id).inserted else { return }
        order.append(id)
        if order.count > limit, let oldest = order.popFirst() { ids.remove(oldest) }
    }

    func contains(_ id: JobID) -> Bool { ids.contains(id) }
}
