import JobReactorCore
import Testing

@testable import JobReactorLibraries

@Suite("Turns", .timeLimit(.minutes(5))) struct TurnsTests {
    /// How many are at it, and how many were at most.
    private struct Count: Sendable {
        private let state = Locked((now: 0, most: 0))
        var most: Int { state.withLock { $0.most } }
        var now: Int { state.withLock { $0.now } }

        func come() {
            state.withLock { state in
                state.now += 1
                state.most = max(state.most, state.now)
            }
        }

        func go() { state.withLock { $0.now -= 1 } }
    }

    @Test("so many at once and no more, and everyone has a turn")
    func bounded() async throws {
        let (turns, count) = (Turns(4), Count())
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    try await turns.take { () -> Void in
                        count.come()
                        await Task.yield()
                        count.go()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(count.now == 0 && (1...4).contains(count.most))
    }

    @Test("one that is cancelled has no turn, and keeps back nobody", arguments: [false, true])
    func cancelled(before: Bool) async throws {
        let turns = Turns(1)
        let (gate, open) = AsyncStream<Void>.makeStream()
        let (began, begin) = AsyncStream<Void>.makeStream()
        let first = Task {
            try await turns.take { () -> Void in
                begin.finish()
                for await _ in gate {}
            }
        }
        for await _ in began {}
        let second = Task {
            if before { withUnsafeCurrentTask { $0?.cancel() } }
            try await turns.take { () -> Void in Issue.record("it had a turn") }
        }
        if !before { second.cancel() }
        await #expect(throws: CancellationError.self) { try await second.value }
        open.finish()
        try await first.value
        let seven = try await turns.take { 7 }
        #expect(seven == 7)
    }

    @Test("a larger limit lets those in who wait")
    func raised() async throws {
        let (turns, count) = (Turns(1), Count())
        let (gate, open) = AsyncStream<Void>.makeStream()
        let tasks = (0..<3).map { _ in
            Task {
                try await turns.take { () -> Void in
                    count.come()
                    for await _ in gate {}
                    count.go()
                }
            }
        }
        turns.limit(to: 3)
        while count.now < 3 { await Task.yield() }
        open.finish()
        for task in tasks { try await task.value }
        #expect(count.now == 0)
    }

    @Test("one whose turn does not come in time gives up, and keeps back nobody")
    func tooLate() async throws {
        let turns = Turns(1)
        try await turns.take { () -> Void in
            for seconds in [0, 0.05] {
                await #expect(throws: Turns.TooLate.self) {
                    try await turns.take(within: seconds) { () -> Void in Issue.record("it had a turn") }
                }
            }
        }
        let seven = try await turns.take(within: 0) { 7 }
        #expect(seven == 7)
    }

    @Test("those of one key do not wait for those of another")
    func keys() async throws {
        let turns = TurnsByKey(1)
        try await turns.take("a") { () -> Void in
            let other = try await turns.take("b") { 2 }
            #expect(other == 2)
        }
        let one = try await turns.take("a") { 1 }
        #expect(one == 1)
    }
}
