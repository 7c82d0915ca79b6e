/// How long to wait before the next try at a connection: 1 s at first, doubling to at most 10 s, with jitter, so that
/// many nodes do not come back in step. It never gives up.
package struct Backoff: Hashable, Sendable {
    private var failures = 0
    private let longest: Double

    /// `longest` is for those who have to be back sooner than after 10 s: also the first wait is no longer.
    package init(longest: Double = 10) { self.longest = longest }

    /// Seconds to wait after one more failure; `random` in 0..<1 spreads them.
    package mutating func next(random: Double) -> Double {
        let full = min(longest, Double(1 << min(failures, 4)))
        failures += 1
        // The first wait is the promised second; later ones lose up to a quarter.
        return failures == 1 ? full : full * (0.75 + 0.25 * random)
    }

    /// A connection was good: start again at 1 s.
    package mutating func reset() { failures = 0 }
}
