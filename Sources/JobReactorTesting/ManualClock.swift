public import JobReactorCore

/// A wall clock that stands still until a test moves it.
///
/// ```swift
/// let clock = ManualClock()
/// let node = try await cluster.startNode("n1", for: [distributor]) { $0.clock = clock.wallClock }
/// clock.advance(bySeconds: 5)  // every component that reads `clock.wallClock` now sees it five seconds later
/// ```
///
/// All members may be used on any thread, at any time. Moving the clock wakes no component: a node whose jobs wait for
/// dates checks the clock every two seconds. Waits (`after`, `period`, retries) are not measured by it.
public final class ManualClock: Sendable {
    private let current: Locked<Timestamp>

    /// A clock that stands at `start`, by default 2026-01-01 00:00 UTC.
    public init(at start: Timestamp = Timestamp(microseconds: 1_767_225_600_000_000)) {
        current = Locked(start)
    }

    /// The current time of the clock.
    public var now: Timestamp { current.withLock { $0 } }

    /// The clock for the tested components; it follows this one.
    public var wallClock: WallClock { WallClock { self.now } }

    /// Sets the clock, forwards or backwards, as an operator or a time server may do to a real one.
    public func set(_ time: Timestamp) {
        current.withLock { $0 = time }
    }

    /// Moves the clock by that many seconds, to a microsecond; backwards when negative. Returns the time it then shows.
    @discardableResult
    public func advance(bySeconds seconds: Double) -> Timestamp {
        current.withLock { current in
            current = current.advanced(bySeconds: seconds)
            return current
        }
    }

    /// Moves the clock by a duration, rounded towards zero to a microsecond. Returns the time it then shows.
    @discardableResult
    public func advance(by duration: Duration) -> Timestamp {
        let (seconds, attoseconds) = duration.components
        return current.withLock { current in
            current.microseconds += seconds * 1_000_000 + attoseconds / 1_000_000_000_000
            return current
        }
    }
}
