import JobReactorCore
import Testing

@testable import JobReactorNode

@Suite("Careful runs") struct CarefulRunsTests {
    private static func id(_ number: Int) -> JobID { JobID(high: 0, low: UInt64(number)) }

    enum Event: Sendable {
        case due(Int)
        /// Some other thing happens to the job: its stage from now on.
        case ended(Int)
        case cancelled(Int)
        case paused(Int)
        /// Its next attempt is due.
        case again(Int)
    }

    @Test(
        "begin one by one: the next when the one before has ended or pauses",
        arguments: [
            ([.due(1)], [1]),
            ([.due(1), .due(2)], [1]),
            ([.due(1), .due(2), .due(3), .ended(1)], [1, 2]),
            ([.due(1), .due(2), .due(3), .ended(1), .ended(2)], [1, 2, 3]),
            ([.due(1), .due(2), .due(3), .paused(1)], [1, 2]),
            // Only the one that others wait for lets the next begin.
            ([.due(1), .due(2), .due(3), .paused(1), .paused(1)], [1, 2]),
            ([.due(1), .due(2), .due(3), .paused(1), .ended(1)], [1, 2]),
            ([.due(1), .due(2), .due(3), .cancelled(2), .ended(1)], [1, 3]),
            ([.due(1), .due(2), .cancelled(1)], [1, 2]),
            ([.due(1), .due(2), .ended(1), .again(1)], [1, 2]),
            ([.due(1), .due(2), .ended(1), .again(1), .ended(2)], [1, 2, 1]),
        ] as [([Event], [Int])])
    func transcript(events: [Event], begun: [Int]) {
        var runs = CarefulRuns()
        var stages: [JobID: LiveJob.Stage] = [:]
        var found: [Int] = []
        func enter(_ number: Int) {
            stages[Self.id(number)] = .ready
            runs.append(Job(id: Self.id(number), name: "j", args: [:], createdAt: Timestamp(microseconds: 0)))
        }
        for event in events {
            switch event {
            case .due(let number), .again(let number): enter(number)
            case .ended(let number): stages[Self.id(number)] = nil
            case .cancelled(let number): stages[Self.id(number)] = .ending
            case .paused(let number): _ = runs.paused(Self.id(number))
            }
            while let job = runs.takeNext({ stages[$0] }) {
                stages[job.id] = .running
                found.append(Int(job.id.low))
            }
        }
        #expect(found == begun)
    }

    @Test("has room for what is rare in a byte, as there may be a million jobs")
    func size() {
        #expect(MemoryLayout<LiveJob>.size == 20)
        var live = LiveJob(.waiting, giver: 1, isSuspect: true)
        #expect(live.isSuspect && !live.isDestroyed)
        live.isDestroyed = true
        #expect(live.isSuspect && live.isDestroyed)
        live.isDestroyed = false
        #expect(live.isSuspect && !live.isDestroyed)
    }
}
