internal import JobReactorCore
internal import NIOCore

/// How much of the audit log a user can fill who is no operator: such a one changes what is its own, as often as it likes.
///
/// Of each of its commands the first of a day have an entry each; of those beyond them all of an hour have one together. So
/// none displaces with a command what is younger than two years. A value without I/O.
struct AuditShare {
    struct Key: Hashable {
        var user: String
        var command: String

        init(_ entry: AuditEntry) { (user, command) = (entry.user, entry.command) }
    }

    enum Answer: Equatable {
        /// It has an entry of its own.
        case entry
        /// It is counted. When it is the first ``takeCounted(_:)`` is to be called after ``interval``.
        case counted(isFirst: Bool)
    }

    private struct Account {
        var dayEnds: NIODeadline
        /// Entries of this day.
        var count = 0
        /// Those that have no entry yet.
        var counted = 0
        var last: AuditEntry?
    }

    /// Entries of their own a day.
    static let daily = 100
    static let interval = TimeAmount.hours(1)

    /// By users, who are in a file, and by the few commands that they may give.
    private var accounts: [Key: Account] = [:]

    mutating func note(_ entry: AuditEntry, at now: NIODeadline) -> Answer {
        let key = Key(entry)
        var account = accounts[key] ?? Account(dayEnds: now + .hours(24))
        defer { accounts[key] = account }
        if now >= account.dayEnds { (account.dayEnds, account.count) = (now + .hours(24), 0) }
        guard account.count >= Self.daily else {
            account.count += 1
            return .entry
        }
        account.counted += 1
        account.last = entry
        return .counted(isFirst: account.counted == 1)
    }

    /// The entry of those that were counted: the last one's, with how many there were. Nil when there were none.
    mutating func takeCounted(_ key: Key) -> AuditEntry? {
        guard let account = accounts[key], var entry = account.last else { return nil }
        if account.counted > 1 { entry.change += "; with \(account.counted - 1) more since the previous entry" }
        accounts[key]?.counted = 0
        accounts[key]?.last = nil
        return entry
    }

    /// As ``takeCounted(_:)``, of all.
    mutating func takeAllCounted() -> [AuditEntry] { Array(accounts.keys).compactMap { takeCounted($0) } }
}
