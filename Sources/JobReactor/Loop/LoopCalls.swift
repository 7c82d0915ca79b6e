internal import JobReactorCore
package import NIOCore

/// Calls from tasks to what lives on one event loop. Each ends once: as the loop answers, with `CancellationError` when its
/// task is cancelled, or with `JobError.Code.stopped` when the loop's part has been stopped.
///
/// After ``close()`` nothing more goes to the loop, which may then be gone.
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

    /// `what` names the one that answers, for the error of a call after the stop: "the distributor".
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

    /// As above, for an answer that is there at once.
    package func ask<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await ask { [loop] in loop.makeSucceededFuture(try body()) }
    }

    /// Runs `task` on the loop, for which nobody waits; does nothing after the stop. Returns whether it will run.
    @discardableResult
    package func tell(_ task: @escaping @Sendable () -> Void) -> Bool {
        state.withLock { state in
            if !state.isClosed { loop.execute(task) }
            return !state.isClosed
        }
    }

    /// Ends all calls under way; those that come are refused.
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
