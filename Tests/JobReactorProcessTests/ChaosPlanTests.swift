import Foundation
import Testing

@testable import JobReactorChaos

/// What the program that breaks everything is about to do, as a value.
@Suite("A plan of faults") struct ChaosPlanTests {
    private static func targets(_ storage: ChaosPlace.Kind) -> FaultPlan.Targets {
        FaultPlan.Targets(
            storage: storage, nodes: ["n1", "n2", "n3"], others: ["d1", "d2", "p1", "p2"],
            proxies: ["nodes of d1", "producers of d1"],
            storages: storage == .redis ? ["redis"] : ["disk of d1", "disk of n1", "disk of n2", "disk of n3"])
    }

    private static func steps(
        seed: UInt64, _ storage: ChaosPlace.Kind, _ kinds: [Fault.Kind] = Fault.Kind.allCases
    ) -> [FaultPlan.Step] {
        var plan = FaultPlan(seed: seed, kinds: kinds, targets(storage))
        return (0..<500).compactMap { _ in plan.next() }
    }

    @Test("is the same for the same seed, and another for another")
    func seeds() {
        #expect(Self.steps(seed: 1, .redis) == Self.steps(seed: 1, .redis))
        #expect(Self.steps(seed: 1, .redis) != Self.steps(seed: 2, .redis))
    }

    @Test("has every kind that the storage allows, alone and with another", arguments: ChaosPlace.Kind.allCases)
    func kinds(storage: ChaosPlace.Kind) {
        let steps = Self.steps(seed: 7, storage)
        let possible = Set(Fault.Kind.allCases.filter { storage == .redis || !$0.needsRedis })
        #expect(Set(steps.flatMap { [$0.first.kind, $0.second?.kind].compactMap(\.self) }) == possible)
        let pairs = steps.filter { $0.second != nil }
        #expect((100...250).contains(pairs.count))
        for step in pairs {
            guard let second = step.second else { continue }
            #expect(second.kind != step.first.kind)
            #expect(second.target != step.first.target)
            #expect(step.delay <= step.first.seconds)
        }
    }

    @Test("loses a node once, and does nothing with it from then on")
    func loss() throws {
        let orders = Self.steps(seed: 3, .redis).flatMap { [$0.first, $0.second].compactMap(\.self) }
        #expect(orders.filter { $0.kind == .lose }.map(\.target) == ["n3"])
        let index = try #require(orders.firstIndex { $0.kind == .lose })
        // The order beside it may come before it in the list.
        #expect(!orders[(index + 2)...].contains { $0.target == "n3" })
    }

    @Test("has nothing where nothing that is wished can be done")
    func nothing() {
        #expect(Self.steps(seed: 1, .sqlite, [.server, .lose]).isEmpty)
        #expect(Self.steps(seed: 1, .redis, [.stall]).allSatisfy { $0.first.kind == .stall && $0.second == nil })
    }
}

/// What the program makes of the runs that it finds.
@Suite("The verdict") struct ChaosVerdictTests {
    private static func verdict(
        _ faults: [Fault], runs: [(Int, String, Int)], accepted: Set<Int> = [],
        surprises: [Member.Surprise] = []
    ) -> Verdict {
        Verdict(
            work: Work.Result(accepted: accepted, jobs: accepted.count), faults: faults,
            runs: runs.map { ChaosInstallation.Run(number: $0.0, member: $0.1, second: $0.2) },
            surprises: surprises)
    }

    private static func fault(
        _ kind: Fault.Kind, _ what: String, _ from: Double = 104, _ until: Double = 106, wasCutShort: Bool = false
    ) -> Fault {
        Fault(
            kind: kind, what: what, from: Date(timeIntervalSince1970: from), until: Date(timeIntervalSince1970: until),
            wasCutShort: wasCutShort)
    }

    /// Job 5, on n1 at second 100, and on n2 ten seconds later: the faults come between.
    private static let twice = [(5, "n1", 100), (5, "n2", 110)]

