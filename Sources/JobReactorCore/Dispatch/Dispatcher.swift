/// Decides which node gets which job: a node that defines it, may run it and has credit; among several, the least
/// loaded one.
///
/// A value without I/O. Its owner keeps the jobs, calls a method for each event and sends the jobs that it returns.
/// Jobs that no node can take wait, as ids, in queues by route (name, `node`, `not_node`), first come, first served. A
/// million jobs for an absent node therefore cost the others nothing.
public struct Dispatcher: Sendable {
    /// A connected node, until it is disconnected.
    public struct NodeHandle: Hashable, Sendable {
        /// Its index among the connected nodes; reused when the node is gone.
        package let index: Int
    }

    /// `always_use_specified_node`: a job with a `node` waits for that node instead of going to another.
    public let alwaysUseSpecifiedNode: Bool

    private(set) var nodes: [NodeState] = []
    /// How many connected nodes define a job, by its name.
    private var definers: [String: Int] = [:]
    private var freeNodes: [Int] = []
    private var routes: [Route] = []
    private var freeRoutes: [Int] = []
    /// How many routes there may be before the idle ones go.
    private var routeLimit = Self.idleRoutes
    private static let idleRoutes = 10_000
    private var routeByKey: [RouteKey: Int] = [:]
    private var routesByName: [String: [Int]] = [:]
    /// Names of jobs that go to no node for now.
    private var pausedNames: Set<String> = []
    private var pausedNodes: Set<String> = []
    /// The route of the last job, as jobs of one kind tend to come together.
    private var lastRoute: Int?
    /// The route of the last job that was sent at once.
    private var lastSent: Int?
    /// Which of equal nodes has its turn where jobs of several routes come by turns.
    private var dice = SplitMix64(seed: 1)

    /// The number of jobs that wait for a node.
    public private(set) var waitingCount = 0
    /// The approximate memory of the routes, in bytes, beyond those that are always kept.
    package var bytesOfRoutes: Int { max(0, routeByKey.count - Self.idleRoutes) * 600 }
    /// The number of routes in memory, including idle ones.
    package var routeCount: Int { routeByKey.count }

    public init(alwaysUseSpecifiedNode: Bool = false) {
        self.alwaysUseSpecifiedNode = alwaysUseSpecifiedNode
    }

    // MARK: Nodes

    /// A node has connected. It gets no job until it has announced its jobs and granted credit.
    public mutating func connect(name: String) -> NodeHandle {
        let index: Int
        if let free = freeNodes.popLast() {
            nodes[free] = NodeState(name: name)
            index = free
        } else {
            nodes.append(NodeState(name: name))
            index = nodes.count - 1
        }
        if !pausedNodes.isEmpty { nodes[index].isPaused = pausedNodes.contains(name) }
        return NodeHandle(index: index)
    }

    /// The node now defines exactly these jobs, some of them with priorities. Then call ``takeNext(for:)`` until it
    /// returns nil.
    public mutating func announce(_ node: NodeHandle, jobs: Set<String>, priorities: [String: Int] = [:]) {
        var changed = nodes[node.index].jobs.symmetricDifference(jobs)
        if priorities != nodes[node.index].priorities {
            let names = Set(priorities.keys).union(nodes[node.index].priorities.keys)
            changed.formUnion(names.filter { jobs.contains($0) })
            nodes[node.index].priorities = priorities
        }
        let before = nodes[node.index].jobs
        nodes[node.index].jobs = jobs
        for name in changed {
            if before.contains(name) != jobs.contains(name) {
                let count = definers[name, default: 0] + (jobs.contains(name) ? 1 : -1)
                definers[name] = count > 0 ? count : nil
            }
            refreshRoutes(of: name, for: node.index)
        }
    }

    /// Pauses or resumes jobs of a name. After resuming, call ``takeNext(for:)`` for each node.
    package mutating func pause(job name: String, _ isPaused: Bool) {
        guard pausedNames.contains(name) != isPaused else { return }
        if isPaused { pausedNames.insert(name) } else { pausedNames.remove(name) }
        for node in nodes.indices where nodes[node].isConnected && nodes[node].jobs.contains(name) {
            refreshRoutes(of: name, for: node)
        }
    }

