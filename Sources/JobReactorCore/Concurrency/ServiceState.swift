/// The lifecycle of a service; `Distributor`, `Node` and `JobClient` share it.
///
/// A value without I/O. Its owner keeps it behind a lock, calls a method for each event, and acts when the method
/// returns true. A service is started once and stopped once; `stopped` and `failed` are final.
package struct ServiceState: Sendable {
    package enum Phase: Hashable, Sendable {
        /// Not started. `start` leads to `starting`, `stop` to `stopping`.
        case idle
        /// `started` leads to `running`; `startFailed` and `stop` lead to `stopping`.
        case starting
        /// `stop` leads to `stopping`.
        case running
        /// Releases its resources. `ended` leads to `stopped`, or to `failed` if the start failed.
        case stopping(failure: String?)
        case stopped
        /// The start failed for this reason, and its resources are released.
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

    /// Whether no stop was requested and the start has not failed.
    package var isOpen: Bool {
        switch phase {
        case .idle, .starting, .running: true
        case .stopping, .stopped, .failed: false
        }
    }

    /// Call before the start; do not start if this throws.
    package mutating func start() throws(Refusal) {
        switch phase {
        case .idle: phase = .starting
        case .starting, .running: throw .startedBefore
        case .stopping(failure: nil), .stopped: throw .stopped
        case .stopping(let reason?), .failed(let reason): throw .failedBefore(reason)
        }
    }

    /// The start is complete. Returns false if a stop came first: then the start has no effect.
    package mutating func started() -> Bool {
        switch phase {
        case .starting:
            phase = .running
            return true
        case .idle, .running, .stopping, .stopped, .failed: return false
        }
    }

    /// The start failed. If this returns true, the owner releases its resources and calls ``ended()``; if false, a stop
    /// does so.
    package mutating func startFailed(_ reason: String) -> Bool {
        switch phase {
        case .starting:
            phase = .stopping(failure: reason)
            return true
        case .idle, .running, .stopping, .stopped, .failed: return false
        }
    }

    /// If this returns true, the owner releases its resources and calls ``ended()``; if false, this has been done or is
    /// in progress.
    package mutating func stop() -> Bool {
        switch phase {
        case .idle, .starting, .running:
            phase = .stopping(failure: nil)
            return true
        case .stopping, .stopped, .failed: return false
        }
    }

    /// All resources are released.
    package mutating func ended() {
        switch phase {
        case .stopping(failure: nil): phase = .stopped
        case .stopping(let reason?): phase = .failed(reason)
        case .idle, .starting, .running, .stopped, .failed: break
        }
    }
}
