/// What distributors hold back: runs of these jobs do not begin, or none at all. What runs goes on. It stays as a distributor said
/// last, also while that is away. A value without I/O.
struct Holds {
    private struct Said {
        var isNode: Bool
        var jobs: Set<String>
    }

    /// By the names of the distributors.
    private var said: [String: Said] = [:]
    /// Nothing begins.
    private(set) var isNode = false
    /// The names of the jobs that do not begin.
    private(set) var jobs: Set<String> = []

    /// What has changed.
    struct Change {
        /// Names that were held and are not any more.
        var released: Set<String> = []
        /// Whether something is held that was not.
        var holdsMore = false
        /// Whether something is not held any more.
        var holdsLess = false
    }

    /// The distributor says it, in place of what it has said before.
    mutating func set(isNode: Bool, jobs: Set<String>, by distributor: String) -> Change {
        said[distributor] = isNode || !jobs.isEmpty ? Said(isNode: isNode, jobs: jobs) : nil
        let before = (isNode: self.isNode, jobs: self.jobs)
        self.isNode = said.values.contains(where: \.isNode)
        self.jobs = said.values.reduce(into: []) { $0.formUnion($1.jobs) }
        var change = Change()
        change.released = before.jobs.subtracting(self.jobs)
        change.holdsMore = self.isNode && !before.isNode || !self.jobs.isSubset(of: before.jobs)
        change.holdsLess = before.isNode && !self.isNode || !change.released.isEmpty
        return change
    }

    var isEmpty: Bool { !isNode && jobs.isEmpty }

    /// Those that hold anything back, in the order of their names.
    var distributors: [String] { said.keys.sorted() }

    /// Those that hold the job back, in the order of their names.
    func distributors(holding job: String) -> [String] {
        said.filter { $0.value.isNode || $0.value.jobs.contains(job) }.keys.sorted()
    }

    func holds(_ job: String) -> Bool { isNode || !jobs.isEmpty && jobs.contains(job) }
}
