/// What happens to a tick while the job of an earlier tick is unfinished. Ticks of a schedule overlap only with
/// ``allow``.
public enum ScheduleOverlap: String, Hashable, Sendable, CaseIterable, Codable {
    /// The tick is skipped, and counted.
    case skip
    /// The tick waits for the end of the earlier one; of several waiting ticks only the newest is kept.
    case queue
    case allow
    /// The earlier job is cancelled; the tick follows when it has ended.
    case cancel
}

/// What happens to ticks that were missed while no distributor could make them.
public enum ScheduleCatchUp: String, Hashable, Sendable, CaseIterable, Codable {
    /// The newest one is made.
    case last
    /// All are made, the oldest first, but only the newest ``Schedule/mostCaughtUp``. If ticks must not overlap, each
    /// is made when the previous one has ended; ticks that become due meanwhile follow in the same way.
    case all
    case none
}

/// A rule that enqueues a job repeatedly, by the calendar or at an interval.
public struct Schedule: Hashable, Sendable {
    /// The unique name; see ``Name``.
    public var name: String
    public var spec: ScheduleSpec
    /// The name of the job that each tick enqueues.
    public var job: String
    public var args: JobArguments
    /// The IANA name of the time zone whose calendar is used.
    public var timezone: String
    public var gap: DaylightGap
    public var repetition: DaylightRepeat
    public var overlap: ScheduleOverlap
    public var catchUp: ScheduleCatchUp
    /// The maximum lateness of a tick in seconds, from 0 to ``JobLimits/seconds``; a later tick is not made.
    public var window: Double
    /// The maximum delay of a tick in seconds, from 0 to ``JobLimits/seconds``. The tick's id determines its share.
    public var jitter: Double
    /// No tick is due before it.
    public var starts: Timestamp?
    /// No tick is due after it.
    public var ends: Timestamp?
    /// A URL to request after each successful run.
    public var heartbeat: String?
    /// Seconds within which a tick must begin, above 0, up to ``JobLimits/seconds``; otherwise the schedule is late.
    public var lateAfter: Double

    /// The largest number of missed ticks that are made up.
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

    /// Checks the values. The error says what is allowed. ``times(from:)`` checks the time zone.
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

    /// The times at which it is due. Throws ``JobError/Code/invalidOption`` for an unknown time zone.
    public func times(from zones: ZoneDatabase = .system) throws(JobError) -> ScheduleTimes {
        ScheduleTimes(spec, in: try zones.rules(of: timezone), gap: gap, repetition: repetition)
    }

    /// All that decides when it is due, in words: schedules that differ in nothing of it are due at the same times.
    var rhythm: String {
        let bounds = [starts, ends].map { $0.map { "\($0.microseconds)" } ?? "-" }.joined(separator: " ")
        return "\(spec) | \(timezone) \(gap) \(repetition) \(bounds)"
    }
}
