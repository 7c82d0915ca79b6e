/// What becomes of a tick while the job of an earlier one is unfinished. No two ticks of a schedule run at once but with
/// ``allow``.
public enum ScheduleOverlap: String, Hashable, Sendable, CaseIterable, Codable {
    /// The tick is left out, and counted.
    case skip
    /// The tick waits for the end of the earlier; of several that wait, the newest.
    case queue
    case allow
    /// The earlier is cancelled; the tick follows as soon as that has ended.
    case cancel
}

/// What becomes of ticks that were due while nobody could make them.
public enum ScheduleCatchUp: String, Hashable, Sendable, CaseIterable, Codable {
    /// The newest of them is made, once.
    case last
    /// All are made, the oldest first: of more than ``Schedule/mostCaughtUp`` the newest. Where ticks must not overlap, each when the
    /// one before has ended, as do those that come due meanwhile.
    case all
    case none
}

/// A job that is enqueued again and again, by the calendar or at an interval.
public struct Schedule: Hashable, Sendable {
    /// Tells it from all others; see ``Name``.
    public var name: String
    public var spec: ScheduleSpec
    /// The name of the job that each tick enqueues.
    public var job: String
    public var args: JobArguments
    /// The IANA name of the time zone whose calendar counts.
    public var timezone: String
    public var gap: DaylightGap
    public var repetition: DaylightRepeat
    public var overlap: ScheduleOverlap
    public var catchUp: ScheduleCatchUp
    /// Seconds, from 0 to ``JobLimits/seconds``: a tick that is late by more is not made any more.
    public var window: Double
    /// Seconds, from 0 to ``JobLimits/seconds``: each tick is due later by a share of it that the tick's id decides.
    public var jitter: Double
    /// No tick is due before it.
    public var starts: Timestamp?
    /// No tick is due after it.
    public var ends: Timestamp?
    /// A URL to be asked for after each good run.
    public var heartbeat: String?
    /// Seconds, above 0 to ``JobLimits/seconds``: a schedule is late when a tick has not begun by then.
    public var lateAfter: Double

    /// Ticks that are caught up with at most.
    public static let mostCaughtUp = 1000

    public init(
        name: String, spec: ScheduleSpec, job: String, args: JobArguments = [:], timezone: String = "UTC",
        gap: DaylightGap = .run, repetition: DaylightRepeat = .first, overlap: ScheduleOverlap = .skip,
        catchUp: ScheduleCatchUp = .last, window: Double = 86_400, jitter: Double = 0, starts: Timestamp? = nil,
        ends: Timestamp? = nil, heartbeat: String? = nil, lateAfter: Double = 60
    ) {
        self.name = name
        self.spec = spec
        self.job = job
        self.args = args
        self.timezone = timezone
        self.gap = gap
        self.repetition = repetition
        self.overlap = overlap
        self.catchUp = catchUp
        self.window = window
        self.jitter = jitter
        self.starts = starts
        self.ends = ends
        self.heartbeat = heartbeat
        self.lateAfter = lateAfter
    }

    /// Throws what is wrong with the values, in words that say what is allowed. The time zone is looked at by
    /// ``times(from:)``.
    public func validate() throws(JobError) {
        if let problem = Name.problem(in: name) { throw JobError(.invalidName, "the schedule's name \(problem)") }
        try JobLimits.check(job, args)
        for (option, seconds) in [("window", window), ("jitter", jitter)] {
            guard seconds >= 0, seconds <= JobLimits.seconds else {
                throw JobError(
                    .invalidOption, "\(option) takes seconds from 0 to \(Int(JobLimits.seconds)), not \(seconds)")
            }
        }
        guard lateAfter > 0, lateAfter <= JobLimits.seconds else {
            throw JobError(
                .invalidOption, "late_after takes seconds above 0 up to \(Int(JobLimits.seconds)), not \(lateAfter)")
        }
        if let starts, let ends, ends < starts {
            throw JobError(.invalidOption, "the schedule ends before it starts, so it is never due")
        }
        if let heartbeat, !heartbeat.hasPrefix("https://"), !heartbeat.hasPrefix("http://") {
            throw JobError(
                .invalidOption,
                "heartbeat takes a URL that begins with https:// or http://, not '\(heartbeat.cut(toBytes: 200))'")
        }
    }

    /// When it is due. Throws ``JobError/Code/invalidOption`` for an unknown time zone.
    public func times(from zones: ZoneDatabase = .system) throws(JobError) -> ScheduleTimes {
        ScheduleTimes(spec, in: try zones.rules(of: timezone), gap: gap, repetition: repetition)
    }

    /// All that decides when it is due, in words: schedules that differ in nothing of it are due at the same times.
    var rhythm: String {
        let bounds = [starts, ends].map { $0.map { "\($0.microseconds)" } ?? "-" }.joined(separator: " ")
        return "\(spec) | \(timezone) \(gap) \(repetition) \(bounds)"
    }
}