    /// Pauses or resumes the nodes of a name. After resuming, call ``takeNext(for:)``.
    package mutating func pause(node name: String, _ isPaused: Bool) {
        if isPaused { pausedNodes.insert(name) } else { pausedNodes.remove(name) }
        for node in nodes.indices where nodes[node].isConnected && nodes[node].name == name {
            nodes[node].isPaused = isPaused
        }
    }

    package func isPaused(job name: String) -> Bool { !pausedNames.isEmpty && pausedNames.contains(name) }

    /// The node can take `credit` more jobs. Then call ``takeNext(for:)`` until it returns nil.
    public mutating func grant(_ node: NodeHandle, credit: Int) {
        // A peer says it: however much and often, the sum is a number.
        nodes[node.index].credit = min(nodes[node.index].credit + min(max(0, credit), Self.mostCredit), Self.mostCredit)
        nodes[node.index].window = max(nodes[node.index].window, nodes[node.index].credit)
    }

    private static let mostCredit = 1 << 40

    /// A job that did not come from this queue is sent to the node, which may already have it.
    public mutating func useCredit(of node: NodeHandle) {
        nodes[node.index].credit -= 1
    }

    /// The node is stopping: it gets no more jobs.
    public mutating func drain(_ node: NodeHandle) {
        nodes[node.index].isDraining = true
    }

    /// The node is gone, and its handle is invalid. The caller passes the jobs that the node did not own to
    /// ``giveBack(_:)``.
    public mutating func disconnect(_ node: NodeHandle) {
        announce(node, jobs: [])
        nodes[node.index].isConnected = false
        (nodes[node.index].ready, nodes[node.index].awaited) = (ReadyRoutes(), Hints())
        freeNodes.append(node.index)
    }

    public func state(of node: NodeHandle) -> NodeState { nodes[node.index] }

    // MARK: Jobs

    /// A job has arrived. Returns the node to which to send it, and uses one credit of that node; nil if the job waits.
    public mutating func enqueue(_ job: Job) -> NodeHandle? {
        let index = routeIndex(for: job)
        if let node = send(job, on: index) { return node }
        if job.isAwaited { routes[index].awaited.append(job.id) } else { routes[index].waiting.append(job.id) }
        noteWaiting(index)
        return nil
    }

    /// Nil when it waits: there is no place of it left by then.
    private mutating func send(_ job: Job, on index: Int) -> NodeHandle? {
        guard let node = bestNode(for: index, isAwaited: job.isAwaited) else {
            routes[index].makeWay(for: job.id)
            return nil
        }
        nodes[node].credit -= 1
        return NodeHandle(index: node)
    }

    /// A node returned a job that it did not run, or was lost. Returns another node to which to send it; nil if the job
    /// waits, before all later jobs.
    public mutating func giveBack(_ job: Job) -> NodeHandle? {
        let index = routeIndex(for: job)
        if let node = send(job, on: index) { return node }
        if job.isAwaited { routes[index].awaited.append(job.id) } else { routes[index].returned.append(job.id) }
        noteWaiting(index)
        return nil
    }

    /// Returns the credit of a job that was not sent after all. Then call ``takeNext(for:)``.
    public mutating func refund(_ node: NodeHandle) {
        nodes[node.index].credit += 1
    }

    /// Returns a waiting job for this node and uses one credit; nil if there is none. Routes take turns.
    public mutating func takeNext(for node: NodeHandle) -> JobID? {
        if let job = takeNextAwaited(for: node) { return job }
        guard isFree(node.index) else { return nil }
        while let (index, priority) = nodes[node.index].ready.pop() {
            guard !routes[index].isEmpty, isEligible(nodes[node.index], for: routes[index].key) else { continue }
            let current = nodes[node.index].priority(of: routes[index].key)
            guard current == priority else {
                // The node's scripts say otherwise by now.
                nodes[node.index].ready.note(index, at: current)
                continue
            }
            guard let job = routes[index].popFirst() else { continue }
            if !routes[index].isEmpty { nodes[node.index].ready.note(index, at: priority) }
            nodes[node.index].ready.started(priority)
            waitingCount -= 1
            nodes[node.index].credit -= 1
            return job
        }
        return nil
    }

