internal import DequeModule
internal import JobReactorCore

/// So many at once; the others wait for their turn, first come, first served.
final class Turns: Sendable {
    private struct State {
        var most: Int
        var taken = 0
        var last = 0
        var waiting: Deque<(number: Int, turn: CheckedContinuation<Void, any Error>)> = []
        /// Given up before they could wait.
        var early: Set<Int> = []
    }

    private let state: Locked<State>

    init(_ most: Int) { state = Locked(State(most: max(1, most))) }

    /// From now on so many.
    func limit(to most: Int) {
        let turns = state.withLock { state in
            state.most = max(1, most)
            return Self.next(&state)
        }
        for turn in turns { turn.resume() }
    }

    /// Runs `body` when it is its turn. Throws `CancellationError` when the task is cancelled before.
    func take<Result>(_ body: () async throws -> Result) async throws -> Result {
        try await wait()
        defer { give() }
        return try await body()
    }

    private func wait() async throws {
        let number = state.withLock { state in
            state.last += 1
            return state.last
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (turn: CheckedContinuation<Void, any Error>) in
                let answer: Swift.Result<Void, any Error>? = state.withLock { state in
                    if state.early.remove(number) != nil { return .failure(CancellationError()) }
                    guard state.taken >= state.most else {
                        state.taken += 1
                        return .success(())
                    }
                    state.waiting.append((number, turn))
                    return nil
                }
                if let answer { turn.resume(with: answer) }
            }
        } onCancel: {
            let turn = state.withLock { state in
                guard let index = state.waiting.firstIndex(where: { $0.number == number }) else {
                    state.early.insert(number)
                    return nil as CheckedContinuation<Void, any Error>?
                }
                return state.waiting.remove(at: index).turn
            }
            turn?.resume(throwing: CancellationError())
        }
        // The cancellation may have come when its turn had.
        state.withLock { _ = $0.early.remove(number) }
    }

    private func give() {
        let turns = state.withLock { state in
            state.taken -= 1
            return Self.next(&state)
        }
        for turn in turns { turn.resume() }
    }

    private static func next(_ state: inout State) -> [CheckedContinuation<Void, any Error>] {
        var turns: [CheckedContinuation<Void, any Error>] = []
        while state.taken < state.most, let next = state.waiting.popFirst() {
            state.taken += 1
            turns.append(next.turn)
        }
        return turns
    }
}

/// ``Turns`` of each of many, such as the servers that scripts ask.
final class TurnsByKey: Sendable {
    private struct State {
        var most: Int
        var all: [String: (turns: Turns, users: Int)] = [:]
    }

    private let state: Locked<State>

    init(_ most: Int) { state = Locked(State(most: most)) }

    func limit(to most: Int) {
        let all = state.withLock { state in
            state.most = most
            return state.all.values.map(\.turns)
        }
        for turns in all { turns.limit(to: most) }
    }

    /// As ``Turns/take(_:)``, among those of one key.
    func take<Result>(_ key: String, _ body: () async throws -> Result) async throws -> Result {
        let turns = state.withLock { state in
            let known = state.all[key] ?? (Turns(state.most), 0)
            state.all[key] = (known.turns, known.users + 1)
            return known.turns
        }
        defer {
            state.withLock { state in
                guard let known = state.all[key] else { return }
                state.all[key] = known.users > 1 ? (known.turns, known.users - 1) : nil
            }
        }
        return try await turns.take(body)
    }
}
