internal import JobReactorCore

/// Names of jobs that wait here as no connected node defines them, so that each is told of once. A value without I/O.
struct ParkedNames {
    private var names: Set<String> = []
    /// What is said of them, as long as the nodes define what they do.
    private var reasons: [String: String] = [:]
    /// Names come from outside.
    private static let most = 1000

    /// Whether it is to be told: the name is new. Beyond ``most`` only once, for all the others.
    enum Telling {
        case no
        case name
        case tooMany
    }

    var isEmpty: Bool { names.isEmpty }

    mutating func note(_ name: String) -> Telling {
        guard names.count <= Self.most, names.insert(name).inserted else { return .no }
        return names.count > Self.most ? .tooMany : .name
    }

    /// What is said of a name: made once, as it takes a look at all that are defined.
    mutating func reason(_ name: String, _ make: () -> String) -> String {
        if let known = reasons[name] { return known }
        let reason = make()
        if reasons.count < Self.most { reasons[name] = reason }
        return reason
    }

    /// Nodes define other jobs than before.
    mutating func forgetReasons() { if !reasons.isEmpty { reasons = [:] } }

    /// A node defines these: should they be parked again, that is told again. Returns those that were.
    mutating func forget(_ defined: [String]) -> [String] {
        names.isEmpty ? [] : defined.filter { names.remove($0) != nil }
    }
}
