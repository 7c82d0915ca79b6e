internal import JobReactorCore

/// A task with a time that it may take. When that is over it is cancelled, as when nobody wants its result any more.
final class TimedWork: Sendable {
    private let isOver = Locked(false)
    private let task = Locked<Task<Void, Never>?>(nil)

    /// Starts it; the work itself can ask ``hasTimedOut``. It must not let the object live on.
    init(seconds: Double, _ work: @escaping @Sendable (TimedWork) async -> Void) {
        let run = Task { await work(self) }
        task.withLock { $0 = run }
        let timer = Task {
            guard (try? await Task.sleep(for: .seconds(seconds))) != nil else { return }
            self.isOver.withLock { $0 = true }
            run.cancel()
        }
        Task {
            await run.value
            timer.cancel()
        }
    }

    /// Whether it was its time that ended it.
    var hasTimedOut: Bool { isOver.withLock { $0 } }

    func cancel() { task.withLock { $0 }?.cancel() }

    /// Seconds as an error says them.
    static func words(_ seconds: Double) -> String { Int(exactly: seconds).map { "\($0) s" } ?? "\(seconds) s" }
}
