/// Where a node is in its life, and what follows from it for its jobs. A value without I/O.
///
/// | state | begins with | ends with |
/// | --- | --- | --- |
/// | new | the making of the node | the start: loading |
/// | loading | that | the scripts are loaded and the port is open: opening |
/// | opening | that, or ``Rest/reopens`` | the storage is open: taking up |
/// | taking up | that | all that was found is taken up: owning; the storage fails: opening |
/// | owning | that | another has the jobs: lost; the records are gone: emptied |
/// | lost | that | what ran has ended, and the storage is closed: opening |
/// | emptied | that | the storage is open again: owning |
/// | draining | the stop, in any state | what ran has ended and is told, or the time is over: stopped |
/// | stopped | that | never |
struct NodeLife {
    enum State: Equatable {
        case new
        case loading
        case opening
        case takingUp
        case owning
        case lost(isClosed: Bool)
        case emptied
        /// The storage's jobs may be this node's or not, as before.
        case draining(owns: Bool)
        case stopped
    }

    private(set) var state = State.new
    /// It has owned its jobs: the start is over.
    private(set) var hasStarted = false
    private var hasStartFailed = false

    /// Whether the jobs in the storage are this node's: not before the opening, nor when another has taken them over.
    var ownsJobs: Bool {
        switch state {
        case .takingUp, .owning, .draining(owns: true): true
        default: false
        }
    }

    var isStopping: Bool {
        switch state {
        case .draining, .stopped: true
        default: false
        }
    }

    /// Whether jobs may come and begin.
    var takesJobs: Bool { state == .takingUp || state == .owning }

    /// What the start waits for; nil before and after it.
    var startStep: String? {
        if hasStartFailed { return nil }
        return switch state {
        case .loading: "its scripts were being loaded"
        case .opening, .takingUp: hasStarted ? nil : "its storage was being opened"
        default: nil
        }
    }

    mutating func start() {
        if state == .new { state = .loading }
    }

    /// The start is over, with an error: what follows is no stop of a start.
    mutating func startFailed() { hasStartFailed = true }

    /// Scripts and port are there: the storage is to be opened. False when the node stops.
    mutating func loaded() -> Bool {
        guard state == .loading else { return false }
        state = .opening
        return true
    }

    /// The storage is open.
    mutating func opened() {
        switch state {
        case .opening: state = .takingUp
        case .emptied: state = .owning
        case .draining: state = .draining(owns: true)
        case .new, .loading, .takingUp, .owning, .lost, .stopped: break
        }
    }

    /// What was in the storage is taken up.
    mutating func tookUp() {
        hasStarted = true
        if state == .takingUp { state = .owning }
    }

    /// The storage could not be opened, or its jobs not taken up.
    mutating func openingFailed() {
        switch state {
        case .takingUp: state = .opening
        case .draining: state = .draining(owns: false)
        default: break
        }
    }

    /// Another process has the jobs. False when they were not this node's, or it stops.
    mutating func lost() -> Bool {
        guard takesJobs else { return false }
        state = .lost(isClosed: false)
        return true
    }

    /// The records are gone. False as for ``lost()``.
    mutating func emptied() -> Bool {
        guard takesJobs else { return false }
        state = .emptied
        return true
    }

    /// While the storage was emptied another has taken the place.
    mutating func lostAfterEmptied() {
        if state == .emptied { state = .owning }
    }

    /// The storage that was lost is closed.
    mutating func closed() {
        if case .lost = state { state = .lost(isClosed: true) }
    }

    /// What happens when nothing runs any more.
    enum Rest: Equatable {
        case goesOn
        /// The storage that was lost is opened again.
        case reopens
        /// The node may stop, once what it has to tell is told.
        case mayStop
    }

    /// Whether ``cameToRest()`` leads to anything.
    var awaitsRest: Bool {
        switch state {
        case .lost, .draining: true
        default: false
        }
    }

    /// Nothing runs any more, and no end of a run is being stored.
    mutating func cameToRest() -> Rest {
        switch state {
        case .lost(isClosed: true):
            state = .opening
            return .reopens
        case .draining: return .mayStop
        default: return .goesOn
        }
    }

    /// The node is to stop.
    mutating func drain() {
        if !isStopping { state = .draining(owns: ownsJobs) }
    }

    /// Nothing more is waited for. False when that was so before.
    mutating func stop() -> Bool {
        guard case .draining = state else { return false }
        state = .stopped
        return true
    }
}