    @Test("excuses a second run by a crash of who ran it, or of a distributor, and by nothing else")
    func excuses() {
        let excusing = [
            Self.fault(.kill, "n1"), Self.fault(.kill, "n2"), Self.fault(.kill, "d1"), Self.fault(.hang, "n1"),
            Self.fault(.lose, "n1"), Self.fault(.stop, "n1", wasCutShort: true),
            Self.fault(.stop, "d2", wasCutShort: true),
        ]
        for fault in excusing { #expect(Self.verdict([fault], runs: Self.twice).isGood, "\(fault)") }
        let others = [
            Self.fault(.kill, "n3"), Self.fault(.kill, "p1"), Self.fault(.kill, "n1", 50, 60),
            Self.fault(.kill, "n1", 120, 130), Self.fault(.stop, "n1"), Self.fault(.stop, "d1"),
            Self.fault(.stop, "p1", wasCutShort: true), Self.fault(.freeze, "n1"), Self.fault(.cut, "nodes of d1"),
            Self.fault(.server, "redis"), Self.fault(.refuse, "redis"), Self.fault(.full, "redis"),
            Self.fault(.stall, "redis"), Self.fault(.full, "disk of n1"),
        ]
        for fault in others { #expect(Self.verdict([fault], runs: Self.twice).unexplained == [5], "\(fault)") }
        #expect(Self.verdict(others, runs: Self.twice).unexplained == [5])
    }

    @Test("excuses late runs of what a distributor has forgotten, as long as faults follow one another")
    func delayed() {
        let (kill, next) = (Self.fault(.kill, "d1", 90, 92), Self.fault(.stop, "n1", 92.5, 97))
        let last = Self.fault(.full, "redis", 96, 99.5)
        #expect(Self.verdict([kill, next, last], runs: Self.twice).isGood)
        #expect(Self.verdict([kill, last], runs: Self.twice).unexplained == [5])
        #expect(Self.verdict([kill, next], runs: Self.twice).unexplained == [5])
        let node = Self.fault(.kill, "n1", 90, 92)
        #expect(Self.verdict([node, next, last], runs: Self.twice).unexplained == [5])
        // A storage is tried again after a while.
        let refusal = Self.fault(.refuse, "redis", 91, 95)
        #expect(Self.verdict([kill, refusal], runs: Self.twice).isGood)
        let early = Self.fault(.refuse, "redis", 91, 93)
        #expect(Self.verdict([kill, early], runs: Self.twice).unexplained == [5])
    }

    @Test("excuses one run more by one fault, and two of a job that fails every other time")
    func counts() {
        let thrice = Self.twice + [(5, "n2", 112)]
        #expect(Self.verdict([Self.fault(.kill, "n1")], runs: thrice).unexplained == [5])
        #expect(Self.verdict([Self.fault(.kill, "n1"), Self.fault(.kill, "d1")], runs: thrice).isGood)
        let flaky = (0..<5).map { (10, "n1", 100 + $0) }
        #expect(Self.verdict([], runs: Array(flaky.prefix(2))).isGood)
        #expect(Self.verdict([Self.fault(.kill, "n1")], runs: Array(flaky.prefix(4))).isGood)
        #expect(Self.verdict([Self.fault(.kill, "n1")], runs: flaky).unexplained == [10])
    }

    @Test("finds what was lost, whatever was broken")
    func lost() {
        let faults = Fault.Kind.allCases.map { Self.fault($0, "n1", wasCutShort: true) }
        #expect(Self.verdict(faults, runs: Self.twice, accepted: [5, 6]).lost == [6])
    }

    @Test("lets a process end by itself only with an error, while its own SQLite file is broken")
    func ends() {
        func isGood(_ member: String, at second: Double, isRefusal: Bool, _ faults: [Fault]) -> Bool {
            let end = Member.Surprise(
                member: member, what: "ended", at: Date(timeIntervalSince1970: second), isRefusal: isRefusal)
            return Self.verdict(faults, runs: [], surprises: [end]).isGood
        }
        #expect(isGood("n1", at: 105, isRefusal: true, [Self.fault(.full, "disk of n1")]))
        #expect(!isGood("n1", at: 105, isRefusal: false, [Self.fault(.full, "disk of n1")]))
        #expect(!isGood("n1", at: 105, isRefusal: true, [Self.fault(.full, "disk of n2")]))
        #expect(!isGood("n1", at: 105, isRefusal: true, [Self.fault(.full, "redis")]))
        #expect(!isGood("n1", at: 120, isRefusal: true, [Self.fault(.full, "disk of n1")]))
        #expect(!isGood("n1", at: 105, isRefusal: true, [Self.fault(.kill, "n2")]))
    }
}
