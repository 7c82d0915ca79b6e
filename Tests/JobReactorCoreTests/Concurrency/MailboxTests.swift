import JobReactorCore
import Testing

@Suite("A mailbox") struct MailboxTests {
    @Test("wakes its reader once for all that comes before it looks") func wakes() {
        var mailbox = Mailbox<[Int]>()
        expect(mailbox.put { $0.append(1) })
        expect(!mailbox.put { $0.append(2) })
        expect(!mailbox.put { $0.append(3) })
        expect(mailbox.take() == [1, 2, 3])
        expect(mailbox.take() == [])
        expect(mailbox.put { $0.append(4) })
        expect(mailbox.take() == [4])
    }

    @Test("wakes again after a look that found nothing") func wakesAgain() {
        var mailbox = Mailbox(0)
        expect(mailbox.take() == 0)
        expect(mailbox.put { $0 += 2 })
        expect(!mailbox.put { $0 += 2 })
        expect(mailbox.take() == 4)
        expect(mailbox.put { $0 += 1 })
    }
}

/// Takes its argument before the macro sees it: what changes a value cannot stand in `#expect`.
private func expect(_ holds: Bool, _ note: String = "", sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(holds, "\(note)", sourceLocation: sourceLocation)
}
