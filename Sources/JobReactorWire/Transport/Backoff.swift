/// The waits between attempts to connect: 1 s at first, doubling up to 10 s, with jitter, so that many nodes do not
/// reconnect at the same time. It never gives up.
package struct Backoff: Hashable, Sendable {
    private var failures = 0
    private let longest: Double

    /// `longest` is for reconnects within less than 10 s; it also bounds the first wait.
    package init(longest: Double = 10) { self.longest = longest }

    /// The seconds to wait after one more failure; `random` in 0..<1 spreads them.
    package mutating func next(random: Double) -> Double {
        let full = min(longest, Double(1 << min(failures, 4)))
        failures += 1
        // The first wait is the promised second; later ones lose up to a quarter.
        return failures == 1 ? full : full * (0.75 + 0.25 * random)
    }

    /// A connection succeeded: start again at 1 s.
    package mutating func reset() { failures = 0 }
}
