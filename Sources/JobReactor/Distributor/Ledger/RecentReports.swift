internal import JobReactorCore

/// The last reports of jobs, up to a limit: a durable node that starts again tells once more what it does not know to have
/// arrived.
struct RecentReports {
    /// The last run reported of each.
    private var runs = JobTable<Int32>()
    /// Their ids in a ring.
    private var ring: [JobID] = []
    private var next = 0
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    var count: Int { runs.count }

    /// Whether it has not been here before, as far as is remembered; it has from now on.
    mutating func note(_ report: JobReport) -> Bool {
        if let last = runs[report.id] {
            guard report.run > last else { return false }
            runs[report.id] = report.run
            return true
        }
        runs[report.id] = report.run
        if ring.count < limit {
            ring.append(report.id)
        } else {
            runs[ring[next]] = nil
            ring[next] = report.id
            next = next + 1 == limit ? 0 : next + 1
        }
        return true
    }

    /// The id is that of a new job: its runs are counted anew.
    mutating func forget(_ id: JobID) {
        // It keeps its place in the ring, and may go a little early the next time.
        if !runs.isEmpty { runs[id] = nil }
    }
}
