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
    private static let walks = ProcessInfo.processInfo.environment["JOBREACTOR_MODEL_WALKS"].flatMap(Int.init) ?? 40

    @Test(
        "every state that four steps reach from the beginning, and from where all jobs are accepted", arguments: setups)
    func all(_ setup: Simulation.Setup) throws {
        for isUnderWay in [false, true] {
            var setup = setup
            setup.isUnderWay = isUnderWay
            var explorer = Explorer(setup)
            try explorer.exploreAll(depth: 4)
            #expect(explorer.states > 100, "\(setup)")
        }
    }

    @Test("random walks with many faults", arguments: setups) func walks(_ setup: Simulation.Setup) throws {
        var setup = setup
        setup.faults = 6
        var explorer = Explorer(setup)
        for seed in 1...UInt64(Self.walks) { try explorer.walk(seed: seed, steps: 120) }
        #expect(explorer.states > 20 * Self.walks, "\(setup)")
    }
}
