/// The columns of the table of jobs in the order in which rows are read and written: their names are those of
/// ``JobReactorCore/JobFieldTable``, with which a test compares them.
enum JobColumn: Int, CaseIterable {
    case id
    // Plain jobs have these alone.
    case name, args, status, attempt, runs, dueAt, distributor, `defer`, runAt
    case failedAt, makeAfter, period, node, notNode, maxAttempt, retryMultiplier, lastError, traceback, trace, priority
    case uniqueKey, uniqueFor, onConflict, acceptedAt, schedule, tick, again

    /// Those of plain jobs: the others are NULL for these, and take no binding, which costs more than writing.
    static let plain = allCases.filter { $0 != .id && $0.rawValue <= runAt.rawValue }
    static let rare = allCases.filter { $0.rawValue > runAt.rawValue }

    /// `due_at`
    var name: String { "\(self)".reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) } }
}
