import JobReactorTesting

/// What is broken, in which order and for how long: all that the seed decides. A value without I/O; the same seed and the
/// same installation make the same plan.
struct FaultPlan {
    /// What there is to break.
    struct Targets {
        var storage: ChaosPlace.Kind
        var nodes: [String]
        /// Those that can be killed, stopped and frozen beside the nodes.
        var others: [String]
        var proxies: [String]
        var storages: [String]
    }

    struct Order: Equatable {
        let kind: Fault.Kind
        let target: String
        /// For how long.
        let seconds: Double
        /// Which of several ways, by its remainder.
        let way: Int
    }

    /// One fault, or two at one moment.
    struct Step: Equatable {
        var first: Order
        /// It begins this many seconds after the first, while that lasts.
        var second: Order?
        var delay = 0.0
        /// Until the next step.
        var pause: Double
    }

    /// The share of steps with a second fault.
    private static let shareOfTwo = 1.0 / 3

    private let kinds: [Fault.Kind]
    private var targets: Targets
    private var isLost = false
    private var random: SeededGenerator

    init(seed: UInt64, kinds: [Fault.Kind], _ targets: Targets) {
        self.kinds = kinds.filter { targets.storage == .redis || !$0.needsRedis }
        self.targets = targets
        random = SeededGenerator(seed: seed)
    }

    /// Nil when none of the kinds can strike any more.
    mutating func next() -> Step? {
        guard var first = order(besides: nil) else { return nil }
        var second = Double.random(in: 0..<1, using: &random) < Self.shareOfTwo ? order(besides: first) : nil
        if let other = second, other.seconds > first.seconds { (first, second) = (other, first) }
        let delay = second == nil ? 0 : Double.random(in: 0...min(first.seconds, 3), using: &random)
        return Step(
            first: first, second: second, delay: delay, pause: Double.random(in: 0.1...1.2, using: &random))
    }

    /// A fault of another kind, and not where the first strikes: a server that is full and killed forgets what it could not
    /// write, and a frozen process does not stop.
    private mutating func order(besides first: Order?) -> Order? {
        let possible = kinds.filter { $0 != first?.kind && !places(of: $0, besides: first).isEmpty }
        let weighted = possible.flatMap { Array(repeating: $0, count: $0.weight) }
        guard let kind = weighted.randomElement(using: &random),
            let target = places(of: kind, besides: first).randomElement(using: &random)
        else { return nil }
        if kind == .lose {
            targets.nodes.removeLast()
            isLost = true
        }
        return Order(
            kind: kind, target: target,
            seconds: Double.random(in: kind.length(targets.storage), using: &random),
            way: Int.random(in: 0..<6, using: &random))
    }

    private func places(of kind: Fault.Kind, besides first: Order?) -> [String] {
        let places =
            switch kind.aim {
            case .member: targets.nodes + targets.others
            case .node: targets.nodes
            case .lastNode: targets.nodes.count > 1 && !isLost ? targets.nodes.suffix(1) : []
            case .proxy: targets.proxies
            case .storage: targets.storages
            }
        return places.filter { $0 != first?.target }
    }
}
