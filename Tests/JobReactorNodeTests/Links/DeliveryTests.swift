import JobReactorCore
import JobReactorWire
import Testing

@testable import JobReactorNode

@Suite("What goes to a distributor") struct DeliveryTests {
    private static func id(_ number: UInt64) -> JobID { JobID(high: 1, low: number) }

    private static func report(_ number: UInt64) -> JobReport {
        JobReport(id: id(number), name: "j", feedback: Feedback(.success, args: [:]), status: .complete, run: 1)
    }

    private static func linked(_ number: UInt32 = 7) -> Delivery {
        var delivery = Delivery()
        _ = delivery.linked(number, to: "p", received: 0)
        return delivery
    }

    @Test("a destination that was forgotten has its number again, which its jobs know") func numbers() {
        var destinations = Destinations()
        let (first, second) = (destinations["a"].number, destinations["b"].number)
        destinations.forget("a")
        destinations.forget("none")
        #expect(destinations.numbered(first) == nil && destinations.name(ofNumber: first) == "a")
        #expect(destinations["c"].number != first)
        #expect(destinations["a"].number == first && destinations["b"].number == second)
    }

    @Test("credit is that of one link: what a link before used does not count") func credit() {
        var delivery = Self.linked(7)
        delivery.settled(3, onLink: 7)
        delivery.settled(5, onLink: 6)
        delivery.settled(1, onLink: 7)
        expect(delivery.takeCredit() == 4)
        expect(delivery.takeCredit() == 0)
        delivery.settled(2, onLink: 7)
        delivery.unlinked()
        delivery.settled(2, onLink: 7)
        _ = delivery.linked(8, to: "p", received: 0)
        expect(delivery.takeCredit() == 0)
    }

    @Test("a job that goes back gives its credit back, once, and only over its link") func returned() {
        var delivery = Self.linked()
        delivery.giveBack(HandOver(1, Self.id(1)), usesCredit: true)
        delivery.giveBack(HandOver(2, Self.id(2)), usesCredit: false)
        expect(delivery.takeReturned().map(\.number) == [1, 2])
        expect(delivery.takeReturned().isEmpty)
        expect(delivery.takeCredit() == 1)
        delivery.unlinked()
        delivery.giveBack(HandOver(3, Self.id(3)), usesCredit: true)
        _ = delivery.linked(8, to: "p", received: 0)
        expect(delivery.takeReturned().isEmpty && delivery.takeCredit() == 0)
    }

    @Test("a trial asks for no more than there is credit for, less what the link has left") func trial() {
        var delivery = Self.linked()
        delivery.settled(10, onLink: 7)
        expect(delivery.takeCredit(forAtMost: 4, unused: 1) == 3)
        expect(delivery.takeCredit(forAtMost: 4, unused: 4) == 0)
        expect(delivery.takeCredit(forAtMost: 100, unused: -2) == 7)
        expect(delivery.takeCredit() == 0)
    }

    @Test("reports go out once on a link, and again on the next unless the process has had them") func reports() {
        var delivery = Self.linked()
        var sent: [Int] = []
        for number in 1...3 { delivery.append(Self.report(UInt64(number))) }
        delivery.sendReports { number, _ in sent.append(number) }
        delivery.sendReports { number, _ in sent.append(number) }
        #expect(sent == [1, 2, 3])
        expect(delivery.taken(through: 1).map(\.id) == [Self.id(1)])
        expect(delivery.containsEnd(of: Self.id(2)) && !delivery.containsEnd(of: Self.id(1)))
        expect(delivery.linked(8, to: "p", received: 2).map(\.id) == [Self.id(2)])
        delivery.sendReports { number, _ in sent.append(number) }
        #expect(sent == [1, 2, 3, 3])
        // Another process has had none of them.
        expect(delivery.linked(9, to: "q", received: 3).isEmpty)
        #expect(delivery.process == "q" && delivery.reportCount == 1 && delivery.hasReports)
        expect(delivery.removeReports().map(\.id) == [Self.id(3)])
        #expect(!delivery.hasReports)
    }
}

/// What changes a value cannot stand in the macro.
private func expect(_ isSo: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(isSo, sourceLocation: sourceLocation)
}
