internal import JobReactorCore

/// A task with a time that it may take, from when it says so. When that is over it is cancelled, as when nobody wants its result
/// any more.
final class TimedWork: Sendable {
    private let seconds: Double
    private let isOver = Locked(false)
    private let task = Locked<Task<Void, Never>?>(nil)
    private let timer = Locked<Task<Void, Never>?>(nil)

    /// Has the first wait of the process made, which opens files of its own and ends the process where it cannot: before there are
    /// scripts, which could have all of them open.
    static let ready: Void = { Task { try? await Task.sleep(for: .milliseconds(1)) } }()

    /// Starts it; the work itself calls ``begin()`` and can ask ``hasTimedOut``. It must not let the object live on.
    init(seconds: Double, _ work: @escaping @Sendable (TimedWork) async -> Void) {
        self.seconds = seconds
        // Whoever cancels waits for the lock, and so for the task.
        task.withLock { task in
            task = Task {
                await work(self)
                self.timer.withLock { $0 }?.cancel()
            }
        }
    }

    /// From now on its time counts: it has its turn. Called once.
    func begin() {
        let timer = Task {
            guard (try? await Task.sleep(for: .seconds(self.seconds))) != nil else { return }
            self.isOver.withLock { $0 = true }
            self.cancel()
        }
        self.timer.withLock { $0 = timer }
    }

    /// Whether it was its time that ended it.
    var hasTimedOut: Bool { isOver.withLock { $0 } }

    func cancel() { task.withLock { $0 }?.cancel() }

    /// Seconds as an error says them.
    static func words(_ seconds: Double) -> String { Int(exactly: seconds).map { "\($0) s" } ?? "\(seconds) s" }
}
