import JobReactor
import JobReactorTesting
import Testing

/// Collects what feedbacks bring, and lets a test wait for a number of them.
final class Collector<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var waiting: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Locked(State())

    var elements: [Element] { state.withLock { $0.elements } }

    func append(_ element: Element) {
        let ready = state.withLock { state in
            state.elements.append(element)
            let count = state.elements.count
            let ready = state.waiting.filter { $0.count <= count }.map(\.continuation)
            state.waiting.removeAll { $0.count <= count }
            return ready
        }
        for continuation in ready { continuation.resume() }
    }

    /// Waits for at least `count` elements, or fails the test after `seconds`.
    func wait(for count: Int, seconds: Double = 240, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await withDeadline(seconds, sourceLocation: sourceLocation) {
            await withCheckedContinuation { continuation in
                let isReady = self.state.withLock { state in
                    if state.elements.count >= count { return true }
                    state.waiting.append((count, continuation))
                    return false
                }
                if isReady { continuation.resume() }
            }
        }
    }

    private func release() {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        for entry in waiting { entry.continuation.resume() }
    }

    private func withDeadline(
        _ seconds: Double, sourceLocation: SourceLocation, _ body: @escaping @Sendable () async -> Void
    ) async throws {
        let timer = Task {
            try await Task.sleep(for: .seconds(seconds))
            Issue.record("only \(self.elements.count) came within \(seconds) s", sourceLocation: sourceLocation)
            self.release()
        }
        await body()
        timer.cancel()
    }
}

/// Waits until nodes of these names, and no others, are connected and define something.
func waitForNodes(_ names: [String], at producer: some JobProducer) async throws {
    try await eventually("nodes \(names)") {
        try await producer.nodes().filter { $0.window > 0 && !$0.jobs.isEmpty }.map(\.name) == names.sorted()
    }
}

/// Asks again until the answer is yes: for states that announce themselves to nobody. Fails after 30 s.
func eventually(
    _ what: String, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
    for _ in 0..<24_000 {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("never came: \(what)", sourceLocation: sourceLocation)
}

/// Takes its argument before the macro sees it: what changes a value cannot stand in `#expect`.
func expect(_ holds: Bool, _ note: String = "", sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(holds, "\(note)", sourceLocation: sourceLocation)
}
