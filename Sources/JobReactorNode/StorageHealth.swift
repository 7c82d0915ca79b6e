internal import JobReactorCore

/// Whether the storage of a node takes what it is given. While it refuses, the node gives back the jobs that it cannot store
/// and asks for no more, but for one now and then, which finds out whether the storage works again.
///
/// A value without I/O.
struct StorageHealth {
    /// Seconds from one job that is asked for to the next while the storage refuses.
    static let trialInterval = 1.0

    /// Why the storage refuses; nil while it works.
    private(set) var error: StorageError?

    var isRefusing: Bool { error != nil }

    enum Change: Equatable {
        case none
        /// It works no more: to be said, and a trial to be made after ``trialInterval``.
        case refuses
        /// It works again: to be said, and all credit to be granted.
        case works
    }

    /// How much to grant on a link so that one job comes. `unused` is what the link has left of its credit: less than none
    /// when jobs came again after a lost connection, which do not wait for credit but use it. `withheld` is what may be
    /// granted.
    static func trialCredit(unused: Int, withheld: Int) -> Int { max(0, min(withheld, 1 - unused)) }

    /// A write was refused.
    mutating func refused(_ error: StorageError) -> Change {
        defer { self.error = error }
        return self.error == nil ? .refuses : .none
    }

    /// A write has succeeded.
    mutating func succeeded() -> Change {
        guard error != nil else { return .none }
        error = nil
        return .works
    }
}
