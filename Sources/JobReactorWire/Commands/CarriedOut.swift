package import NIOCore

/// The result of an order for many jobs.
package struct CarriedOut: Sendable {
    package var count = 0
    /// The reason why it ended early.
    package var failure: (any Error)?

    package init(count: Int = 0, failure: (any Error)? = nil) {
        self.count = count
        self.failure = failure
    }

    /// Replies with the number of jobs, or with the reason why it ended early.
    package func write(_ order: JobOrder, isDry: Bool, to buffer: inout ByteBuffer) {
        guard let failure else { return buffer.writeRESPInteger(count) }
        let begun = isDry || count == 0 ? "" : "\(order.done(to: count)), and then: "
        buffer.writeRESPError("ERR \(begun)\(failure)")
    }
}
