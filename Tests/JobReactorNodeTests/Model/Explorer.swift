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
        var layer = [Path()]
        for reached in 0...depth {
            var next: [Path] = []
            for path in layer {
                // There is no copy of a state: it is reached anew.
                let simulation = try Simulation(setup)
                for step in path.steps { try simulation.take(step) }
                if let problem = simulation.problem { throw Finding(setup: setup, problem: problem, steps: path.steps) }
                if seen.insert(simulation.fingerprint).inserted {
                    states += 1
                    if reached < depth { next += path.continued(by: simulation.steps, in: simulation) }
                    try settle(simulation, after: path.steps)
                }
                try simulation.close()
            }
            layer = next
        }
    }

    /// A way to a state.
    private struct Path {
        private(set) var steps: [Simulation.Step] = []
        /// Steps that were possible instead of the last, and that another path takes before it.
        private var taken: Set<Simulation.Step> = []

        /// With each of the steps, but for one that could have been taken before the last as well and does not meet it: both
        /// orders lead to one state, and the other path is there.
        func continued(by possible: [Simulation.Step], in simulation: Simulation) -> [Path] {
            possible.enumerated().compactMap { index, step in
                if taken.contains(step), let last = steps.last, simulation.areIndependent(last, step) { return nil }
                var path = Path()
                path.steps = steps + [step]
                path.taken = Set(possible[..<index])
                return path
            }
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
