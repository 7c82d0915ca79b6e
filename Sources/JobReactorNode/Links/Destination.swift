internal import JobReactorCore
internal import JobReactorWire
internal import NIOCore

/// A distributor as the node knows it by its name: the link to it, when there is one, and what goes there.
final class Destination {
    let name: String
    /// Tells this destination from others in few bytes.
    let number: UInt32
    private(set) var link: DistributorLink?
    private(set) var delivery = Delivery()
    /// Ends the wait for a distributor that is away.
    private var expiry: Scheduled<Void>?

    init(_ name: String, number: UInt32) {
        self.name = name
        self.number = number
    }

    /// A link is up. Returns the reports that are no longer needed.
    func linked(_ link: DistributorLink) -> [JobReport.Key] {
        self.link?.connection.close(reason: "the distributor connected again")
        expiry?.cancel()
        expiry = nil
        self.link = link
        return delivery.linked(link.number, to: link.process, received: link.received)
    }

    func unlinked() {
        link = nil
        delivery.unlinked()
    }

    /// Whether anything ends its life.
    var isExpected: Bool { link != nil || expiry != nil }

    func expire(_ expiry: Scheduled<Void>) {
        self.expiry?.cancel()
        self.expiry = expiry
    }

    func append(_ report: JobReport) { delivery.append(report) }
    func containsEnd(of id: JobID) -> Bool { delivery.containsEnd(of: id) }
    func settled(_ count: Int = 1, onLink number: UInt32) { delivery.settled(count, onLink: number) }
    func taken(through number: Int) -> [JobReport.Key] { delivery.taken(through: number) }
    func removeReports() -> [JobReport.Key] { delivery.removeReports() }

    /// This node does not run the job, and does not have it any more; the distributor has it again.
    func giveBack(_ id: JobID, _ known: LiveJob) {
        guard let link, link.number == known.link else { return }
        delivery.giveBack(link.handOver(of: id, lowerHalf: known.handOver), usesCredit: known.usesCredit)
    }

    /// Sends what has come together: reports and jobs that go back, then the credit that these gave back, which is kept
    /// while no more is asked for.
    func flush(asksForMore: Bool) {
        guard let link else { return }
        delivery.sendReports { number, report in
            link.connection.write { LinkMessage.writeResult(number, report, to: &$0) }
        }
        let returned = delivery.takeReturned()
        if !returned.isEmpty { link.sendReturned(returned) }
        guard asksForMore else { return }
        let credit = delivery.takeCredit()
        if credit > 0 { link.grant(credit) }
    }

    /// Asks for so many jobs, less those that were asked for and have not come yet.
    func ask(forAtMost size: Int) {
        guard let link else { return }
        let granted = delivery.takeCredit(forAtMost: size, unused: link.unusedCredit)
        if granted > 0 { link.grant(granted) }
    }
}

/// The distributors that a node knows, by name. Forgetting one is the owner's to decide.
struct Destinations {
    private var byName: [String: Destination] = [:]
    private var lastNumber: UInt32 = 0
    /// Those of destinations that were forgotten: jobs that are here know theirs by them, however long it is away.
    private var numbers: [String: UInt32] = [:]
    private var lastLink: UInt32 = 0
    /// Asked for last: most jobs that end in one turn came from one distributor.
    private var recent: Destination?

    /// One that is known.
    func known(_ name: String) -> Destination? { byName[name] }

    /// The one of that name, which is made when it is not known.
    subscript(name: String) -> Destination {
        mutating get {
            if let recent, recent.name == name { return recent }
            let found = byName[name] ?? make(name)
            recent = found
            return found
        }
    }

    private mutating func make(_ name: String) -> Destination {
        let number = numbers.removeValue(forKey: name) ?? lastNumber + 1
        lastNumber = max(lastNumber, number)
        let made = Destination(name, number: number)
        byName[name] = made
        return made
    }

    /// The one with that number; nil when it was forgotten.
    func numbered(_ number: UInt32) -> Destination? {
        if let recent, recent.number == number { return recent }
        return byName.values.first { $0.number == number }
    }

    /// That of a destination, forgotten or not.
    func name(ofNumber number: UInt32) -> String? {
        numbered(number)?.name ?? numbers.first { $0.value == number }?.key
    }

    /// Whether there is no link to the one with that number.
    func isAway(_ number: UInt32) -> Bool { numbered(number)?.link == nil }

    var all: Dictionary<String, Destination>.Values { byName.values }

    /// Names come from outside.
    private static let mostNumbers = 10_000

    mutating func forget(_ name: String) {
        guard let gone = byName.removeValue(forKey: name) else { return }
        if numbers.count >= Self.mostNumbers { numbers = [:] }
        numbers[name] = gone.number
        if recent?.name == name { recent = nil }
    }

    mutating func nextLinkNumber() -> UInt32 {
        lastLink += 1
        return lastLink
    }
}
