private import Dispatch
internal import JobReactorCore
internal import SystemPackage

#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif

/// What a program writes to one of its outputs: a pipe that is read as the bytes come, up to a limit.
///
/// The library that starts programs has pipes of its own for that. It ends this process when the system refuses it one of them,
/// as it does when there are too many open files.
///
/// One of ``finish()`` and ``discard()`` ends it.
final class ProcessOutput: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var isTooLong = false
        /// No more is read.
        var isOver = false
        var writeEnd: Int32?
        var source: (any DispatchSourceRead)?
    }

    private let limit: Int
    private let readEnd: Int32
    private let state: Locked<State>
    private let queue = DispatchQueue(label: "jobreactor.exec.output")

    /// Nil when the system has no more files for this process.
    init?(limit: Int) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        self.limit = limit
        readEnd = ends[0]
        state = Locked(State(writeEnd: ends[1]))
    }

    /// The program's end, until ``start(onOverflow:)``.
    var descriptor: FileDescriptor { FileDescriptor(rawValue: state.withLock { $0.writeEnd } ?? -1) }

    /// The program has its end. From now on what it writes is read; `onOverflow` is called when that is more than the limit, and
    /// then the pipe is closed.
    func start(onOverflow: @escaping @Sendable () -> Void) {
        closeWriteEnd()
        let readEnd = readEnd
        let source = DispatchSource.makeReadSource(fileDescriptor: readEnd, queue: queue)
        source.setEventHandler { if self.readAvailable() { onOverflow() } }
        source.setCancelHandler { close(readEnd) }
        state.withLock { $0.source = source }
        source.resume()
    }

    /// When the program has ended: all that it wrote, or nil when that was more than the limit. What it has started itself may
    /// hold the pipe, and is not waited for.
    func finish() async -> [UInt8]? {
        await withCheckedContinuation { continuation in
            queue.async {
                _ = self.readAvailable()
                self.stop()
                continuation.resume(returning: self.state.withLock { $0.isTooLong ? nil : $0.bytes })
            }
        }
    }

    /// No program was started.
    func discard() {
        closeWriteEnd()
        close(readEnd)
    }

    /// On the queue, or before there is anything on it. Returns whether the limit was passed just now.
    private func readAvailable() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while !state.withLock({ $0.isOver }) {
            let count = read(readEnd, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            // There is no more for now.
            if count < 0, errno == EAGAIN { return false }
            guard count > 0 else {
                stop()
                return false
            }
            let isTooLong = state.withLock { state in
                state.isTooLong = count > limit - state.bytes.count
                if !state.isTooLong { state.bytes.append(contentsOf: buffer[..<count]) }
                return state.isTooLong
            }
            guard !isTooLong else {
                stop()
                return true
            }
        }
        return false
    }

    /// Closes the pipe.
    private func stop() {
        state.withLock { state in
            state.isOver = true
            state.source?.cancel()
            state.source = nil
        }
    }

    private func closeWriteEnd() {
        let end = state.withLock { state in
            defer { state.writeEnd = nil }
            return state.writeEnd
        }
        if let end { close(end) }
    }
}
