/// The life of a service, from its making to its end: a `Distributor`, a `Node` and a `JobClient` share it.
///
/// A value without I/O. Its owner keeps it behind a lock, tells it what happened, and does what a method that returns
/// true asks for. A service is started once and stopped once; `stopped` and `failed` have no exit.
package struct ServiceState: Sendable {
    package enum Phase: Hashable, Sendable {
        /// Made, and no more. `start` leads to `starting`, `stop` to `stopping`.
        case idle
        /// `started` leads to `running`; `startFailed` and `stop` lead to `stopping`.
        case starting
        /// `stop` leads to `stopping`.
        case running
        /// Gives back what it has. `ended` leads to `stopped`, or to `failed` when the start came to nothing.
        case stopping(failure: String?)
        case stopped
        /// The start came to nothing, for this reason, and what it had opened is closed.
        case failed(String)
    }

    /// Why a service cannot be started.
    package enum Refusal: Error, Hashable, Sendable {
        case startedBefore
        case stopped
        case failedBefore(String)
    }

    package private(set) var phase = Phase.idle

    package init() {}

    /// Nobody has asked it to stop, and its start has not failed.
    package var isOpen: Bool {
        switch phase {
        case .idle, .starting, .running: true
        case .stopping, .stopped, .failed: false
        }
    }

    /// The owner begins the start, unless this throws.
    package mutating func start() throws(Refusal) {
        switch phase {
        case .idle: phase = .starting
        case .starting, .running: throw .startedBefore
        case .stopping(failure: nil), .stopped: throw .stopped
        case .stopping(let reason?), .failed(let reason): throw .failedBefore(reason)
        }
    }

    /// The start is through. False when a stop overtook it: then it counts for nothing.
    package mutating func started() -> Bool {
        switch phase {
        case .starting:
            phase = .running
            return true
        case .idle, .running, .stopping, .stopped, .failed: return false
        }
    }

    /// The start came to nothing. True: the owner closes what is open and says ``ended()``. False when a stop does so.
    package mutating func startFailed(_ reason: String) -> Bool {
        switch phase {
        case .starting:
            phase = .stopping(failure: reason)
            return true
        case .idle, .running, .stopping, .stopped, .failed: return false
        }
    }

    /// True: the owner closes what is open and says ``ended()``. False when that is done already, or under way.
    package mutating func stop() -> Bool {
        switch phase {
        case .idle, .starting, .running:
            phase = .stopping(failure: nil)
            return true
        case .stopping, .stopped, .failed: return false
        }
    }

    /// All that was open is closed.
    package mutating func ended() {
        switch phase {
        case .stopping(failure: nil): phase = .stopped
        case .stopping(let reason?): phase = .failed(reason)
        case .idle, .starting, .running, .stopped, .failed: break
        }
    }
}
