internal import JobReactorWire
internal import NIOCore

/// A distributor as the node knows it by its name: the link to it, when there is one, and the reports that it has not yet
/// taken.
final class Destination {
    /// Tells this destination from others in few bytes.
    let number: UInt32
    var link: DistributorLink?
    var outbox = Outbox()
    /// The identity of the distributor's process that was here last.
    var process: String?
    /// Ends the wait for a distributor that is away.
    var expiry: Scheduled<Void>?
    private var credit = 0

    init(number: UInt32) { self.number = number }

    /// A job that used the credit of this link is done or waits for its time.
    func settled(onLink number: UInt32) {
        if link?.number == number { credit += 1 }
    }

    /// Sends what has come together: reports, then the credit that their jobs gave back.
    func flush() {
        guard let link else {
            credit = 0
            return
        }
        outbox.sendRest { report in link.connection.write { LinkMessage.writeResult(report, to: &$0) } }
        link.grant(credit)
        credit = 0
    }
}
