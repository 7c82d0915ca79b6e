extension Dispatcher {
    /// A connected node as operators see it.
    public struct NodeState: Sendable {
        public let name: String
        public internal(set) var jobs: Set<String> = []
        /// The number of further jobs that the node can take now.
        public internal(set) var credit = 0
        /// The highest credit so far: the number of jobs that the node takes at once.
        public internal(set) var window = 0
        /// Whether the node is stopping and takes no new jobs.
        public internal(set) var isDraining = false
        /// Whether the node is paused and takes no new jobs.
        public internal(set) var isPaused = false
        /// How urgent its scripts say that jobs are, by their names; of others they say nothing.
        var priorities: [String: Int] = [:]
        /// The number of jobs that were sent and have not ended.
        public var load: Int { window - credit }
        /// Routes that may have a job waiting for this node.
        var ready = ReadyRoutes()
        /// Those that may have one that a run waits for.
        var awaited = Hints()
        /// The handle's place may be used again once this is false.
        var isConnected = true

        init(name: String) { self.name = name }

        /// A job that a run waits for needs no credit: what has used that up may be the runs that wait. Nor may there be more
        /// of those beyond it than the node has asked for at most.
        func isFree(forAwaited isAwaited: Bool) -> Bool {
            !isDraining && !isPaused && credit > (isAwaited ? -window : 0)
        }

        /// The priority of a job on the node: that of its producer, otherwise that of the node's scripts.
        package func priority(of job: Job) -> Int { priority(of: RouteKey(job)) }

        func priority(of key: RouteKey) -> Int {
            if let priority = key.priority { return min(max(priority, 0), JobPriority.range.upperBound) }
            return priorities.isEmpty ? JobPriority.usual : priorities[key.name] ?? JobPriority.usual
        }
    }

    /// Routes to look at, by the priority of their jobs. Where none has another than the usual there is one list.
    struct ReadyRoutes: Sendable {
        private var usual = Hints()
        private var others: [Int: Hints] = [:]
        /// The priorities that have any, as bits.
        private var waiting: UInt16 = 0
        private var turns = PriorityTurns()

        mutating func note(_ route: Int, at priority: Int) {
            waiting |= 1 << UInt16(priority)
            if priority == JobPriority.usual {
                usual.note(route)
            } else {
                others[priority, default: Hints()].note(route)
            }
        }

        /// The route whose turn it is, of which nothing is known here any more, and its priority; nil for none.
        mutating func pop() -> (route: Int, priority: Int)? {
            while let priority = turns.next(among: waiting) {
                let route = priority == JobPriority.usual ? usual.pop() : others[priority]?.pop()
                if let route { return (route, priority) }
                waiting &= ~(1 << UInt16(priority))
            }
            return nil
        }

        /// A job of that priority goes to the node.
        mutating func started(_ priority: Int) { turns.started(priority, among: waiting | 1 << UInt16(priority)) }
    }

    /// Routes to look at; checked when they are taken.
    struct Hints: Sendable {
        private var routes = FIFO<Int>()
        private var known: Set<Int> = []

        mutating func note(_ route: Int) {
            if known.insert(route).inserted { routes.append(route) }
        }

        mutating func pop() -> Int? {
            guard let route = routes.popFirst() else { return nil }
            known.remove(route)
            return route
        }
    }
}
