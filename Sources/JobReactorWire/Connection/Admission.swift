internal import DequeModule

/// Which connections a port has, and which of them goes when one more comes.
///
/// Where a password is asked for, connections that have not said it share a tenth of the places: when that is used up, the
/// one that has waited longest goes. However many strangers connect, a client with the password gets in. When all places are
/// used up, one goes whose peer has ended its input and only waits for answers, as far as there is any.
struct Admission<Key: Hashable> {
    enum Answer: Equatable {
        case admitted
        /// The one that has waited longest, of those that may have to, has to go.
        case admittedInsteadOf(Key)
        /// All places are taken by connections that may have them.
        case refused
    }

    let limit: Int
    /// How many may be here without having said the password; nil when none is asked for.
    let strangersShare: Int?
    private(set) var count = 0
    private var strangers = Row<Key>()
    /// Those whose peers have ended their input.
    private var leaving = Row<Key>()

    init(limit: Int, asksForPassword: Bool) {
        self.limit = limit
        strangersShare = asksForPassword ? max(1, limit / 10) : nil
    }

    var strangersCount: Int { strangers.count }

    mutating func accept(_ key: Key) -> Answer {
        var answer = Answer.admitted
        let areStrangersMany = strangersShare.map { strangers.count >= $0 } == true
        if areStrangersMany || count >= limit {
            let oldest = areStrangersMany ? strangers.first() : leaving.first() ?? strangers.first()
            guard let oldest else { return .refused }
            closed(oldest)
            answer = .admittedInsteadOf(oldest)
        }
        count += 1
        if strangersShare != nil { strangers.append(key) }
        return answer
    }

    /// It has said the password.
    mutating func authenticated(_ key: Key) { strangers.remove(key) }

    /// Its peer has ended its input, and waits for answers.
    mutating func inputEnded(_ key: Key) { leaving.append(key) }

    /// It has gone; to be told once of each that was admitted and has not been named in an answer.
    mutating func closed(_ key: Key) {
        strangers.remove(key)
        leaving.remove(key)
        count -= 1
    }
}

/// Keys in the order in which they came, of which any may go.
private struct Row<Key: Hashable> {
    /// Each with its number in the row.
    private var numbers: [Key: Int] = [:]
    /// In the order they came, with some that have gone since.
    private var row: Deque<(number: Int, key: Key)> = []
    private var lastNumber = 0

    var count: Int { numbers.count }

    mutating func append(_ key: Key) {
        lastNumber += 1
        numbers[key] = lastNumber
        row.append((lastNumber, key))
        tidy()
    }

    mutating func remove(_ key: Key) { numbers[key] = nil }

    /// The one that came first of those that are there.
    mutating func first() -> Key? {
        while let first = row.first {
            if numbers[first.key] == first.number { return first.key }
            row.removeFirst()
        }
        return nil
    }

    /// Those that have gone leave the row as well, some at a time.
    private mutating func tidy() {
        guard row.count > 2 * numbers.count + 16 else { return }
        row.removeAll { numbers[$0.key] != $0.number }
    }
}
