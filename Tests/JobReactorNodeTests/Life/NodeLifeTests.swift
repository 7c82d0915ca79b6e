import Testing

@testable import JobReactorNode

@Suite("The life of a node") struct NodeLifeTests {
    enum Event: CaseIterable {
        case start, loaded, opened, tookUp, openingFailed, lost, emptied, lostAfterEmptied, closed, rest, drain, stop

        func happen(to life: inout NodeLife) {
            switch self {
            case .start: life.start()
            case .loaded: _ = life.loaded()
            case .opened: life.opened()
            case .tookUp: life.tookUp()
            case .openingFailed: life.openingFailed()
            case .lost: _ = life.lost()
            case .emptied: _ = life.emptied()
            case .lostAfterEmptied: life.lostAfterEmptied()
            case .closed: life.closed()
            case .rest: _ = life.cameToRest()
            case .drain: life.drain()
            case .stop: _ = life.stop()
            }
        }
    }

    private static func life(after events: [Event]) -> NodeLife {
        var life = NodeLife()
        for event in events { event.happen(to: &life) }
        return life
    }

    private static let opening: [Event] = [.start, .loaded]
    private static let owning = opening + [.opened, .tookUp]

    /// Each state, what leads there, and where each event leads from it; those not named change nothing.
    static let table: [(way: [Event], state: NodeLife.State, exits: [Event: NodeLife.State])] = [
        ([], .new, [.start: .loading, .drain: .draining(owns: false)]),
        ([.start], .loading, [.loaded: .opening, .drain: .draining(owns: false)]),
        (opening, .opening, [.opened: .takingUp, .drain: .draining(owns: false)]),
        (
            opening + [.opened], .takingUp,
            [
                .tookUp: .owning, .openingFailed: .opening, .lost: .lost(isClosed: false), .emptied: .emptied,
                .drain: .draining(owns: true),
            ]
        ),
        (
            owning, .owning,
            [.lost: .lost(isClosed: false), .emptied: .emptied, .drain: .draining(owns: true)]
        ),
        (
            owning + [.lost], .lost(isClosed: false),
            [.closed: .lost(isClosed: true), .drain: .draining(owns: false)]
        ),
        (
            owning + [.lost, .closed], .lost(isClosed: true),
            [.rest: .opening, .drain: .draining(owns: false)]
        ),
        (
            owning + [.emptied], .emptied,
            [.opened: .owning, .lostAfterEmptied: .owning, .drain: .draining(owns: false)]
        ),
        (
            owning + [.drain], .draining(owns: true),
            [.openingFailed: .draining(owns: false), .stop: .stopped]
        ),
        (
            [.start, .drain], .draining(owns: false),
            [.opened: .draining(owns: true), .stop: .stopped]
        ),
        (owning + [.drain, .stop], .stopped, [:]),
    ]

    @Test("goes from each state with each event as the table says") func transitions() {
        for (way, state, exits) in Self.table {
            #expect(Self.life(after: way).state == state, "\(way)")
            for event in Event.allCases {
                let reached = Self.life(after: way + [event]).state
                #expect(reached == exits[event] ?? state, "\(state) with \(event)")
            }
        }
    }

    @Test("jobs may come and begin while it owns them and does not stop") func takesJobs() {
        for (way, state, _) in Self.table {
            let life = Self.life(after: way)
            #expect(life.takesJobs == [.takingUp, .owning].contains(state), "\(state)")
            #expect(life.ownsJobs == [.takingUp, .owning, .draining(owns: true)].contains(state), "\(state)")
            #expect(life.isStopping == way.contains(.drain), "\(state)")
        }
    }

    @Test("says what a start waits for, and not what a second opening does") func startStep() {
        #expect(NodeLife().startStep == nil)
        #expect(Self.life(after: [.start]).startStep == "its scripts were being loaded")
        #expect(Self.life(after: Self.opening).startStep == "its storage was being opened")
        #expect(Self.life(after: Self.opening + [.opened]).startStep == "its storage was being opened")
        #expect(Self.life(after: Self.owning).startStep == nil)
        #expect(Self.life(after: Self.owning + [.lost, .closed, .rest]).startStep == nil)
        // A start that has failed waits for nothing.
        for way in [[.start], Self.opening] {
            var life = Self.life(after: way)
            life.startFailed()
            #expect(life.startStep == nil)
        }
        #expect(Self.life(after: Self.owning + [.lost, .closed, .rest]).hasStarted)
    }

    @Test("what runs is waited for when the storage was lost, and by a stop") func rest() {
        var life = Self.life(after: Self.owning)
        expect(!life.awaitsRest && life.cameToRest() == .goesOn)
        life = Self.life(after: Self.owning + [.lost])
        expect(life.awaitsRest && life.cameToRest() == .goesOn)
        life.closed()
        expect(life.cameToRest() == .reopens)
        life.drain()
        expect(life.awaitsRest && life.cameToRest() == .mayStop)
        expect(life.stop())
        expect(!life.stop())
    }
}

/// What changes a value cannot stand in the macro.
private func expect(_ isSo: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(isSo, sourceLocation: sourceLocation)
}
