/// The clock of another machine, read between two readings of our own.
package struct ClockReading: Hashable, Sendable {
    package var asked: Timestamp
    package var theirs: Timestamp
    package var answered: Timestamp

    package init(asked: Timestamp, theirs: Timestamp, answered: Timestamp) {
        self.asked = asked
        self.theirs = theirs
        self.answered = answered
    }

    /// Seconds by which theirs is ahead of ours, at least; negative where it is behind, and 0 where it may agree.
    package var secondsAhead: Double {
        if theirs > answered { return theirs.seconds - answered.seconds }
        return min(0, theirs.seconds - asked.seconds)
    }
}
