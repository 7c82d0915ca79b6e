internal import JobReactorCore
internal import JobReactorWire

/// What users have enqueued over this process who may look at and cancel nothing else. Of each user the last 100,000 jobs:
/// for older ones, and after a restart, it takes the roles that any job takes.
struct OwnJobs {
    private var ids: [String: RecentIDs] = [:]

    /// Of each user.
    static let most = 100_000

    mutating func note(_ id: JobID, by user: User) {
        guard !user.seesAllJobs else { return }
        ids[user.name, default: RecentIDs(limit: Self.most)].insert(id)
    }

    func has(_ id: JobID, _ user: User) -> Bool { ids[user.name]?.contains(id) == true }
}

extension User {
    /// Whether all jobs are as its own.
    var seesAllJobs: Bool { has(.operator) && has(.viewer) }

    /// Under what id a producer of this user is known: no user gets the outcomes of another.
    func ownProducer(_ id: String) -> String { self == .standard ? id : "\(name)/\(id)" }

    /// Whether a producer of that id is this user's.
    func owns(producer id: String) -> Bool { id.hasPrefix("\(name)/") }
}
