internal import JobReactorWire

/// What the jobs and outcomes that wait here take, by who brought them, and who may bring more.
///
/// Whoever is first can use nine tenths of the limit. The last tenth is for those who have little here: it is divided by how
/// many have anything, so that nobody who fills the memory, with jobs that no node runs, keeps out the others.
///
/// A value without I/O.
struct MemoryShares {
    /// Stands for who brings jobs, while a connection of theirs is open or something of theirs is here.
    typealias Account = UInt16

    /// Connections of one user from one network have one account.
    struct Holder: Hashable {
        var user: String
        var network: PeerNetwork
    }

    /// The application in this process, and what an earlier process has left.
    static let own: Account = 0
    /// Those for whom there is no account left.
    static let others: Account = 1
    /// How many there may be.
    static let most = 60_000

    private struct Entry {
        var bytes = 0
        /// Connections that are open.
        var connections = 0
        var holder: Holder?
    }

    let limit: Int
    /// All that waits.
    var total: Int { attributed + unattributed }
    /// What is nobody's alone, such as the lists of many names.
    var unattributed = 0
    private var attributed = 0
    /// How many accounts have anything.
    private(set) var holderCount = 0
    private var entries = [Entry(), Entry()]
    private var accounts: [Holder: Account] = [:]
    private var free: [Account] = []

    init(limit: Int = .max) { self.limit = limit }

    // MARK: Accounts

    /// A connection of that holder may bring jobs. Followed by ``close(_:)``.
    mutating func open(_ holder: Holder) -> Account {
        let account = accounts[holder] ?? newAccount(of: holder)
        entries[Int(account)].connections += 1
        return account
    }

    /// The connection is gone. The account is there until what it has brought is gone as well.
    mutating func close(_ account: Account) {
        entries[Int(account)].connections -= 1
        removeWhenUnused(account)
    }

    private mutating func newAccount(of holder: Holder) -> Account {
        let account: Account
        if let last = free.popLast() {
            account = last
        } else if entries.count < Self.most {
            account = Account(entries.count)
            entries.append(Entry())
        } else {
            return Self.others
        }
        entries[Int(account)].holder = holder
        accounts[holder] = account
        return account
    }

    private mutating func removeWhenUnused(_ account: Account) {
        guard account > Self.others else { return }
        let entry = entries[Int(account)]
        guard entry.bytes == 0, entry.connections == 0, let holder = entry.holder else { return }
        entries[Int(account)].holder = nil
        accounts[holder] = nil
        free.append(account)
    }

    // MARK: Bytes

    /// So many more of that account are here; negative when some have gone.
    mutating func add(_ bytes: Int, to account: Account) {
        guard bytes != 0 else { return }
        attributed += bytes
        let before = entries[Int(account)].bytes
        let now = before + bytes
        entries[Int(account)].bytes = now
        if before == 0 {
            holderCount += 1
        } else if now == 0 {
            holderCount -= 1
            removeWhenUnused(account)
        }
    }

    func bytes(of account: Account) -> Int { entries[Int(account)].bytes }

    // MARK: Limits

    /// The part of the limit that is for those who have little.
    private var reserve: Int { limit / 10 }

    /// Only those are served who have little.
    var isShort: Bool { total >= limit - reserve }

    /// Once it is short, it is no longer from here on: so that it is not both in turns.
    var hasRoom: Bool { total < limit - 2 * reserve }

    /// Whether that account may bring more.
    func mayTake(from account: Account) -> Bool {
        guard isShort else { return true }
        return total < limit && bytes(of: account) < reserve / (holderCount + 1)
    }
}
