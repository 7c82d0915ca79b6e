/// Why a job waits, apart from its due time. The description is a text for people.
package enum WaitReason: Hashable, Sendable, CustomStringConvertible {
    /// No node is connected to the distributor.
    case noNode
    /// No connected node has a script that defines the job; `nearest` is a name that is defined.
    case undefined(nearest: String?)
    /// Nodes define it, but it may run on none of them.
    case excluded(node: String?, notNode: String?)
    /// The nodes that may run it are stopping.
    case draining(nodes: Int)
    /// A limit of its job is full.
    case limit
    /// Jobs of its name are paused.
    case paused
    /// The nodes that may run it are paused.
    case nodesPaused(nodes: Int)
    /// The nodes that may run it have no credit.
    case full(nodes: Int)
    /// Earlier jobs wait for the same nodes, or its record is being read.
    case turn
    /// It is being stored.
    case saving
    /// The node that has it, or may have it, is not connected.
    case away(node: String)
    /// The same, and the job will be cancelled there when the node is back.
    case cancelledAway(node: String)
    /// It may have ended a node: other suspects at the node go first.
    case suspect(node: String)

    package var description: String {
        switch self {
        case .noNode: return "no node is connected"
        case .undefined(let nearest):
            return "no node defines it" + (nearest.map { ": did you mean '\($0)'?" } ?? "")
        case .excluded(_, let notNode?): return "only the node \(notNode) defines it, which must not run it"
        case .excluded(let node?, nil):
            return "the node \(node), the only one that may run it, does not define it or is away"
        case .excluded(nil, nil): return "no node may run it"
        case .draining(1): return "the node that defines it is stopping"
        case .draining(let count): return "all \(count) nodes that define it are stopping"
        case .limit: return "a limit of its job is full"
        case .paused: return "jobs of its name are paused"
        case .nodesPaused(1): return "the node that defines it is paused"
        case .nodesPaused(let count): return "all \(count) nodes that define it are paused"
        case .full(1): return "the node that defines it is full"
        case .full(let count): return "all \(count) nodes that define it are full"
        case .turn: return "its turn"
        case .saving: return "it is being stored"
        case .away(let node): return "its node \(node) is away"
        case .cancelledAway(let node): return "its node \(node) is away: it is cancelled there when that is back"
        case .suspect(let node): return "others at the node \(node): it may have ended a node"
        }
    }
}

extension Dispatcher {
    /// A cache of the reasons for the jobs of one answer.
    package struct WaitReasons {
        fileprivate var known: [RouteKey: WaitReason] = [:]
        fileprivate var names: [String]?
        /// How much may be spent on looking for names that are alike: peers say how many there are, and how long.
        fileprivate var budget = 1_000_000

        package init() {}
    }

    /// The reason why a job waits here for a node.
    package func reason(_ job: Job, _ reasons: inout WaitReasons) -> WaitReason {
        let key = RouteKey(job)
        if let known = reasons.known[key] { return known }
        let reason = reason(key, &reasons)
        reasons.known[key] = reason
        return reason
    }

    private func reason(_ key: RouteKey, _ reasons: inout WaitReasons) -> WaitReason {
        if isPaused(job: key.name) { return .paused }
        var (connected, defining, allowed, taking, paused) = (0, 0, 0, 0, 0)
        for index in nodes.indices where nodes[index].isConnected {
            connected += 1
            guard nodes[index].jobs.contains(key.name) else { continue }
            defining += 1
            guard isAllowed(key, on: nodes[index]) else { continue }
            allowed += 1
            guard !nodes[index].isDraining else { continue }
            guard !nodes[index].isPaused else {
                paused += 1
                continue
            }
            taking += 1
            if nodes[index].credit > 0 { return .turn }
        }
        if connected == 0 { return .noNode }
        if defining == 0 {
            let names = reasons.names ?? definedNames
            reasons.names = names
            return .undefined(nearest: NearestName.find(key.name, among: names, budget: &reasons.budget))
        }
        if allowed == 0 {
            // Where it may run on one node alone, that counts.
            let node = alwaysUseSpecifiedNode ? key.node : nil
            return .excluded(node: node, notNode: node == nil ? key.notNode : nil)
        }
        if taking > 0 { return .full(nodes: taking) }
        return paused > 0 ? .nodesPaused(nodes: paused) : .draining(nodes: allowed)
    }
}
