/// One moment, as two clocks show it.
package struct Moment: Hashable, Sendable {
    /// By the wall clock, which may be set: for what has a date.
    package var wall: Timestamp
    /// By a clock that nobody sets, with an origin of its own: for what counts from now.
    package var steady: Timestamp

    package init(wall: Timestamp, steady: Timestamp) {
        self.wall = wall
        self.steady = steady
    }

    /// The moment so many seconds later, if nobody sets the wall clock until then.
    package func advanced(bySeconds seconds: Double) -> Moment {
        Moment(wall: wall.advanced(bySeconds: seconds), steady: steady.advanced(bySeconds: seconds))
    }
}
