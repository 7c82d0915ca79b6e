internal import JobReactorCore
package import JobReactorWire
package import NIOCore

/// Sends commands of many callers over one connection to a Redis server, without waiting for earlier answers. Safe to
/// use from any thread.
///
/// It connects when there is a command to send, reconnects after a loss with backoff, and disconnects when it is idle.
/// Do not send commands that change the state of the shared connection.
package final class RedisPipeline: Sendable {
    package struct Options: Sendable {
        /// Seconds that a command waits for a connection.
        package var patience = 5.0
        /// Seconds without a byte, while answers are due, after which the connection is closed.
        package var silence = 60.0
        /// Seconds without a command after which the connection is closed.
        package var idleness = 60.0
        /// The largest number of bytes and elements of one answer.
        package var limits = RESPLimits(frameBytes: 64 << 20, elements: 1_000_000)

        package init() {}
    }

    package typealias Done = @Sendable (Result<RESPValue, RedisPipelineError>) -> Void

    package let location: RedisLocation
    private let loop: any EventLoop
    private let core: NIOLoopBoundBox<RedisPipelineCore>

    /// `tls` is for locations with TLS; nil trusts the system's authorities.
    package init(
        _ location: RedisLocation, options: Options = Options(), tls: TransportSecurity? = nil,
        on loop: any EventLoop
    ) {
        self.location = location
        self.loop = loop
        core = NIOLoopBoundBox.makeBoxSendingValue(
            RedisPipelineCore(location, options, tls: tls, on: loop), eventLoop: loop)
    }

    /// Sends a command. `done` is called once, on the loop. The returned closure withdraws a command that has not been
    /// sent; `done` is then not called.
    package func call(_ words: RESPWords, done: @escaping Done) -> @Sendable () -> Void {
        let ticket = Ticket()
        loop.execute { self.core.value.call(words, ticket, done) }
        return {
            ticket.isCancelled.withLock { $0 = true }
            self.loop.execute { self.core.value.forgetCancelled() }
        }
    }

    /// Closes the connection; commands without an answer fail. The next command opens another.
    package func close() {
        loop.execute { self.core.value.close() }
    }

    /// Whether a command was taken back.
    final class Ticket: Sendable {
        let isCancelled = Locked(false)
    }
}
