import Foundation
import Testing

/// The machines of both sides of a link, the codec and the handshake between them, taken through their states: see
/// ``Simulation``.
@Suite("The model of the link") struct ModelTests {
    static let setups: [Simulation.Setup] = [
        Simulation.Setup(),
        Simulation.Setup(areDistributorsDurable: [false, false]),
        Simulation.Setup(areNodesDurable: [false, false]),
        Simulation.Setup(areNodesDurable: [true, false], areDistributorsDurable: [true, false]),
    ]

    /// More of them for a search that takes longer.
    private static let walks = setting("JOBREACTOR_MODEL_WALKS") ?? 25
    /// So many steps less are explored, where the model is run once more for something else than its states.
    private static let cut = setting("JOBREACTOR_MODEL_CUT") ?? 0

    private static func setting(_ name: String) -> Int? { ProcessInfo.processInfo.environment[name].flatMap(Int.init) }

    @Test(
        "every state that a few steps reach, from the beginning and from where all jobs are accepted", arguments: setups
    )
    func all(_ setup: Simulation.Setup) throws {
        try explore(setup, depth: 4)
        var underWay = setup
        underWay.isUnderWay = true
        try explore(underWay, depth: 3)
    }

    /// A late answer that is taken for one to another hand-over takes five steps.
    @Test("every state that five steps of one distributor and its nodes reach") func few() throws {
        var setup = Simulation.Setup(areDistributorsDurable: [false])
        setup.jobs = 2
        setup.isUnderWay = true
        try explore(setup, depth: 5)
    }

    @Test("pauses while jobs are under way: what is held does not begin, and all of it ends when it is released")
    func pauses() throws {
        for areNodesDurable in [true, false] {
            var setup = Simulation.Setup(areNodesDurable: [areNodesDurable], areDistributorsDurable: [true, false])
            (setup.pauses, setup.isUnderWay, setup.faults) = (true, true, 2)
            try explore(setup, depth: 3)
            (setup.faults, setup.isUnderWay) = (6, false)
            var explorer = Explorer(setup)
            for seed in 1...UInt64(Self.walks) { try explorer.walk(seed: seed, steps: 120) }
        }
    }

    @Test("limits: no more run at once than may, and whatever breaks, all of them run") func limits() throws {
        for (areNodesDurable, areDistributorsDurable) in [
            ([true, true], [false]), ([false, false], [true]), ([true, false], [true, false]),
        ] {
            var setup = Simulation.Setup(
                areNodesDurable: areNodesDurable, areDistributorsDurable: areDistributorsDurable)
            (setup.limit, setup.isUnderWay) = (1, true)
            try explore(setup, depth: 3)
            (setup.faults, setup.isUnderWay) = (6, false)
            for kills in [true, false] {
                setup.kills = kills
                var explorer = Explorer(setup)
                for seed in 1...UInt64(Self.walks) { try explorer.walk(seed: seed, steps: 120) }
            }
        }
    }

    /// The distributor gives the place to others when the node is back and does not name the job among its runs.
    @Test("a job that came with its place, and is saved after a newer link has begun, asks for a place")
    func lostPlace() throws {
        var setup = Simulation.Setup(areDistributorsDurable: [false])
        (setup.jobs, setup.limit, setup.isUnderWay) = (2, 1, true)
        let simulation = try Simulation(setup)
        try simulation.deliverAll()
        let node = try #require(simulation.nodes.firstIndex { $0.storage?.isWaiting == true })
        let pipe = try #require(simulation.pipes.first { $0.pipe.node == node }?.number)
        try simulation.take(.cut(pipe: pipe, noticedBy: .node))
        try simulation.take(.notice(pipe: pipe, .distributor))
        try simulation.take(.link(distributor: 0, node: node))
        // Both jobs are being saved before either begins.
        try simulation.deliverAll()
        for _ in 0..<100 {
            guard let process = simulation.processes.first(where: { simulation.storage(of: $0)?.isWaiting == true })
            else { break }
            try simulation.take(.answer(process))
            try simulation.deliverAll()
        }
        #expect(simulation.nodes.flatMap { $0.lane?.runs ?? [] }.count == 1)
        #expect(try simulation.settle() == nil)
        try simulation.close()
    }

    private func explore(_ setup: Simulation.Setup, depth: Int) throws {
        let start = ContinuousClock.now
        var explorer = Explorer(setup)
        try explorer.exploreAll(depth: depth - Self.cut)
        print("\(setup): \(explorer.states) states in \(ContinuousClock.now - start)")
        #expect(explorer.states > 10, "\(setup)")
    }

    @Test("random walks with many faults, with and without crashes", arguments: setups, [true, false])
    func walks(_ setup: Simulation.Setup, kills: Bool) throws {
        var setup = setup
        (setup.faults, setup.kills) = (6, kills)
        var explorer = Explorer(setup)
        for seed in 1...UInt64(Self.walks) { try explorer.walk(seed: seed, steps: 120) }
        #expect(explorer.states > 20 * Self.walks, "\(setup)")
    }
}