    private mutating func takeNextAwaited(for node: NodeHandle) -> JobID? {
        guard nodes[node.index].isFree(forAwaited: true) else { return nil }
        while let index = nodes[node.index].awaited.pop() {
            guard isEligible(nodes[node.index], for: routes[index].key), let job = routes[index].popAwaited() else {
                continue
            }
            if !routes[index].awaited.isEmpty { nodes[node.index].awaited.note(index) }
            waitingCount -= 1
            nodes[node.index].credit -= 1
            return job
        }
        return nil
    }

    /// Removes a waiting job.
    public mutating func withdraw(_ job: Job) { withdraw(job.id, from: routeIndex(for: job)) }

    /// The number of the route on which the job waits, valid while it waits.
    package mutating func route(of job: Job) -> Int { routeIndex(for: job) }

    /// As ``withdraw(_:)``, for a job whose ``route(of:)`` is known.
    package mutating func withdraw(_ id: JobID, from index: Int) {
        waitingCount -= 1
        routes[index].withdrawn.insert(id)
        // They go when they are half of all, so that each costs constant time.
        if routes[index].withdrawn.count > max(1024, routes[index].count / 2) { routes[index].dropWithdrawn() }
    }

    /// Whether a connected node defines the job and is allowed to run it, now or when it has credit.
    public func canBeServed(_ job: Job) -> Bool {
        routeByKey[RouteKey(job)].map { !routes[$0].eligible.isEmpty } ?? false
    }

    /// Whether a connected node defines a job of that name; otherwise its jobs are parked.
    package func isDefined(_ name: String) -> Bool { definers[name] != nil }

    /// The jobs that connected nodes define.
    package var definedNames: [String] { definers.keys.sorted() }

    /// Whether a job of that name waits.
    package func isWaiting(_ name: String) -> Bool {
        routesByName[name]?.contains { routes[$0].count > routes[$0].withdrawn.count } == true
    }

    /// The number of waiting jobs that no connected node defines. Takes time proportional to the number of routes.
    package var parkedCount: Int {
        guard waitingCount > 0 else { return 0 }
        return routeByKey.values.reduce(0) { sum, index in
            let count = routes[index].count - routes[index].withdrawn.count
            return count > 0 && !isDefined(routes[index].key.name) ? sum + count : sum
        }
    }

    /// The numbers of waiting jobs by name; names without a definition are those of parked jobs.
    public func waitingByName() -> [(name: String, count: Int, isDefined: Bool)] {
        var result: [String: Int] = [:]
        for index in routeByKey.values where !routes[index].isEmpty {
            let count = routes[index].count - routes[index].withdrawn.count
            if count > 0 { result[routes[index].key.name, default: 0] += count }
        }
        let defined = nodes.lazy.filter(\.isConnected).reduce(into: Set<String>()) { $0.formUnion($1.jobs) }
        return result.sorted { $0.key < $1.key }.map { ($0.key, $0.value, defined.contains($0.key)) }
    }

    /// As ``waitingByName()``, for at most `limit` names with most jobs, in falling order. Takes time proportional to
    /// the number of routes, but no memory for all names.
    public func waitingByName(most limit: Int) -> [(name: String, count: Int, isDefined: Bool)] {
        let limit = min(max(1, limit), 1_000_000)
        var largest: [(count: Int, route: Int)] = []
        var least = 0
        func keepLargest() {
            largest.sort { $0.count > $1.count }
            largest.removeLast(max(0, largest.count - limit))
            if largest.count == limit { least = largest.last?.count ?? 0 }
        }
        for index in routeByKey.values where !routes[index].isEmpty {
            let count = routes[index].count - routes[index].withdrawn.count
            guard count > least else { continue }
            largest.append((count, index))
            if largest.count >= 2 * limit { keepLargest() }
        }
        keepLargest()
        let counts = largest.reduce(into: [String: Int]()) { $0[routes[$1.route].key.name, default: 0] += $1.count }
        return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { name, count in
            (name, count, isDefined(name))
        }
    }

    // MARK: Choosing

