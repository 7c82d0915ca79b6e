/// The user and the time of a pause.
package struct Pause: Hashable, Sendable, Codable {
    package var by: String
    package var at: Timestamp

    package init(by: String, at: Timestamp) {
        self.by = by
        self.at = at
    }
}

/// The stored state of a schedule beside its definition, so that no process makes a tick twice.
///
/// Store it in one step with the jobs of the ticks that it counts as made.
package struct ScheduleState: Hashable, Sendable, Codable {
    /// The ticks that are made, left out or missed.
    var ticks: DecidedTicks
    /// Up to then.
    package var decided: Timestamp { ticks.end }
    /// Where the ticks of `every` are counted from.
    package var base: Timestamp
    /// What the schedule said about when it is due, in words.
    var rhythm: String
    /// The tick that waits for the end of the earlier.
    package var waiting: Timestamp?
    /// Missed ticks are made one after the other.
    package var isCatchingUp = false
    package var pause: Pause?
    /// The tick made last, and how the last that has ended did.
    package var last: Timestamp?
    package var lastOutcome: JobStatus?
    /// Ticks that became jobs.
    package var made = 0
    /// Ticks that were skipped because an earlier one was unfinished.
    package var skipped = 0
    /// Ticks that were missed and not made up. For one absence, at most ``Schedule/mostCaughtUp`` are counted.
    package var missed = 0
    /// Ticks that have not begun in time.
    package var late = 0

    init(decided: Timestamp, base: Timestamp, rhythm: String) {
        ticks = DecidedTicks(end: decided)
        self.base = base
        self.rhythm = rhythm
    }
}
