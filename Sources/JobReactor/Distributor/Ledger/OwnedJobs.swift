internal import JobReactorCore

/// Which durable node has each job for whose outcome nobody waits here: where to ask first when it is to be cancelled or
/// shown, and where a second job of its id goes. A job that is not where it says is looked for at all nodes when it is asked
/// for; of one that is not remembered a second may run at another node.
///
/// About 30 bytes a job, and a bounded number of them: the oldest half goes when there are more.
struct OwnedJobs {
    private var recent = JobTable<UInt16>()
    private var older = JobTable<UInt16>()
    /// By the number that stands for each.
    private var names: [String] = []
    private var numbers: [String: UInt16] = [:]
    /// Jobs come in long rows from one node.
    private var last: (name: String, number: UInt16)?
    private let limit: Int

    /// Names come from outside. When there are more it forgets everything and begins again.
    private static let maximumNames = 4096

    /// Remembers the last `limit / 2` jobs at least and `limit` at most.
    init(limit: Int = 1_000_000) { self.limit = limit }

    var count: Int { recent.count + older.count }

    mutating func note(_ id: JobID, at node: String) {
        let number = number(of: node)
        if recent.count >= limit / 2 {
            older = recent
            recent = JobTable()
        }
        recent[id] = number
    }

    /// The job has ended.
    mutating func remove(_ id: JobID) {
        if recent.removeValue(forKey: id) == nil { older.removeValue(forKey: id) }
    }

    /// The node that had the job when it was last heard of; nil when it is not remembered.
    func node(of id: JobID) -> String? { (recent[id] ?? older[id]).map { names[Int($0)] } }

    /// One node has taken over the jobs of another.
    mutating func moved(from node: String, to heir: String) {
        guard node != heir, let number = numbers.removeValue(forKey: node) else { return }
        names[Int(number)] = heir
        last = nil
    }

    private mutating func number(of node: String) -> UInt16 {
        if let last, last.name == node { return last.number }
        if numbers[node] == nil {
            if names.count == Self.maximumNames { self = OwnedJobs(limit: limit) }
            numbers[node] = UInt16(names.count)
            names.append(node)
        }
        let number = numbers[node] ?? 0
        last = (node, number)
        return number
    }
}
