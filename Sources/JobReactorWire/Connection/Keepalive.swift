package import NIOCore

/// When to say that we are still here, and when to believe that the peer is not: a ping after `interval` without a byte
/// sent, the end after `timeout` without a byte received.
package struct Keepalive: Sendable {
    package enum Decision: Hashable, Sendable {
        case idle, ping, dead
    }

    package let interval: TimeAmount
    package let timeout: TimeAmount
    private var lastSent = NIODeadline.uptimeNanoseconds(0)
    private var lastReceived = NIODeadline.uptimeNanoseconds(0)

    /// 10 s and 30 s.
    package init(interval: TimeAmount = .seconds(10), timeout: TimeAmount = .seconds(30)) {
        self.interval = interval
        self.timeout = timeout
    }

    package mutating func note(sentAt sent: NIODeadline?, receivedAt received: NIODeadline?) {
        if let sent { lastSent = sent }
        if let received { lastReceived = received }
    }

    /// To be asked every `interval`.
    package func check(at now: NIODeadline) -> Decision {
        if now - lastReceived >= timeout { return .dead }
        return now - lastSent >= interval ? .ping : .idle
    }
}