    private mutating func bestNode(for index: Int, isAwaited: Bool) -> Int? {
        // Whoever waits in the route came before.
        guard isAwaited ? routes[index].awaited.isEmpty : routes[index].isEmpty else { return nil }
        let eligible = routes[index].eligible
        if let preferred = routes[index].key.node,
            let node = eligible.first(where: { nodes[$0].name == preferred && isFree($0, isAwaited) })
        {
            return node
        }
        guard !eligible.isEmpty else { return nil }
        // Jobs of one route go to equally loaded nodes by turns. Where others come between them the turns of each would fall
        // in step with those of the others: three names by turns, and one would always meet the same node as the less loaded.
        if lastSent != index, eligible.count > 1 { routes[index].cursor = Int(dice.next() % UInt64(eligible.count)) }
        lastSent = index
        var best: Int?
        let cursor = routes[index].cursor
        for offset in eligible.indices {
            var place = cursor + offset
            if place >= eligible.count { place -= eligible.count }
            let node = eligible[place]
            guard isFree(node, isAwaited) else { continue }
            if let current = best, nodes[current].load <= nodes[node].load { continue }
            best = node
            // No other has less.
            if nodes[node].load == 0 { break }
        }
        routes[index].cursor = cursor + 1 >= eligible.count ? 0 : cursor + 1
        return best
    }

    private func isFree(_ node: Int, _ isAwaited: Bool = false) -> Bool { nodes[node].isFree(forAwaited: isAwaited) }

    private func isEligible(_ node: NodeState, for key: RouteKey) -> Bool {
        node.jobs.contains(key.name) && !isPaused(job: key.name) && isAllowed(key, on: node)
    }

    /// Whether the node may have those jobs, if it defines them.
    func isAllowed(_ key: RouteKey, on node: NodeState) -> Bool {
        guard node.name != key.notNode else { return false }
        return !alwaysUseSpecifiedNode || key.node == nil || key.node == node.name
    }

    /// The name of the jobs on a route that ``route(of:)`` returned and that has waiting jobs.
    package func name(ofRoute index: Int) -> String { routes.indices.contains(index) ? routes[index].key.name : "" }

    // MARK: Routes

    private mutating func routeIndex(for job: Job) -> Int {
        let key = RouteKey(job)
        if let lastRoute, routes[lastRoute].key == key { return lastRoute }
        let index = routeByKey[key] ?? addRoute(key)
        lastRoute = index
        return index
    }

    private mutating func addRoute(_ key: RouteKey) -> Int {
        // Names come from outside: what is idle goes before the table grows without bound.
        if routeByKey.count >= routeLimit { removeIdleRoutes() }
        var route = Route(key: key)
        route.eligible = nodes.indices.filter { nodes[$0].isConnected && isEligible(nodes[$0], for: key) }
        let index: Int
        if let free = freeRoutes.popLast() {
            routes[free] = route
            index = free
        } else {
            routes.append(route)
            index = routes.count - 1
        }
        routeByKey[key] = index
        routesByName[key.name, default: []].append(index)
        return index
    }

    private mutating func removeIdleRoutes() {
        let idle = routeByKey.filter { routes[$0.value].isEmpty }
        for (key, index) in idle {
            routeByKey[key] = nil
            freeRoutes.append(index)
        }
        for name in Set(idle.keys.lazy.map(\.name)) {
            routesByName[name]?.removeAll { routes[$0].isEmpty }
            if routesByName[name]?.isEmpty == true { routesByName[name] = nil }
        }
        lastRoute = nil
        // Those that are left have jobs waiting. Looking at them again at every new name would take quadratic time.
        routeLimit = max(Self.idleRoutes, 2 * routeByKey.count)
    }

    private mutating func refreshRoutes(of name: String, for node: Int) {
        for index in routesByName[name] ?? [] {
            routes[index].eligible.removeAll { $0 == node }
            routes[index].cursor = 0
            guard isEligible(nodes[node], for: routes[index].key) else { continue }
            routes[index].eligible.append(node)
            if !routes[index].isEmpty { noteReady(index, for: node) }
            if !routes[index].awaited.isEmpty { nodes[node].awaited.note(index) }
        }
    }

    private mutating func noteWaiting(_ index: Int) {
        waitingCount += 1
        if routes[index].awaited.count == 1 {
            for node in routes[index].eligible { nodes[node].awaited.note(index) }
        }
        guard routes[index].count == 1 else { return }
        for node in routes[index].eligible { noteReady(index, for: node) }
    }

    private mutating func noteReady(_ index: Int, for node: Int) {
        nodes[node].ready.note(index, at: nodes[node].priority(of: routes[index].key))
    }
}
