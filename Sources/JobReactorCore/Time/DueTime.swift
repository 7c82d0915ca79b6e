/// A due time.
package enum DueTime: Hashable, Sendable {
    /// At once.
    case now
    /// At this time of the steady clock: the end of a wait, unaffected by setting the wall clock.
    case steady(Timestamp)
    /// At this time of the wall clock.
    case date(Timestamp)

    package static let never = DueTime.steady(Timestamp(microseconds: .max))

    /// Whether it has passed at that moment.
    package func isPast(at moment: Moment) -> Bool {
        switch self {
        case .now: true
        case .steady(let time): time <= moment.steady
        case .date(let time): time <= moment.wall
        }
    }

    /// The date by the wall clock at that moment; nil for at once.
    package func date(at moment: Moment) -> Timestamp? {
        switch self {
        case .now: nil
        case .steady(let time): moment.wall.advanced(byMicroseconds: time.elapsed(since: moment.steady))
        case .date(let time): time
        }
    }
}

extension Job {
    /// The due time of a wait that begins at that moment.
    package func due(countedFrom moment: @autoclosure () -> Moment) -> DueTime {
        if isDated { return .date(dueAt) }
        guard let makeAfter, makeAfter > 0 else { return .now }
        return .steady(moment().steady.advanced(bySeconds: makeAfter))
    }
}
