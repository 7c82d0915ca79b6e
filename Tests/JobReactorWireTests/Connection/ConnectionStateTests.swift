import Testing

@testable import JobReactorWire

@Suite("The state of a connection") struct ConnectionStateTests {
    enum Event: Sendable {
        case wrote, turnEnded, readBegan, readEnded
        case asksToRead(writable: Bool)
        case pause(Bool)
        case link
        case writable(Bool)
        case close(String?)
        case note(String?)
        case ended

        func happen(to state: inout ConnectionState) -> Bool {
            switch self {
            case .wrote: return state.wrote()
            case .turnEnded: return state.turnEnded()
            case .readBegan: return state.readBegan()
            case .readEnded: return state.readEnded()
            case .asksToRead(let isWritable): return state.asksToRead(isWritable: isWritable)
            case .pause(let pause): return state.pauseInput(pause, isWritable: true)
            case .link: return state.becomeLink(isWritable: false)
            case .writable(let isWritable): return state.writabilityChanged(isWritable)
            case .close(let reason): return state.close(reason)
            case .note(let reason):
                state.note(reason)
                return true
            case .ended: return state.ended()
            }
        }
    }

    struct Row: Sendable {
        let rule: String
        let events: [(Event, Bool)]
        var isInUse = true
        var reason: String?
    }

    static let rows = [
        Row(rule: "one flush for all writes of a turn", events: [(.wrote, true), (.wrote, false), (.turnEnded, true)]),
        Row(
            rule: "and another for those of the next",
            events: [(.wrote, true), (.turnEnded, true), (.wrote, true), (.turnEnded, true)]),
        Row(
            rule: "what is written while frames are taken goes out after them",
            events: [(.readBegan, true), (.wrote, false), (.readEnded, true), (.wrote, true)]),
        Row(
            rule: "a flush that is due when it closes is not made: closing has flushed",
            events: [(.wrote, true), (.close("over"), true), (.turnEnded, false)], isInUse: false, reason: "over"),
        Row(
            rule: "nothing that comes counts once it closes",
            events: [(.close(nil), true), (.readBegan, false), (.readEnded, false)], isInUse: false),
        Row(
            rule: "it closes once, for its first reason",
            events: [(.note("reset"), true), (.close("over"), true), (.close("again"), false)], isInUse: false,
            reason: "reset"),
        Row(rule: "it ends once", events: [(.ended, true), (.ended, false), (.close("late"), false)], isInUse: false),
        Row(
            rule: "a server does not read from who does not read",
            events: [(.asksToRead(writable: false), false), (.writable(false), false), (.writable(true), true)]),
        Row(
            rule: "it reads on once, whatever happens next",
            events: [(.asksToRead(writable: false), false), (.writable(true), true), (.writable(true), false)]),
        Row(
            rule: "nor while its session has enough to do",
            events: [
                (.pause(true), false), (.asksToRead(writable: true), false), (.writable(true), false),
                (.pause(false), true),
            ]),
        Row(
            rule: "a link reads, whoever reads it",
            events: [(.asksToRead(writable: false), false), (.link, true), (.asksToRead(writable: false), true)]),
        Row(
            rule: "what is closing reads to the end",
            events: [(.close(nil), true), (.asksToRead(writable: false), true)], isInUse: false),
    ]

    @Test("of a server, as a table", arguments: rows) func table(_ row: Row) {
        var state = ConnectionState(readsOn: false)
        for (number, (event, expected)) in row.events.enumerated() {
            expect(event.happen(to: &state) == expected, "\(row.rule): event \(number), \(event)")
        }
        #expect(state.isInUse == row.isInUse, "\(row.rule)")
        #expect(state.closeReason == row.reason, "\(row.rule)")
    }

    @Test("a client reads, whatever becomes of what it writes") func client() {
        var state = ConnectionState(readsOn: true)
        expect(state.asksToRead(isWritable: false))
        #expect(!state.hasUnread)
    }

    @Test("a server holds back what comes while its session is busy or its client does not read; a link does not")
    func holdsBack() {
        var state = ConnectionState(readsOn: false)
        #expect(!state.holdsBack(isWritable: true) && state.holdsBack(isWritable: false) && !state.isPaused)
        expect(!state.pauseInput(true, isWritable: true))
        #expect(state.holdsBack(isWritable: true) && state.isPaused)
        var link = state
        expect(!link.becomeLink(isWritable: true))
        #expect(!link.holdsBack(isWritable: false) && !link.isPaused)
        // What is closing forgets what comes.
        expect(state.close(nil))
        #expect(!state.holdsBack(isWritable: true))
        let client = ConnectionState(readsOn: true)
        #expect(!client.holdsBack(isWritable: false))
    }

    @Test("what was not read when it closes is read to the end") func readsToTheEnd() {
        var state = ConnectionState(readsOn: false)
        expect(!state.pauseInput(true, isWritable: true))
        expect(!state.asksToRead(isWritable: true))
        expect(state.close(nil))
        expect(state.readsToTheEnd())
        expect(!state.readsToTheEnd())
    }

    @Test("knows of a read that it owes") func owes() {
        var state = ConnectionState(readsOn: false)
        expect(!state.asksToRead(isWritable: false))
        #expect(state.hasUnread)
        expect(state.writabilityChanged(true))
        #expect(!state.hasUnread)
    }
}

/// Takes its argument before the macro sees it: what changes a value cannot stand in `#expect`.
private func expect(_ holds: Bool, _ note: String = "", sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(holds, "\(note)", sourceLocation: sourceLocation)
}
