import JobReactorCore
import JobReactorTesting
import Testing

@testable import JobReactor

@Suite("Suspects") struct SuspectsTests {
    private static let node: Dispatcher.NodeHandle = {
        var dispatcher = Dispatcher()
        return dispatcher.connect(name: "n1")
    }()

    private static func id(_ number: Int) -> JobID { JobID(high: 0, low: UInt64(number)) }

    enum Event: Sendable {
        /// What is to be sent to the node, with so many strikes.
        case admit(Int, strikes: UInt8)
        case began(Int)
        case paused(Int)
        case left(Int)
    }

    /// The jobs that were sent, in that order.
    private static func sent(_ events: [Event], _ suspects: inout Suspects) -> [Int] {
        var sent: [Int] = []
        for event in events {
            switch event {
            case .admit(let number, let strikes):
                if suspects.admit(id(number), strikes: strikes, to: node) { sent.append(number) }
            case .began(let number):
                sent += suspects.began(id(number), attempt: 2, of: 5, at: node).map { Int($0.low) }
            case .paused(let number): suspects.paused(id(number), at: node)
            case .left(let number): sent += suspects.left(id(number), node).map { Int($0.low) }
            }
        }
        return sent
    }

    @Test(
        "are sent at once, and those with three strikes begin alone",
        arguments: [
            ([.admit(1, strikes: 1), .admit(2, strikes: 2)], [1, 2]),
            ([.admit(1, strikes: 1), .admit(2, strikes: 3)], [1]),
            ([.admit(1, strikes: 1), .admit(2, strikes: 3), .left(1)], [1, 2]),
            ([.admit(1, strikes: 3), .admit(2, strikes: 1), .admit(3, strikes: 1)], [1]),
            ([.admit(1, strikes: 3), .admit(2, strikes: 1), .admit(3, strikes: 1), .left(1)], [1, 2, 3]),
            // When it has begun, others may come: nobody waits for its end.
            ([.admit(1, strikes: 3), .admit(2, strikes: 1), .began(1), .paused(1)], [1, 2]),
            ([.admit(1, strikes: 3), .admit(2, strikes: 3), .admit(3, strikes: 3), .began(1)], [1, 2]),
            ([.admit(1, strikes: 3), .admit(2, strikes: 3), .admit(3, strikes: 3), .began(1), .began(2)], [1, 2, 3]),
            ([.admit(1, strikes: 1), .admit(2, strikes: 3), .began(1)], [1, 2]),
            ([.admit(1, strikes: 1), .admit(2, strikes: 1), .admit(3, strikes: 3), .began(1)], [1, 2]),
            ([.admit(1, strikes: 1), .admit(2, strikes: 1), .admit(3, strikes: 3), .began(1), .left(2)], [1, 2, 3]),
            // Of those held the others go first, then one by one.
            ([.admit(1, strikes: 3), .admit(2, strikes: 3), .admit(3, strikes: 1), .left(1)], [1, 3]),
            ([.admit(1, strikes: 3), .admit(2, strikes: 3), .admit(3, strikes: 3), .left(1)], [1, 2]),
            ([.admit(1, strikes: 3), .admit(2, strikes: 3), .admit(3, strikes: 1), .left(1), .left(3)], [1, 3, 2]),
            // What is held may go away.
            ([.admit(1, strikes: 3), .admit(2, strikes: 1), .admit(3, strikes: 3), .left(2), .left(1)], [1, 3]),
            ([.admit(1, strikes: 3), .admit(2, strikes: 3), .admit(3, strikes: 3), .left(2), .left(1)], [1, 3]),
            // A retry begins while others are there.
            (
                [.admit(1, strikes: 3), .left(1), .admit(2, strikes: 1), .began(1), .left(1), .admit(3, strikes: 1)],
                [1, 2, 3]
            ),
            ([.left(1)], []),
        ] as [([Event], [Int])])
    func sending(events: [Event], sent: [Int]) {
        var suspects = Suspects()
        #expect(Self.sent(events, &suspects) == sent)
    }

    private static let ended = Suspects.Verdict.ended(attempt: 2, of: 5)

