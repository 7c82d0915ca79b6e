/// One moment on two clocks.
package struct Moment: Hashable, Sendable {
    /// By the wall clock, which may be set: for dates.
    package var wall: Timestamp
    /// By a monotonic clock with its own origin: for waits.
    package var steady: Timestamp

    package init(wall: Timestamp, steady: Timestamp) {
        self.wall = wall
        self.steady = steady
    }

    /// The moment this many seconds later, if the wall clock is not set until then.
    package func advanced(bySeconds seconds: Double) -> Moment {
        Moment(wall: wall.advanced(bySeconds: seconds), steady: steady.advanced(bySeconds: seconds))
    }
}
