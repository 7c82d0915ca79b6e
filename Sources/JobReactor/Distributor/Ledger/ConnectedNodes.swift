internal import JobReactorCore
internal import JobReactorWire

/// The nodes that are linked to a distributor, and what was handed over to each and has no answer.
///
/// A value without I/O.
struct ConnectedNodes {
    typealias Node = Dispatcher.NodeHandle

    struct Connected {
        let node: Node
        let name: String
        /// Of its process.
        let instance: String
        let isDurable: Bool
        /// Of its storage, when others share it.
        let place: String?
        fileprivate var handOvers: HandOvers
        /// It has reported a job that it was not given, and that was said.
        fileprivate var isDistrusted = false
        /// The runs of which it says that they go on, until it says what it defines; nil from then on.
        fileprivate var held: Set<JobID>? = []
    }

    /// By the index of the handle.
    private var nodes: [Connected?] = []

    mutating func add(_ node: Node, _ name: String, _ instance: String, isDurable: Bool, place: String?) {
        while nodes.count <= node.index { nodes.append(nil) }
        nodes[node.index] = Connected(
            node: node, name: name, instance: instance, isDurable: isDurable, place: place,
            handOvers: HandOvers(awaitsAnswers: isDurable))
    }

    mutating func remove(_ node: Node) -> Connected? {
        guard nodes.indices.contains(node.index) else { return nil }
        defer { nodes[node.index] = nil }
        return nodes[node.index]
    }

    subscript(node: Node) -> Connected? { nodes.indices.contains(node.index) ? nodes[node.index] : nil }

    /// Whether it says when it has saved a job, before it runs it.
    func isDurable(_ node: Node) -> Bool { nodes.indices.contains(node.index) && nodes[node.index]?.isDurable == true }

    var names: Set<String> { Set(all.map(\.name)) }

    func named(_ name: String) -> Node? { all.first { $0.name == name }?.node }

    /// Who takes over from a node of that place. Every distributor chooses the same one: a job in doubt at one of them may
    /// have been taken over for another.
    func heir(at place: String) -> Connected? { all.filter { $0.place == place }.min { $0.name < $1.name } }

    /// Those that own what they have.
    var durable: [Node] { all.filter(\.isDurable).map(\.node) }

    var handles: [Node] { all.map(\.node) }

    private var all: some Sequence<Connected> { nodes.lazy.compactMap(\.self) }

    /// The node has reported a job that it was not given. Returns whether that is the first time on this link.
    mutating func distrust(_ node: Node) -> Bool {
        guard nodes.indices.contains(node.index), nodes[node.index]?.isDistrusted == false else { return false }
        nodes[node.index]?.isDistrusted = true
        return true
    }

    // MARK: Runs that go on

    /// A run goes on at the node that was permitted over an earlier link.
    mutating func noteHeld(_ id: JobID, at node: Node) {
        if nodes.indices.contains(node.index) { nodes[node.index]?.held?.insert(id) }
    }

    /// All that it has said so of, when it is asked for the first time.
    mutating func takeHeld(at node: Node) -> Set<JobID>? {
        guard nodes.indices.contains(node.index) else { return nil }
        return nodes[node.index]?.held.take()
    }

    // MARK: Hand-overs

    /// A job goes to the node. Returns the number of the hand-over.
    mutating func handOver(_ id: JobID, to node: Node) -> Int {
        guard nodes.indices.contains(node.index) else { return 0 }
        return nodes[node.index]?.handOvers.add(id) ?? 0
    }

    /// The hand-over has an answer. Returns whether it waited for one. One of a node that owns nothing is looked for by what
    /// the job itself knows of it.
    mutating func answer(_ handOver: HandOver, by node: Node) -> Bool {
        guard nodes.indices.contains(node.index), let isDurable = nodes[node.index]?.isDurable else { return false }
        guard isDurable else { return true }
        return nodes[node.index]?.handOvers.answer(handOver) == true
    }

    /// Those from `first` to `last` have one. Returns those that waited for it.
    mutating func answer(_ first: Int, through last: Int, by node: Node) -> [HandOver] {
        guard nodes.indices.contains(node.index) else { return [] }
        var answered: [HandOver] = []
        nodes[node.index]?.handOvers.answer(first, through: last) { answered.append($0) }
        return answered
    }
}
