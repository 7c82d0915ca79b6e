internal import NIOCore

extension EventLoop {
    /// Runs the task now when the caller is on this loop, else soon: for answers that come on any thread.
    func runOrExecute(_ task: @escaping @Sendable () -> Void) {
        if inEventLoop { task() } else { execute(task) }
    }
}
