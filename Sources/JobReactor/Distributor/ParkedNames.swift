internal import JobReactorCore

/// Names of jobs that wait here as no connected node defines them, so that each is told of once. A value without I/O.
struct ParkedNames {
    private var names: Set<String> = []
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

    /// A node defines these: should they be parked again, that is told again. Returns those that were.
    mutating func forget(_ defined: [String]) -> [String] {
        names.isEmpty ? [] : defined.filter { names.remove($0) != nil }
    }
}
