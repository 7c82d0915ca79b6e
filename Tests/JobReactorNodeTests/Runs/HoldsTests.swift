import JobReactorCore
import JobReactorLua
import JobReactorWire
import Testing

@testable import JobReactorLua
@testable import JobReactorNode

@Suite("What distributors hold back") struct HoldsTests {
    @Test("is what any of them says, as each has said it last")
    func union() {
        var holds = Holds()
        #expect(!holds.holds("a"))
        var change = holds.set(isNode: false, jobs: ["a", "b"], by: "d1")
        #expect(change.holdsMore && !change.holdsLess && holds.holds("a") && !holds.holds("c"))
        change = holds.set(isNode: false, jobs: ["b", "c"], by: "d2")
        #expect(change.holdsMore && !change.holdsLess && change.released == [] && holds.jobs == ["a", "b", "c"])
        change = holds.set(isNode: false, jobs: ["a"], by: "d1")
        #expect(!change.holdsMore && !change.holdsLess && holds.jobs == ["a", "b", "c"])
        change = holds.set(isNode: false, jobs: [], by: "d2")
        #expect(!change.holdsMore && change.holdsLess && change.released == ["b", "c"])
        change = holds.set(isNode: true, jobs: ["a"], by: "d2")
        #expect(change.holdsMore && !change.holdsLess && holds.holds("z") && holds.isNode)
        change = holds.set(isNode: false, jobs: [], by: "d2")
        #expect(!change.holdsMore && change.holdsLess && change.released == [] && holds.holds("a") && !holds.holds("z"))
    }

    // MARK: At a node

    private static let now = Moment(wall: Timestamp(seconds: 1000), steady: Timestamp(seconds: 5))

    private static func job(_ number: UInt64, _ name: String) -> Job {
        Job(id: JobID(high: 1, low: number), name: name, args: [:], distributor: "d", createdAt: now.wall)
    }

    private static func save(_ jobs: [Job], in runs: inout NodeRuns) -> NodeRuns.Arrived {
        let saving = runs.receive(
            ReceivedJobs(jobs: jobs, numbers: Array(1...jobs.count), suspects: [], at: now), now: now)
        return runs.saved(saving, new: Set(jobs.map(\.id)), giver: 3, link: 4, now: now)
    }

    @Test("a held job that comes waits for its turn, uses no credit, and begins when it is released")
    func comes() {
        var runs = NodeRuns(NodeConfiguration(name: "n", distributors: [Address]()))
        expect(runs.hold(isNode: false, jobs: ["held"], by: "d").holdsMore)
        let arrived = Self.save([Self.job(1, "held"), Self.job(2, "free")], in: &runs)
        #expect(arrived.runs.map(\.job.id.low) == [2] && arrived.credit == 1)
        #expect(runs.readyCount == 1 && runs[Self.job(1, "held").id]?.usesCredit == false)
        expect(runs.begin(on: .reactor, now: Self.now.wall).isEmpty)
        // Others begin as before.
        expect(Self.save([Self.job(3, "free")], in: &runs).runs.count == 1)
        let held = runs.hold(isNode: false, jobs: [], by: "d")
        #expect(held.holdsLess && held.settled.isEmpty)
        expect(runs.begin(on: .reactor, now: Self.now.wall).map(\.id.low) == [1])
    }

    @Test("one that waits gives its credit back, and one that has not begun on the lane waits again")
    func waits() {
        var runs = NodeRuns(NodeConfiguration(name: "n", distributors: [Address]()))
        let arrived = Self.save((1...257).map { Self.job($0, "held") }, in: &runs)
        #expect(arrived.runs.count == 256 && runs.readyCount == 1)
        let held = runs.hold(isNode: true, jobs: [], by: "d")
        #expect(held.holdsMore && held.settled.map(\.handOver) == [257])
        // The first runs.
        let back = runs.heldBack(Array(arrived.runs.dropFirst()), from: .reactor)
        #expect(back.records.count == 255 && back.settled.count == 255)
        #expect(back.records.allSatisfy { $0.status == .queued && $0.attempt == 0 })
        #expect(runs.runningCount == 1 && runs.readyCount == 256)
        expect(runs.begin(on: .reactor, now: Self.now.wall).isEmpty)
        expect(runs.hold(isNode: false, jobs: [], by: "d").holdsLess)
        let begun = runs.begin(on: .reactor, now: Self.now.wall)
        #expect(begun.map(\.id.low) == Array(2...256) && begun.allSatisfy { $0.attempt == 1 })
    }
}

private func expect(_ isSo: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(isSo, sourceLocation: sourceLocation)
}
