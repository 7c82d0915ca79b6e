internal import JobReactorCore

/// The jobs that wait for their time: the ends of waits by the steady clock, dates by the wall clock.
///
/// A value without a clock: its owner arms one timer for ``wake(at:)`` and calls ``popDue(at:)`` when it fires.
struct Agenda {
    /// Tells the entry of a job from those that were made of it before.
    typealias Number = UInt32

    private var waits = TimerQueue<JobID>()
    private var dates = TimerQueue<JobID>()

    /// Seconds after which a wall clock that was set is noticed, while something waits for a date.
    static let attention = 2.0

    var count: Int { waits.count + dates.count }
    var isEmpty: Bool { waits.isEmpty && dates.isEmpty }

    /// The job is due then. Returns the number of the entry.
    mutating func insert(_ id: JobID, _ due: DueTime) -> Number {
        switch due {
        // Before all that waits, in the order they came.
        case .now: Self.number(waits.insert(id, due: Timestamp(microseconds: .min)), isDate: false)
        case .steady(let time): Self.number(waits.insert(id, due: time), isDate: false)
        case .date(let time): Self.number(dates.insert(id, due: time), isDate: true)
        }
    }

    /// Removes and returns a job that is due at that moment, with the number of its entry.
    mutating func popDue(at moment: Moment) -> (id: JobID, number: Number)? {
        if let (id, number) = waits.popDueEntry(at: moment.steady) { return (id, Self.number(number, isDate: false)) }
        if let (id, number) = dates.popDueEntry(at: moment.wall) { return (id, Self.number(number, isDate: true)) }
        return nil
    }

    /// When to look again, by the steady clock; nil when nothing waits.
    func wake(at moment: Moment) -> Timestamp? {
        guard let date = dates.nextDue else { return waits.nextDue }
        let attention = Timestamp(seconds: Self.attention).microseconds
        let look = moment.steady.advanced(byMicroseconds: min(date.elapsed(since: moment.wall), attention))
        return waits.nextDue.map { min($0, look) } ?? look
    }

    /// The two queues count each for itself.
    private static func number(_ number: UInt64, isDate: Bool) -> Number {
        Number(truncatingIfNeeded: number << 1 | (isDate ? 1 : 0))
    }
}
