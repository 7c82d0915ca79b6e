/// The schedule and the tick that made a job.
public struct JobTick: Hashable, Sendable {
    /// The schedule's name.
    public var schedule: String
    /// The time at which the schedule was due, before jitter; in whole microseconds.
    public var at: Timestamp

    public init(schedule: String, at: Timestamp) {
        self.schedule = schedule
        self.at = at
    }
}
