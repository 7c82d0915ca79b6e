internal import DequeModule
package import JobReactorCore

/// Reports in order, kept until the other side has acknowledged them. Reports that had not arrived when a connection
/// was lost are sent again on the next.
package struct Outbox: Sendable {
    private var reports: Deque<JobReport> = []
    /// The jobs of those that say that a job is finished; made when it is asked for, gone with each change.
    private var finished: Set<JobID>?
    /// How many of the first were sent on the connection that is up.
    private var sent = 0
    /// The number of the first of them. Each report has a number, from 1 on, which it keeps over all connections.
    private var first = 1

    /// The approximate memory of all reports in bytes.
    package private(set) var bytes = 0

    package init() {}

    package var count: Int { reports.count }
    package var isEmpty: Bool { reports.isEmpty }

    package mutating func append(_ report: JobReport) {
        let report = report.limited
        bytes += Self.bytes(of: report)
        reports.append(report)
        finished = nil
    }

    /// Whether it contains the end of the job.
    package mutating func containsEnd(of id: JobID) -> Bool {
        let ids = finished ?? Set(reports.lazy.filter(\.status.isFinished).map(\.id))
        finished = ids
        return ids.contains(id)
    }

    /// Begins a new connection. `received` is the number of the last report that the process at the other side has
    /// received over all connections: reports up to it are not sent again. If it is nil, because it is unknown or the
    /// process is another one, everything is sent again.
    ///
    /// Returns the reports that are no longer needed.
    @discardableResult
    package mutating func restart(received: Int? = nil) -> [JobReport.Key] {
        sent = 0
        guard let received else { return [] }
        return removeFirst(min(max(0, received - (first - 1)), reports.count))
    }

    /// Returns the reports that were not sent on this connection, each with its number.
    package mutating func sendRest(_ send: (Int, JobReport) -> Void) {
        while sent < reports.count {
            send(first + sent, reports[sent])
            sent += 1
        }
    }

    /// The other side has the sent reports up to this number. Removes and returns them.
    @discardableResult
    package mutating func taken(through number: Int) -> [JobReport.Key] {
        let taken = min(max(0, number - (first - 1)), sent)
        sent -= taken
        return removeFirst(taken)
    }

    /// Drops all reports.
    package mutating func removeAll() -> [JobReport.Key] {
        sent = 0
        return removeFirst(reports.count)
    }

    private static func bytes(of report: JobReport) -> Int {
        300 + report.name.utf8.count + report.feedback.args.bytes.count
    }

    private mutating func removeFirst(_ count: Int) -> [JobReport.Key] {
        if count > 0 { finished = nil }
        let keys = reports.prefix(count).map(\.key)
        for report in reports.prefix(count) { bytes -= Self.bytes(of: report) }
        reports.removeFirst(count)
        first += count
        return keys
    }
}