    @Test(
        "have their attempt counted when they are to blame for the loss of their node, and a strike when they may be",
        arguments: [
            // Not known before: the first strike, for what may have begun.
            ([], [0], [.strike]),
            ([.admit(1, strikes: 1), .admit(2, strikes: 1), .began(1)], [1, 1], [ended, .innocent]),
            ([.admit(1, strikes: 1), .admit(2, strikes: 1)], [1, 1], [.strike, .strike]),
            // One on each lane.
            ([.admit(1, strikes: 1), .admit(2, strikes: 1), .began(1), .began(2)], [1, 1], [ended, ended]),
            ([.admit(1, strikes: 1), .began(1), .paused(1)], [1], [ended]),
            (
                [.admit(1, strikes: 1), .admit(2, strikes: 1), .began(1), .paused(1), .began(2)], [1, 1],
                [.strike, ended]
            ),
            (
                [.admit(1, strikes: 2), .admit(2, strikes: 1), .began(1), .paused(1), .began(2), .paused(2)], [2, 1],
                [.strike, .strike]
            ),
            // After a retry beside others.
            (
                [.admit(1, strikes: 1), .began(1), .paused(1), .began(2), .paused(2)], [1, 3], [.strike, ended]
            ),
            ([.admit(1, strikes: 1), .admit(2, strikes: 1), .began(1), .left(1)], [1, 1], [.innocent, .strike]),
            ([.admit(1, strikes: 3)], [3], [.unread]),
            ([.admit(1, strikes: 3), .admit(2, strikes: 1), .began(1)], [3, 1], [ended, .innocent]),
            ([.admit(1, strikes: 3), .admit(2, strikes: 1)], [3, 1], [.unread, .innocent]),
            // Nothing pauses that has not begun.
            ([.admit(1, strikes: 1), .paused(1)], [1], [.strike]),
        ] as [([Event], [UInt8], [Suspects.Verdict])])
    func losses(events: [Event], strikes: [UInt8], verdicts: [Suspects.Verdict]) {
        var suspects = Suspects()
        _ = Self.sent(events, &suspects)
        let loss = suspects.lost(Self.node)
        let found = strikes.enumerated().map { index, strikes in
            loss.verdict(on: Self.id(index + 1), strikes: strikes, isDue: true)
        }
        #expect(found == verdicts)
        // The next node with this handle has none of them.
        let isSent = suspects.admit(Self.id(9), strikes: 3, to: Self.node)
        #expect(isSent)
    }

    @Test("are not those whose time had not come")
    func notDue() {
        var suspects = Suspects()
        let loss = suspects.lost(Self.node)
        #expect(loss.verdict(on: Self.id(1), strikes: 0, isDue: false) == .innocent)
    }

    @Test("are not held for ever, whatever comes first", arguments: 0..<200)
    func nothingIsHeldForEver(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var suspects = Suspects()
        var there: Set<Int> = []
        var waiting: Set<Int> = []
        func take(_ released: [JobID]) {
            for id in released {
                let wasWaiting = waiting.remove(Int(id.low)) != nil
                #expect(wasWaiting)
                there.insert(Int(id.low))
            }
        }
        for number in 1...50 {
            if suspects.admit(Self.id(number), strikes: UInt8.random(in: 1...3, using: &random), to: Self.node) {
                there.insert(number)
            } else {
                waiting.insert(number)
            }
            if Bool.random(using: &random), let done = there.union(waiting).sorted().randomElement(using: &random) {
                there.remove(done)
                waiting.remove(done)
                take(suspects.left(Self.id(done), Self.node))
            }
        }
        while let done = there.popFirst() { take(suspects.left(Self.id(done), Self.node)) }
        #expect(waiting.isEmpty)
    }
}

@Suite("Failures that are kept") struct KeptFailuresTests {
    private static func job(_ number: Int, bytes: Int = 2) -> Job {
        let text = String(repeating: "x", count: max(0, bytes - 8))
        return Job(
            id: JobID(high: 0, low: UInt64(number)), name: "j", args: bytes > 2 ? ["a": .string(text)] : [:],
            createdAt: Timestamp(microseconds: 0))
    }

    /// Those that went, of each that is put in.
    private static func insert(_ jobs: [Job], _ kept: inout KeptFailures) -> [[UInt64]] {
        jobs.map { kept.insert($0).map(\.low) }
    }

    @Test("are so many, and the oldest go first")
    func count() {
        var kept = KeptFailures(limit: 2, byteLimit: 1000)
        let gone = Self.insert([1, 2, 1, 3].map { Self.job($0) }, &kept)
        #expect(gone == [[], [], [], [2]])
        #expect(kept.jobs.map(\.id.low) == [1, 3])
        let removed = (kept.remove(Self.job(1).id), kept.remove(Self.job(1).id))
        #expect(removed.0?.name == "j")
        #expect(removed.1 == nil)
        #expect(kept[Self.job(3).id] != nil)
        #expect(kept.count == 1)
    }

    @Test("have so many bytes, but for the last")
    func bytes() {
        var kept = KeptFailures(limit: 10, byteLimit: 100)
        let jobs = [(1, 60), (2, 40), (3, 50), (4, 500)].map { Self.job($0, bytes: $1) }
        let gone = Self.insert(jobs, &kept)
        #expect(gone == [[], [], [1], [2, 3]])
        #expect(kept.jobs.map(\.id.low) == [4])
        kept.remove(jobs[3].id)
        let last = Self.insert([Self.job(5, bytes: 100)], &kept)
        #expect(last == [[]])
        #expect(kept.count == 1)
    }
}
