internal import DequeModule
internal import JobReactorCore

/// So many at once; the others wait for their turn, first come, first served.
final class Turns: Sendable {
    /// Its turn did not come in the time that it had for that.
    struct TooLate: Error {}

    private struct State {
        var most: Int
        var taken = 0
        var waiting: Deque<Waiter> = []
    }

    private let state: Locked<State>

    init(_ most: Int) { state = Locked(State(most: max(1, most))) }

    /// From now on so many.
    func limit(to most: Int) {
        let turns = state.withLock { state in
            state.most = max(1, most)
            return Self.next(&state)
        }
        for turn in turns { turn() }
    }

    /// Runs `body` when it is its turn. Throws `CancellationError` when the task is cancelled before, and ``TooLate`` when that
    /// takes longer than `seconds`.
    func take<Result>(within seconds: Double = .infinity, _ body: () async throws -> Result) async throws -> Result {
        try Task.checkCancellation()
        if let waiter = takeOrWait() { try await wait(waiter, within: seconds) }
        defer { give() }
        return try await body()
    }

    /// Nil when it is its turn at once.
    private func takeOrWait() -> Waiter? {
        state.withLock { state in
            guard state.taken >= state.most else {
                state.taken += 1
                return nil
            }
            let waiter = Waiter()
            state.waiting.append(waiter)
            return waiter
        }
    }

    private func wait(_ waiter: Waiter, within seconds: Double) async throws {
        let timer =
            seconds.isFinite
            ? Task {
                try await Task.sleep(for: .seconds(seconds))
                self.giveUp(waiter, TooLate())
            } : nil
        defer { timer?.cancel() }
        try await withTaskCancellationHandler {
            try await waiter.wait()
        } onCancel: {
            giveUp(waiter, CancellationError())
        }
    }

    private func giveUp(_ waiter: Waiter, _ error: any Error) {
        guard let end = waiter.end(.failure(error)) else { return }
        state.withLock { state in state.waiting.removeAll { $0 === waiter } }
        end()
    }

    private func give() {
        let turns = state.withLock { state in
            state.taken -= 1
            return Self.next(&state)
        }
        for turn in turns { turn() }
    }

    /// What is to be called for those whose turn it is now, when no lock is held.
    private static func next(_ state: inout State) -> [@Sendable () -> Void] {
        var turns: [@Sendable () -> Void] = []
        while state.taken < state.most, let waiter = state.waiting.popFirst() {
            guard let turn = waiter.end(.success(())) else { continue }
            state.taken += 1
            turns.append(turn)
        }
        return turns
    }

    /// One who waits, until it is its turn or it has given up, whichever comes first.
    private final class Waiter: Sendable {
        private enum State {
            case new
            case waiting(CheckedContinuation<Void, any Error>)
            case ended(Swift.Result<Void, any Error>)
        }

        private let state = Locked(State.new)

        func wait() async throws {
            try await withCheckedThrowingContinuation { continuation in
                let result: Swift.Result<Void, any Error>? = state.withLock { state in
                    if case .ended(let result) = state { return result }
                    state = .waiting(continuation)
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        }

        /// Nil when it had ended before. Else what is to be called when no lock is held: to resume a task takes a lock that the one
        /// who cancels it holds while it gives up.
        func end(_ result: Swift.Result<Void, any Error>) -> (@Sendable () -> Void)? {
            state.withLock { state in
                let before = state
                if case .ended = before { return nil }
                state = .ended(result)
                guard case .waiting(let continuation) = before else { return {} }
                return { continuation.resume(with: result) }
            }
        }
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

    /// As ``Turns/take(within:_:)``, among those of one key.
    func take<Result>(
        _ key: String, within seconds: Double = .infinity, _ body: () async throws -> Result
    ) async throws -> Result {
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
        return try await turns.take(within: seconds, body)
    }
}
