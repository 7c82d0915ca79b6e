package import NIOCore

/// Heartbeats and the detection of silent peers: a ping after `interval` without a byte sent, the end after `timeout`
/// without a byte received.
package struct Keepalive: Sendable {
    package enum Decision: Hashable, Sendable {
        case idle, ping, dead
    }

    package let interval: TimeAmount
    package let timeout: TimeAmount
    private var lastSent = NIODeadline.uptimeNanoseconds(0)
    private var lastReceived = NIODeadline.uptimeNanoseconds(0)
    private var lastCheck: NIODeadline?

    /// 10 s and 30 s.
    package init(interval: TimeAmount = .seconds(10), timeout: TimeAmount = .seconds(30)) {
        self.interval = interval
        self.timeout = timeout
    }

    /// The keepalive of a link with these limits: the interval is a third of the allowed silence.
    package init(_ limits: RESPLimits) {
        let timeout = TimeAmount.seconds(Int64(min(max(3, limits.silenceTime), 1 << 30)))
        self.init(interval: .nanoseconds(timeout.nanoseconds / 3), timeout: timeout)
    }

    package mutating func note(sentAt sent: NIODeadline?, receivedAt received: NIODeadline?) {
        if let sent { lastSent = sent }
        if let received { lastReceived = received }
    }

    /// Call this every `interval`. A late call means that this process was blocked or frozen: input of the peer may be
    /// unread, so the peer gets another interval.
    package mutating func check(at now: NIODeadline) -> Decision {
        let isLate = lastCheck.map { now - $0 >= .nanoseconds(2 * interval.nanoseconds) } ?? false
        lastCheck = now
        if now - lastReceived >= timeout { return isLate ? .ping : .dead }
        return now - lastSent >= interval ? .ping : .idle
    }
}
