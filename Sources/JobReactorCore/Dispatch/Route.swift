extension Dispatcher {
    /// Which nodes may have a job, and how urgent it is: jobs of which both are alike wait together.
    struct RouteKey: Hashable {
        let name: String
        let node: String?
        let notNode: String?
        /// Nil for what scripts say of the job.
        let priority: Int?

        init(_ job: Job) { (name, node, notNode, priority) = (job.name, job.node, job.notNode, job.priority) }
    }

    struct Route {
        let key: RouteKey
        /// Connected nodes that define the job and are allowed.
        var eligible: [Int] = []
        var cursor = 0
        /// Jobs that a node had and gave back; they go before the others.
        var returned = FIFO<JobID>()
        var waiting = FIFO<JobID>()
        /// Jobs that runs wait for; they go before all.
        var awaited = FIFO<JobID>()
        /// Those of all three that are withdrawn, and skipped when their turn comes.
        var withdrawn: Set<JobID> = []
        var isEmpty: Bool { returned.isEmpty && waiting.isEmpty && awaited.isEmpty }
        var count: Int { returned.count + waiting.count + awaited.count }

        /// The next that is not withdrawn.
        mutating func popFirst() -> JobID? {
            while let id = awaited.popFirst() ?? returned.popFirst() ?? waiting.popFirst() {
                if !isWithdrawn(id) { return id }
            }
            return nil
        }

        mutating func popAwaited() -> JobID? {
            while let id = awaited.popFirst() {
                if !isWithdrawn(id) { return id }
            }
            return nil
        }

        private mutating func isWithdrawn(_ id: JobID) -> Bool { !withdrawn.isEmpty && withdrawn.remove(id) != nil }

        /// An id that was withdrawn comes again: its old place goes, lest it be taken for the new one.
        mutating func makeWay(for id: JobID) {
            if !withdrawn.isEmpty, withdrawn.contains(id) { dropWithdrawn() }
        }

        mutating func dropWithdrawn() {
            returned.removeAll(where: withdrawn.contains)
            waiting.removeAll(where: withdrawn.contains)
            awaited.removeAll(where: withdrawn.contains)
            withdrawn = []
        }
    }
}
