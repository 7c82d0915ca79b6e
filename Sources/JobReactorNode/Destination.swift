internal import JobReactorCore
internal import JobReactorWire
internal import NIOCore

/// A distributor as the node knows it by its name: the link to it, when there is one, and the reports that it has not yet
/// taken.
final class Destination {
    /// Tells this destination from others in few bytes.
    let number: UInt32
    private(set) var link: DistributorLink?
    var outbox = Outbox()
    /// The identity of the distributor's process that was here last.
    var process: String?
    /// Ends the wait for a distributor that is away.
    var expiry: Scheduled<Void>?
    /// What the link has used and may have again.
    private var credit = 0
    private var returned: [HandOver] = []

    init(number: UInt32) { self.number = number }

    /// Credit and hand-overs are those of one link.
    func use(_ link: DistributorLink?) {
        self.link = link
        (credit, returned) = (0, [])
    }

    /// The hand-overs that used so many credits of this link are done, or their jobs wait for their time.
    func settled(_ count: Int = 1, onLink number: UInt32) {
        if link?.number == number { credit += count }
    }

    /// This node does not run the job, and does not have it any more; the distributor has it again.
    func returned(_ id: JobID, _ known: NodeCore.Live) {
        guard let link, link.number == known.link else { return }
        returned.append(link.handOver(of: id, lowerHalf: known.handOver))
        if known.usesCredit { credit += 1 }
    }

    /// Sends what has come together: reports and jobs that go back, then the credit that these gave back, which is kept
    /// while no more is asked for.
    func flush(asksForMore: Bool) {
        guard let link else { return }
        outbox.sendRest { number, report in link.connection.write { LinkMessage.writeResult(number, report, to: &$0) } }
        if !returned.isEmpty {
            link.connection.write { LinkMessage.writeReturned(returned, to: &$0) }
            returned = []
        }
        if asksForMore, credit > 0 {
            link.grant(credit)
            credit = 0
        }
    }

    /// Asks for so many jobs, less those that were asked for and have not come yet.
    func ask(forAtMost size: Int) {
        guard let link else { return }
        let granted = StorageHealth.trialCredit(size, unused: link.unusedCredit, withheld: credit)
        guard granted > 0 else { return }
        link.grant(granted)
        credit -= granted
    }
}
