internal import Logging
internal import NIOCore

/// A line of the log that strangers can cause: one a second at most, with how often it would have been written. Bound to an
/// event loop.
final class RepeatedLine {
    private let text: Logger.Message
    private let logger: Logger
    private let loop: any EventLoop
    private var count = 0
    private var last: Logger.Metadata = [:]
    private var isClosed = false

    init(_ text: Logger.Message, _ logger: Logger, on loop: any EventLoop) {
        self.text = text
        self.logger = logger
        self.loop = loop
    }

    func note(_ metadata: Logger.Metadata) {
        count += 1
        last = metadata
        if !isClosed { write() }
    }

    private func write() {
        logger.warning(text, metadata: last.merging(["times": "\(count)"]) { first, _ in first })
        (count, isClosed) = (0, true)
        loop.assumeIsolated().scheduleTask(in: .seconds(1)) {
            self.isClosed = false
            if self.count > 0 { self.write() }
        }
    }
}
