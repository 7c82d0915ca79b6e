private import Dispatch
private import Foundation

/// Writes lines on a thread of its own: whoever adds one never waits for who reads them.
///
/// A thread, as the descriptor may block: that it does not is a property that it shares with every process which has it.
///
/// `@unchecked Sendable`: the variables are only touched while `condition` is locked.
final class LineWriter: @unchecked Sendable {
    private let descriptor: Int32
    private let condition = NSCondition()
    private var ring: LineRing
    private var isEnding = false
    private let end = DispatchSemaphore(value: 0)

    init(to descriptor: Int32, _ ring: LineRing) {
        self.descriptor = descriptor
        self.ring = ring
        let thread = Thread { [self] in run() }
        thread.name = "log"
        thread.start()
    }

    func add(_ line: String) {
        condition.withLock {
            ring.add(line)
            condition.signal()
        }
    }

    /// Lines that were lost, since the beginning.
    var dropped: Int { condition.withLock { ring.dropped } }

    /// Waits until all lines have been written, at most so long. Nothing is to be added afterwards.
    func finish(within seconds: Double) {
        condition.withLock {
            isEnding = true
            condition.signal()
        }
        _ = end.wait(timeout: .now() + seconds)
    }

    private func run() {
        // A reader that is gone is an error of the write, and signals for the process are for the other threads.
        var signals = sigset_t()
        sigfillset(&signals)
        pthread_sigmask(SIG_SETMASK, &signals, nil)
        while let piece = next() {
            guard Terminal.write(piece.bytes, to: descriptor) != nil else { continue }
            condition.withLock { ring.fail(piece) }
        }
        end.signal()
    }

    /// Waits for the next piece; nil at the end.
    private func next() -> LineRing.Piece? {
        condition.withLock {
            while true {
                if let piece = ring.next() { return piece }
                if isEnding { return nil }
                condition.wait()
            }
        }
    }
}
