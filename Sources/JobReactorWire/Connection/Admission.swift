internal import DequeModule

/// Which connections a port has, and which of them goes when one more comes.
///
/// Where a password is asked for, connections that have not said it share a tenth of the places: when that is used up, the
/// one that has waited longest goes. However many strangers connect, a client with the password gets in.
struct Admission<Key: Hashable> {
    enum Answer: Equatable {
        case admitted
        /// The stranger that has waited longest has to go.
        case admittedInsteadOf(Key)
        /// All places are taken by connections that may have them.
        case refused
    }

    let limit: Int
    /// How many may be here without having said the password; nil when none is asked for.
    let strangersShare: Int?
    private(set) var count = 0
    /// The strangers, each with its number in the row.
    private var strangers: [Key: Int] = [:]
    /// In the order they came, with some that have gone or have said the password since.
    private var row: Deque<(number: Int, key: Key)> = []
    private var lastNumber = 0

    init(limit: Int, asksForPassword: Bool) {
        self.limit = limit
        strangersShare = asksForPassword ? max(1, limit / 10) : nil
    }

    var strangersCount: Int { strangers.count }

    mutating func accept(_ key: Key) -> Answer {
        guard let strangersShare else {
            guard count < limit else { return .refused }
            count += 1
            return .admitted
        }
        var answer = Answer.admitted
        if count >= limit || strangers.count >= strangersShare {
            guard let oldest = oldestStranger() else { return .refused }
            closed(oldest)
            answer = .admittedInsteadOf(oldest)
        }
        count += 1
        lastNumber += 1
        strangers[key] = lastNumber
        row.append((lastNumber, key))
        tidy()
        return answer
    }

    /// It has said the password.
    mutating func authenticated(_ key: Key) { strangers[key] = nil }

    /// It has gone; to be told once of each that was admitted and has not been named in an answer.
    mutating func closed(_ key: Key) {
        strangers[key] = nil
        count -= 1
    }

    private mutating func oldestStranger() -> Key? {
        while let first = row.popFirst() {
            if strangers[first.key] == first.number { return first.key }
        }
        return nil
    }

    /// Those that are no strangers any more leave the row as well, some at a time.
    private mutating func tidy() {
        guard row.count > 2 * strangers.count + 16 else { return }
        row.removeAll { strangers[$0.key] != $0.number }
    }
}
