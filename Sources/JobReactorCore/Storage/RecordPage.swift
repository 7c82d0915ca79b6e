/// Collects the records of one page of a storage: up to the limit, fewer if they are large.
public struct RecordPage<Record> {
    public private(set) var records: [Record] = []
    private let limit: Int
    private var bytes = 0

    public init(limit: Int) { self.limit = limit }

    /// Adds the next record with its size in bytes. Returns false if the page is full and the record was not added. The
    /// first record always fits.
    public mutating func add(_ record: Record, bytes count: Int) -> Bool {
        guard records.count < limit, records.isEmpty || bytes + count <= JobLimits.pageBytes else { return false }
        records.append(record)
        bytes += count
        return true
    }
}

extension RecordPage: Sendable where Record: Sendable {}

extension RecordPage<Job> {
    public mutating func add(_ job: Job) -> Bool {
        let texts = (job.lastError ?? "").utf8.count + (job.lastTraceback ?? "").utf8.count
        return add(job, bytes: job.args.bytes.count + (job.again?.bytes.count ?? 0) + texts)
    }
}

extension RecordPage<StoredReport> {
    public mutating func add(_ report: StoredReport) -> Bool {
        add(report, bytes: report.report.feedback.args.bytes.count)
    }
}

extension Sequence<Job> {
    /// The first jobs, as many as fit into one page.
    public func page(limit: Int) -> [Job] {
        var page = RecordPage<Job>(limit: limit)
        for job in self { guard page.add(job) else { break } }
        return page.records
    }
}

extension Sequence<StoredReport> {
    /// The first reports, as many as fit into one page.
    public func page(limit: Int) -> [StoredReport] {
        var page = RecordPage<StoredReport>(limit: limit)
        for report in self { guard page.add(report) else { break } }
        return page.records
    }
}
