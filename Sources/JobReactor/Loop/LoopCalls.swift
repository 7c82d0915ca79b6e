internal import JobReactorCore
package import NIOCore

/// Calls from tasks to objects on one event loop. Each ends once: with the answer of the loop, with `CancellationError`
/// if its task is cancelled, or with `JobError.Code.stopped` after a stop.
///
/// After ``close()`` no call reaches the loop, which may then be shut down.
package final class LoopCalls: Sendable {
    private struct State {
        var isClosed = false
        var lastNumber = 0
        /// How to end each call under way with an error.
        var waiting: [Int: @Sendable (any Error) -> Void] = [:]
    }

    private let state = Locked(State())
    private let loop: any EventLoop
    private let stopped: JobError

    /// `what` is the subject of the error for calls after the stop: "the distributor".
    package init(to what: String, on loop: any EventLoop) {
        self.loop = loop
        stopped = JobError(.stopped, "\(what) was stopped: make another")
    }

    /// Runs `body` on the loop and waits for its answer.
    package func ask<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> EventLoopFuture<Value>
    ) async throws -> Value {
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        let value: Value = try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let refusal: (any Error)? = state.withLock { state in
                    if state.isClosed { return stopped }
                    if Task.isCancelled { return CancellationError() }
                    state.waiting[number] = { continuation.resume(throwing: $0) }
                    // Here, so that no stop comes between: afterwards there may be no loop.
                    loop.execute { self.run(body, number, continuation) }
                    return nil
                }
                if let refusal { continuation.resume(throwing: refusal) }
            }
        } onCancel: {
            take(number)?(CancellationError())
        }
        // Whoever resumed it had the lock after the value was made. The thread sanitizer sees that, and not what the runtime has for
        // a continuation that is resumed before its await.
        state.withLock { _ in }
        return value
    }

    /// As above, for an immediate answer.
    package func ask<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await ask { [loop] in loop.makeSucceededFuture(try body()) }
    }

    /// Runs `task` on the loop without waiting for it. Returns false, and does nothing, after the stop.
    @discardableResult
    package func tell(_ task: @escaping @Sendable () -> Void) -> Bool {
        state.withLock { state in
            if !state.isClosed { loop.execute(task) }
            return !state.isClosed
        }
    }

    /// Ends all pending calls and refuses later ones.
    package func close() {
        let waiting = state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [:] }
            return state.waiting
        }
        for end in waiting.values { end(stopped) }
    }

    private func run<Value: Sendable>(
        _ body: () throws -> EventLoopFuture<Value>, _ number: Int,
        _ continuation: CheckedContinuation<Value, any Error>
    ) {
        guard state.withLock({ $0.waiting[number] != nil }) else { return }
        do {
            try body().whenComplete { result in
                if self.take(number) != nil { continuation.resume(with: result) }
            }
        } catch {
            take(number)?(error)
        }
    }

    private func take(_ number: Int) -> (@Sendable (any Error) -> Void)? {
        state.withLock { $0.waiting.removeValue(forKey: number) }
    }
}
