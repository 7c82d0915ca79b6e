internal import JobReactorCore

/// One call of a storage, from its start to its answer, and to any further answers there should not be.
final class StorageCall<Value: Sendable>: AnyStorageCall {
    let name: String
    private let patience: Duration
    private let state = Locked(State())

    private struct State {
        var answers = 0
        var first: Result<Value, StorageError>?
        var waiters: [CheckedContinuation<Void, Never>] = []
        var isOverdue = false
    }

    init(_ name: String, patience: Duration) {
        self.name = name
        self.patience = patience
    }

    var answers: Int { state.withLock { $0.answers } }

    /// Whether the call is answered already, with a fault that the conformance suite has put there.
    var hasInjectedFault: Bool {
        if case .failure(FaultInjectingStorage.fault)? = state.withLock({ $0.first }) { true } else { false }
    }

    func answer(_ result: Result<Value, StorageError>) {
        let waiters = state.withLock { state in
            state.answers += 1
            if state.first == nil { state.first = result }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// The first answer; nil when none came in time.
    func result() async -> Result<Value, StorageError>? {
        if let first = state.withLock({ $0.first }) { return first }
        let deadline = Task { [patience] in
            guard (try? await Task.sleep(for: patience)) != nil else { return }
            giveUp()
        }
        await withCheckedContinuation { waiter in
            let isOver = state.withLock { state in
                let isOver = state.first != nil || state.isOverdue
                if !isOver { state.waiters.append(waiter) }
                return isOver
            }
            if isOver { waiter.resume() }
        }
        deadline.cancel()
        return state.withLock { $0.first }
    }

    func isAnswered() async -> Bool { await result() != nil }

    private func giveUp() {
        let waiters = state.withLock { state in
            state.isOverdue = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}

/// A ``StorageCall`` of any value.
protocol AnyStorageCall: Sendable {
    var name: String { get }
    /// How often `done` was called.
    var answers: Int { get }
    /// Waits for the first answer; false when none came in time.
    func isAnswered() async -> Bool
}
