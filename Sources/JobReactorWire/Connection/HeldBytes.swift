internal import NIOCore

/// What a port holds for peers that have begun a message and not ended it, whose commands wait, or that do not read what is
/// said to them.
///
/// A value without I/O. All connections share one budget: when it is used up, the one that has kept us waiting longest
/// goes. One whose message does not end in time, or which takes nothing of what is said to it, goes as well.
struct HeldBytes<Key: Hashable> {
    enum Reason: Hashable, CustomStringConvertible {
        /// The message is not complete after so many seconds.
        case unfinished(seconds: Int)
        /// Nothing of what waits for it was taken in so many seconds.
        case unread(seconds: Int)
        /// More waits for it than so many bytes.
        case unreadBytes(limit: Int)
        /// All connections together hold more than so many bytes.
        case budget(limit: Int)

        var description: String {
            switch self {
            case .unfinished(let seconds): "a message was not complete within \(seconds) s"
            case .unread(let seconds): "the peer has read nothing for \(seconds) s"
            case .unreadBytes(let limit): "the peer does not read: more than \(limit) bytes wait"
            case .budget(let limit):
                "unfinished messages, waiting commands and unread replies of all connections have \(limit) bytes,"
                    + " and this connection has held data longest"
            }
        }
    }

    private struct Entry {
        var input = 0
        /// Since when the message has been under way.
        var inputSince = NIODeadline.distantFuture
        /// What has come and is not read yet, as those commands wait that came before.
        var waiting = 0
        var waitingSince = NIODeadline.distantFuture
        var output = 0
        /// What the peer has taken in its life.
        var taken = 0
        /// When it last took something of what waits.
        var outputSince = NIODeadline.distantFuture

        var bytes: Int { input + waiting + output }
        var since: NIODeadline { min(inputSince, waitingSince, outputSince) }
    }

    private let budget: Int
    private let mostUnread: Int
    private let seconds: Int
    private var entries: [Key: Entry] = [:]
    private(set) var total = 0

    /// Bytes of all, unread bytes of one, and the seconds that a message may take and that reading may stand still.
    init(budget: Int, mostUnread: Int, seconds: Int) {
        self.budget = budget
        self.mostUnread = mostUnread
        self.seconds = seconds
    }

    var isEmpty: Bool { entries.isEmpty }

    /// The connection holds so many bytes of a message that is not complete; 0 when there is none. `isNew` says that it
    /// began with what has just come. `waiting` are bytes that are not read yet. Returns who has to go.
    mutating func noteInput(
        _ key: Key, _ bytes: Int, waiting: Int = 0, isNew: Bool, at now: NIODeadline
    ) -> (Key, Reason)? {
        var entry = entries[key] ?? Entry()
        total += bytes + waiting - entry.input - entry.waiting
        (entry.input, entry.waiting) = (bytes, waiting)
        if bytes == 0 {
            entry.inputSince = .distantFuture
        } else if isNew || entry.inputSince == .distantFuture {
            entry.inputSince = now
        }
        if waiting == 0 {
            entry.waitingSince = .distantFuture
        } else if entry.waitingSince == .distantFuture {
            entry.waitingSince = now
        }
        set(entry, for: key)
        return overBudget()
    }

    /// So many bytes wait for the peer, who has taken so many in its life. Returns who has to go.
    mutating func noteOutput(_ key: Key, _ bytes: Int, taken: Int, at now: NIODeadline) -> (Key, Reason)? {
        var entry = entries[key] ?? Entry()
        total += bytes - entry.output
        if bytes == 0 {
            entry.outputSince = .distantFuture
        } else if entry.output == 0 || taken > entry.taken {
            entry.outputSince = now
        }
        (entry.output, entry.taken) = (bytes, taken)
        set(entry, for: key)
        if bytes > mostUnread { return (key, .unreadBytes(limit: mostUnread)) }
        return overBudget()
    }

    /// It is gone, or is counted no more.
    mutating func remove(_ key: Key) {
        if let entry = entries.removeValue(forKey: key) { total -= entry.bytes }
    }

    /// Those for whom unread bytes wait: what has become of these is to be noted before ``overdue(at:)``.
    var unread: [Key] { entries.filter { $0.value.output > 0 }.map(\.key) }

    /// Who has taken too long.
    func overdue(at now: NIODeadline) -> [(Key, Reason)] {
        let limit = TimeAmount.seconds(Int64(seconds))
        return entries.compactMap { key, entry in
            // One whose bytes wait cannot be completed by what came behind them.
            if entry.input > 0, entry.waiting == 0, now - entry.inputSince >= limit {
                return (key, .unfinished(seconds: seconds))
            }
            if entry.output > 0, now - entry.outputSince >= limit { return (key, .unread(seconds: seconds)) }
            return nil
        }
    }

    private mutating func set(_ entry: Entry, for key: Key) { entries[key] = entry.bytes > 0 ? entry : nil }

    private func overBudget() -> (Key, Reason)? {
        guard total > budget, let oldest = entries.min(by: { $0.value.since < $1.value.since }) else { return nil }
        return (oldest.key, .budget(limit: budget))
    }
}
