internal import DequeModule
internal import JobReactorCore

/// The records of jobs that failed at the distributor: so many, the oldest go first. A value without I/O.
struct KeptFailures {
    private var records: [JobID: Job] = [:]
    private var order: Deque<JobID> = []
    /// Of the args of all.
    private var bytes = 0
    private let limit: Int
    private let byteLimit: Int

    static let most = 1000
    static let mostBytes = 64 << 20

    init(limit: Int = most, byteLimit: Int = mostBytes) {
        self.limit = limit
        self.byteLimit = byteLimit
    }

    var count: Int { order.count }
    /// From the oldest on.
    var jobs: [Job] { order.compactMap { records[$0] } }

    subscript(id: JobID) -> Job? { records.isEmpty ? nil : records[id] }

    /// So many at most in order of their ids, those after `id` when one is given.
    func page(after id: JobID?, count: Int) -> [Job] {
        let ids = records.keys.filter { key in id.map { key > $0 } ?? true }.sorted()
        return ids.prefix(count).compactMap { records[$0] }
    }

    /// Returns those that go for it.
    mutating func insert(_ job: Job) -> [JobID] {
        remove(job.id)
        records[job.id] = job
        order.append(job.id)
        bytes += job.args.bytes.count
        var gone: [JobID] = []
        while order.count > limit || bytes > byteLimit && order.count > 1, let oldest = order.first {
            remove(oldest)
            gone.append(oldest)
        }
        return gone
    }

    @discardableResult
    mutating func remove(_ id: JobID) -> Job? {
        guard let job = records.removeValue(forKey: id) else { return nil }
        bytes -= job.args.bytes.count
        if order.first == id { order.removeFirst() } else { order.removeAll { $0 == id } }
        return job
    }
}
