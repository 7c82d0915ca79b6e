/// Which ticks of a schedule are decided, that is made, left out or missed, so that none is made twice whatever the clock does.
///
/// They are those up to a time. Where time was jumped over, those that were missed are remembered: when the clock comes back, as
/// after it was far ahead, their time is yet to come, and only those after them that were made are not made again.
struct DecidedTicks: Hashable, Sendable, Codable {
    /// Times from the one to the other, both included.
    struct Stretch: Hashable, Sendable, Codable {
        var first: Timestamp
        var last: Timestamp

        func contains(_ time: Timestamp) -> Bool { time >= first && time <= last }
    }

    /// All ticks up to then are decided.
    private(set) var end: Timestamp
    /// Before the end, and jumped over: in order. Of more than ``most`` the longest.
    private var missed: [Stretch] = []
    /// After the end, and decided already: in order, apart from each other. Of more than ``most`` the farthest are taken for
    /// one.
    private var ahead: [Stretch] = []

    private static let most = 8

    init(end: Timestamp) { self.end = end }

    /// Those up to then are decided as well.
    mutating func extend(to time: Timestamp) {
        end = max(end, time)
        ahead.removeAll { $0.last <= end }
    }

    /// Those up to then are missed, where they are not decided.
    mutating func miss(through time: Timestamp) {
        for (after, last) in undecided(after: end, notAfter: time) {
            missed.append(Stretch(first: after.advanced(byMicroseconds: 1), last: last))
        }
        while missed.count > Self.most,
            let shortest = missed.indices.min(by: { missed[$0].length < missed[$1].length })
        {
            missed.remove(at: shortest)
        }
        extend(to: time)
    }

    /// The clock shows an earlier time. What was only jumped over since is not decided any more.
    mutating func turnBack(to now: Timestamp) {
        guard now < end, let first = missed.first(where: { $0.last > now }) else { return }
        var made: [Stretch] = []
        var start = first.last.advanced(byMicroseconds: 1)
        for stretch in missed where stretch.first > first.last {
            made.append(Stretch(first: start, last: stretch.first.advanced(byMicroseconds: -1)))
            start = stretch.last.advanced(byMicroseconds: 1)
        }
        made.append(Stretch(first: start, last: end))
        for stretch in made where stretch.first <= stretch.last { addAhead(stretch) }
        missed.removeAll { $0.last > now }
        end = max(now, first.first.advanced(byMicroseconds: -1))
        // What is before now is decided, too: it was jumped over once, and is not to be caught up with.
        if now > first.first { missed.append(Stretch(first: first.first, last: now)) }
        ahead.removeAll { $0.last <= end }
    }

    private mutating func addAhead(_ added: Stretch) {
        var stretch = added
        for other in ahead where other.first <= added.last && added.first <= other.last {
            stretch = Stretch(first: min(stretch.first, other.first), last: max(stretch.last, other.last))
        }
        ahead.removeAll { stretch.contains($0.first) }
        ahead.append(stretch)
        ahead.sort { $0.first < $1.first }
        while ahead.count > Self.most {
            let last = ahead.removeLast()
            ahead[ahead.count - 1].last = last.last
        }
    }

    /// The end of the stretch that is decided already and has that time, after the end; nil for none.
    func endOfStretch(with time: Timestamp) -> Timestamp? { ahead.first { $0.contains(time) }?.last }

    /// Of the times after the one and not after the other, the stretches in which no tick is decided, in order. Each is given by
    /// the time before it, and its last.
    func undecided(after start: Timestamp, notAfter end: Timestamp) -> [(after: Timestamp, last: Timestamp)] {
        var stretches: [(after: Timestamp, last: Timestamp)] = []
        var after = max(start, self.end)
        for stretch in ahead where stretch.last > after && stretch.first <= end {
            stretches.append((after, stretch.first.advanced(byMicroseconds: -1)))
            after = stretch.last
        }
        stretches.append((after, end))
        return stretches.filter { $0.after < $0.last }
    }
}

extension DecidedTicks.Stretch {
    fileprivate var length: Int64 { last.elapsed(since: first) }
}
