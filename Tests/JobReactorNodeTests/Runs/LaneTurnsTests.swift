import JobReactorCore
import Testing

@testable import JobReactorNode

@Suite("The turns of jobs on a lane") struct LaneTurnsTests {
    private static func job(_ number: Int, _ name: String, isAwaited: Bool = false) -> Job {
        var job = Job(
            id: JobID(high: 1, low: UInt64(number)), name: name, args: [:], createdAt: Timestamp(microseconds: 0))
        job.isAwaited = isAwaited
        return job
    }

    /// The numbers of so many jobs that begin, one after the other.
    private static func begin(_ count: Int, _ turns: inout LaneTurns) -> [Int] {
        (0..<count).compactMap { _ in turns.popNext(beside: 0).map { Int($0.id.low) } }
    }

    @Test("names take turns: of many jobs that are due together one goes before a later one of another name")
    func names() {
        var turns = LaneTurns(capacity: 1, mostSuspended: 10)
        for number in 0..<6000 { turns.enter(Self.job(number, "many"), isSuspect: false) }
        #expect(Self.begin(10, &turns) == Array(0..<10))
        turns.enter(Self.job(10_000, "late"), isSuspect: false)
        turns.enter(Self.job(10_001, "later"), isSuspect: false)
        #expect(Self.begin(5, &turns) == [10, 10_000, 10_001, 11, 12])
        #expect(turns.turnCount == 6000 - 13 && turns.turns.count == turns.turnCount)
    }

    @Test("the more urgent go first, and what is less urgent has one start in sixteen")
    func priorities() {
        var turns = LaneTurns(capacity: 1, mostSuspended: 10)
        for number in 0..<3 { turns.enter(Self.job(number, "low"), priority: 0, isSuspect: false) }
        for number in 100..<200 { turns.enter(Self.job(number, "high"), priority: 9, isSuspect: false) }
        #expect(Self.begin(16, &turns) == Array(100..<115) + [0])
        turns.prepend(Self.job(300, "first"), priority: 9)
        #expect(Self.begin(2, &turns) == [300, 115])
    }

    @Test("so do the names of jobs that runs wait for, by turns with the others")
    func awaited() {
        var turns = LaneTurns(capacity: 1, mostSuspended: 10)
        for number in 0..<3 { turns.enter(Self.job(number, "many", isAwaited: true), isSuspect: false) }
        turns.enter(Self.job(10, "one", isAwaited: true), isSuspect: false)
        for number in 20..<23 { turns.enter(Self.job(number, "other"), isSuspect: false) }
        #expect(Self.begin(10, &turns) == [0, 20, 10, 21, 1, 22, 2])
        #expect(!turns.hasTurns)
    }

    @Test("jobs whose turn it is the next after all go before those of other names, in their order")
    func next() {
        var turns = LaneTurns(capacity: 1, mostSuspended: 10)
        for number in 0..<4 { turns.enter(Self.job(number, number < 2 ? "a" : "b"), isSuspect: false) }
        let begun = (0..<2).compactMap { _ in turns.popNext(beside: 0) }
        for job in begun.reversed() { turns.prepend(job) }
        #expect(turns.takeTurns().map { Int($0.id.low) } == [0, 2, 1, 3])
        #expect(!turns.hasTurns && turns.turns.isEmpty)
    }

    @Test("what is held does not begin until it is released, keeps nobody from the lane, and is not lost")
    func held() {
        var holds = Holds()
        var turns = LaneTurns(capacity: 2, mostSuspended: 10)
        for number in 0..<4 { turns.enter(Self.job(number, number < 2 ? "a" : "b"), isSuspect: false) }
        _ = holds.set(isNode: false, jobs: ["a"], by: "d")
        #expect((0..<4).compactMap { _ in turns.popNext(beside: 0, holds)?.id.low } == [2, 3])
        // A job that comes may begin at once: nothing is before it.
        #expect(!turns.hasTurns && turns.hasRoom(for: Self.job(5, "b")) && turns.turnCount == 2)
        _ = holds.set(isNode: true, jobs: [], by: "d")
        turns.release(["a"])
        #expect(turns.hasTurns && turns.popNext(beside: 0, holds) == nil)
        _ = holds.set(isNode: false, jobs: [], by: "d")
        #expect(turns.popNext(beside: 0, holds)?.id.low == 0)
        _ = holds.set(isNode: false, jobs: ["a"], by: "d")
        #expect(turns.popNext(beside: 0, holds) == nil && turns.takeTurns().map(\.id.low) == [1])
    }

    @Test("what is removed does not begin")
    func removed() {
        var turns = LaneTurns(capacity: 1, mostSuspended: 10)
        for number in 0..<6 { turns.enter(Self.job(number, "j", isAwaited: number < 2), isSuspect: number == 5) }
        turns.removeTurns { $0.id.low % 2 == 1 }
        #expect(turns.turns.map { Int($0.id.low) }.sorted() == [0, 2, 4])
        #expect(Self.begin(10, &turns).sorted() == [0, 2, 4])
    }
}
