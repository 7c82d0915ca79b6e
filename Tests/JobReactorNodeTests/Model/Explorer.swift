import JobReactorTesting

/// Takes a ``Simulation`` through its states: all of them to a depth, and random walks beyond.
struct Explorer {
    let setup: Simulation.Setup
    /// States that were looked at.
    private(set) var states = 0

    init(_ setup: Simulation.Setup) { self.setup = setup }

    struct Finding: Error, CustomStringConvertible {
        let setup: Simulation.Setup
        let problem: String
        let steps: [Simulation.Step]

        var description: String {
            "\(problem)\n  \(setup)\n" + steps.enumerated().map { "  \($0 + 1). \($1)" }.joined(separator: "\n")
        }
    }

    /// Every state that can be reached in `depth` steps, each once, the nearest first; and from each that all ends well when
    /// the faults are over.
    mutating func exploreAll(depth: Int) throws {
        var seen: Set<String> = []
        var layer: [[Simulation.Step]] = [[]]
        for reached in 0...depth {
            var next: [[Simulation.Step]] = []
            for path in layer {
                // There is no copy of a state: it is reached anew.
                let simulation = try Simulation(setup)
                for step in path { try simulation.take(step) }
                if let problem = simulation.problem { throw Finding(setup: setup, problem: problem, steps: path) }
                if seen.insert(simulation.fingerprint).inserted {
                    states += 1
                    if reached < depth { next += simulation.steps.map { path + [$0] } }
                    try settle(simulation, after: path)
                }
                try simulation.close()
            }
            layer = next
        }
    }

    private func settle(_ simulation: Simulation, after path: [Simulation.Step], _ note: String = "") throws {
        guard let problem = try simulation.settle() else { return }
        let state = simulation.fingerprint.replacing(";", with: "\n    ")
        throw Finding(setup: setup, problem: "at rest\(note): \(problem)\n    \(state)", steps: path)
    }

    /// Random walks of so many steps, each from the beginning to the rest.
    mutating func walk(seed: UInt64, steps count: Int) throws {
        var random = SeededGenerator(seed: seed)
        let simulation = try Simulation(setup)
        var path: [Simulation.Step] = []
        for _ in 0..<count {
            let possible = simulation.steps
            let ordinary = possible.filter { !$0.isFault }
            let faults = possible.filter(\.isFault)
            let isFault = !faults.isEmpty && (ordinary.isEmpty || Int.random(in: 0..<12, using: &random) == 0)
            guard let step = (isFault ? faults : ordinary).randomElement(using: &random) else { break }
            path.append(step)
            try simulation.take(step)
            states += 1
            if let problem = simulation.problem { throw Finding(setup: setup, problem: problem, steps: path) }
        }
        try settle(simulation, after: path, ", seed \(seed)")
        try simulation.close()
    }
}
