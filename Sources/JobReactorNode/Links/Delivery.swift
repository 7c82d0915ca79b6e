internal import JobReactorCore
internal import JobReactorWire

/// What goes to one distributor: reports, until it has said that it has them; hand-overs that go back; and the credit that a
/// link has used and may have again. A value without I/O.
struct Delivery {
    private var outbox = Outbox()
    /// The identity of the distributor's process that was here last.
    private(set) var process: String?
    /// The number of the link that is up; nil without one.
    private var link: UInt32?
    private var credit = 0
    private var returned: [HandOver] = []

    var hasReports: Bool { !outbox.isEmpty }
    var reportCount: Int { outbox.count }

    // MARK: Links

    /// A link is up, to that process, which has had so many reports of this process. Returns those that are no longer needed.
    /// Credit and hand-overs are those of one link.
    mutating func linked(_ number: UInt32, to process: String, received: Int) -> [JobReport.Key] {
        unlinked()
        link = number
        let isKnown = self.process == process
        self.process = process
        return outbox.restart(received: isKnown ? received : nil)
    }

    mutating func unlinked() { (link, credit, returned) = (nil, 0, []) }

    // MARK: What comes together

    mutating func append(_ report: JobReport) { outbox.append(report) }

    /// Whether the end of the job is on its way.
    mutating func containsEnd(of id: JobID) -> Bool { outbox.containsEnd(of: id) }

    /// The hand-overs that used so many credits of this link are done, or their jobs wait for their time.
    mutating func settled(_ count: Int, onLink number: UInt32) {
        if link == number { credit += count }
    }

    /// This node does not run the job, and does not have it any more; the distributor has it again.
    mutating func giveBack(_ handOver: HandOver, usesCredit: Bool) {
        guard link != nil else { return }
        returned.append(handOver)
        if usesCredit { credit += 1 }
    }

    // MARK: What goes out

    /// Hands out the reports that have not gone out on this link, each with its number.
    mutating func sendReports(_ send: (Int, JobReport) -> Void) { outbox.sendRest(send) }

    mutating func takeReturned() -> [HandOver] {
        defer { returned = [] }
        return returned
    }

    mutating func takeCredit() -> Int {
        defer { credit = 0 }
        return credit
    }

    /// So many jobs are asked for at most, of a link whose unused credit is that. Returns the credit to be granted.
    mutating func takeCredit(forAtMost size: Int, unused: Int) -> Int {
        let granted = max(0, StorageHealth.trialCredit(size, unused: unused, withheld: credit))
        credit -= granted
        return granted
    }

    /// The distributor has those up to this number. Returns those that are no longer needed.
    mutating func taken(through number: Int) -> [JobReport.Key] { outbox.taken(through: number) }

    /// Gives up all reports.
    mutating func removeReports() -> [JobReport.Key] { outbox.removeAll() }
}
