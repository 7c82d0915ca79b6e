import JobReactorCore
import Testing

/// What each event does in each phase of a service's life.
@Suite struct ServiceStateTests {
    enum Event: CaseIterable, Sendable {
        case start, started, startFailed, stop, ended
    }

    /// What the service answers: a refusal of `start`, or whether the owner has something to do.
    enum Answer: Hashable, Sendable {
        case refused(ServiceState.Refusal)
        case act(Bool)
        case none
    }

    struct Row: Sendable {
        /// What leads to the phase.
        let path: [Event]
        let phase: ServiceState.Phase
        let isOpen: Bool
        /// By event, in the order of ``Event/allCases``.
        let exits: [(Answer, ServiceState.Phase)]
    }

    static let rows = [
        Row(
            path: [], phase: .idle, isOpen: true,
            exits: [
                (.none, .starting), (.act(false), .idle), (.act(false), .idle), (.act(true), .stopping(failure: nil)),
                (.none, .idle),
            ]),
        Row(
            path: [.start], phase: .starting, isOpen: true,
            exits: [
                (.refused(.startedBefore), .starting), (.act(true), .running),
                (.act(true), .stopping(failure: "no port")), (.act(true), .stopping(failure: nil)),
                (.none, .starting),
            ]),
        Row(
            path: [.start, .started], phase: .running, isOpen: true,
            exits: [
                (.refused(.startedBefore), .running), (.act(false), .running), (.act(false), .running),
                (.act(true), .stopping(failure: nil)), (.none, .running),
            ]),
        Row(
            path: [.start, .stop], phase: .stopping(failure: nil), isOpen: false,
            exits: [
                (.refused(.stopped), .stopping(failure: nil)), (.act(false), .stopping(failure: nil)),
                (.act(false), .stopping(failure: nil)), (.act(false), .stopping(failure: nil)), (.none, .stopped),
            ]),
        Row(
            path: [.start, .startFailed], phase: .stopping(failure: "no port"), isOpen: false,
            exits: [
                (.refused(.failedBefore("no port")), .stopping(failure: "no port")),
                (.act(false), .stopping(failure: "no port")), (.act(false), .stopping(failure: "no port")),
                (.act(false), .stopping(failure: "no port")), (.none, .failed("no port")),
            ]),
        Row(
            path: [.start, .started, .stop, .ended], phase: .stopped, isOpen: false,
            exits: [
                (.refused(.stopped), .stopped), (.act(false), .stopped), (.act(false), .stopped),
                (.act(false), .stopped), (.none, .stopped),
            ]),
        Row(
            path: [.start, .startFailed, .ended], phase: .failed("no port"), isOpen: false,
            exits: [
                (.refused(.failedBefore("no port")), .failed("no port")), (.act(false), .failed("no port")),
                (.act(false), .failed("no port")), (.act(false), .failed("no port")), (.none, .failed("no port")),
            ]),
    ]

    private static func happens(_ event: Event, to state: inout ServiceState) -> Answer {
        switch event {
        case .start:
            do throws(ServiceState.Refusal) { try state.start() } catch { return .refused(error) }
            return .none
        case .started: return .act(state.started())
        case .startFailed: return .act(state.startFailed("no port"))
        case .stop: return .act(state.stop())
        case .ended:
            state.ended()
            return .none
        }
    }

    @Test(arguments: rows) func everyEventInEveryPhase(row: Row) {
        var state = ServiceState()
        for event in row.path { _ = Self.happens(event, to: &state) }
        #expect(state.phase == row.phase)
        #expect(state.isOpen == row.isOpen)
        #expect(row.exits.count == Event.allCases.count)
        for (event, exit) in zip(Event.allCases, row.exits) {
            var after = state
            #expect(Self.happens(event, to: &after) == exit.0, "\(event) in \(row.phase)")
            #expect(after.phase == exit.1, "\(event) in \(row.phase)")
        }
    }
}
