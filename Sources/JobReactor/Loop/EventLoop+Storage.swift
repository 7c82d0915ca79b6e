package import JobReactorCore
package import NIOCore

extension EventLoop {
    /// Runs the task now when the caller is on this loop, else soon: for answers that come on any thread.
    package func runOrExecute(_ task: @escaping @Sendable () -> Void) {
        if inEventLoop { task() } else { execute(task) }
    }

    /// The answer to a call of a storage.
    package func answer<Value: Sendable>(
        _ call: (@escaping @Sendable (Result<Value, StorageError>) -> Void) -> Void
    ) -> EventLoopFuture<Value> {
        let promise = makePromise(of: Value.self)
        call { promise.completeWith($0.mapError { $0 as any Error }) }
        return promise.futureResult
    }
}
