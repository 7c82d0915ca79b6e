internal import JobReactorCore
internal import NIOCore

/// Whether the storage of a node takes what it is given. While it refuses, the node gives back the jobs that it cannot store
/// and asks for no more, but for a few now and then, which find out whether the storage works again.
///
/// One write that succeeds proves little: a disk that is nearly full has room for a small job, and none for the next. So the
/// storage is on trial: the node asks for 1 job, then for 2, 4, 8, … as long as writes succeed and none is refused, and the
/// storage works again when a write has succeeded at ``provenSize`` and none was refused for a while. Where no job comes and
/// nothing is written, nothing is known, and it stays as it is.
///
/// A value without I/O: the time comes from outside.
struct StorageHealth {
    /// Seconds from one trial to the next while the storage refuses.
    static let trialInterval = 1.0
    /// The storage works again when this many jobs were asked for at once, at least, and a write succeeded.
    static let provenSize = 8
    /// No more are asked for at once, however long the trial takes.
    private static let largestSize = 1 << 20
    /// So long must no write have been refused before the storage works again. Twice as long when it refuses again within
    /// ``relapseTime`` of having worked, and so on, up to ``longestQuietTime``: as where only large jobs are refused.
    static let quietTime = TimeAmount.seconds(3)
    static let longestQuietTime = TimeAmount.seconds(60)
    static let relapseTime = TimeAmount.seconds(60)

    private enum State {
        /// Since then; nil since the start. Exit: a refused write, to `refuses`.
        case works(since: NIODeadline?)
        /// Exits: a refused write, to itself, where the trial begins anew; a write that succeeds late in the trial, to
        /// `works`.
        case refuses(StorageError, Trial)
    }

    private struct Trial {
        var lastRefusal: NIODeadline
        /// How many jobs each link is asked for at once.
        var size = 1
        /// A write has succeeded since the size is what it is.
        var hasSucceeded = false
    }

    private var state = State.works(since: nil)
    private var quietTime = Self.quietTime

    /// Why the storage refuses, as it said last; nil while it works.
    var error: StorageError? { if case .refuses(let error, _) = state { error } else { nil } }

    var isRefusing: Bool { if case .refuses = state { true } else { false } }

    enum Change: Equatable {
        case none
        /// It works no more: to be said, and a trial to be made after ``trialInterval``.
        case refuses
        /// It works again: to be said, and all credit to be granted.
        case works
    }

    /// How many jobs are asked for at once now.
    var trialSize: Int { if case .refuses(_, let trial) = state { trial.size } else { Self.largestSize } }

    /// How much to grant on a link so that as many jobs come as the trial asks for. `unused` is what the link has left of its
    /// credit: less than none when jobs came again after a lost connection, which do not wait for credit but use it.
    /// `withheld` is what may be granted.
    static func trialCredit(_ size: Int, unused: Int, withheld: Int) -> Int { max(0, min(withheld, size - unused)) }

    /// A write was refused.
    mutating func refused(_ error: StorageError, at now: NIODeadline) -> Change {
        switch state {
        case .refuses:
            state = .refuses(error, Trial(lastRefusal: now))
            return .none
        case .works(let since):
            let isRelapse = since.map { now - $0 < Self.relapseTime } ?? false
            quietTime = isRelapse ? min(2 * quietTime, Self.longestQuietTime) : Self.quietTime
            state = .refuses(error, Trial(lastRefusal: now))
            return .refuses
        }
    }

    /// A write has succeeded.
    mutating func succeeded(at now: NIODeadline) -> Change {
        guard case .refuses(let error, var trial) = state else { return .none }
        if trial.size >= Self.provenSize, now - trial.lastRefusal >= quietTime {
            state = .works(since: now)
            return .works
        }
        trial.hasSucceeded = true
        state = .refuses(error, trial)
        return .none
    }

    /// The next trial begins; returns how many jobs it asks for.
    mutating func beginTrial() -> Int {
        guard case .refuses(let error, var trial) = state else { return trialSize }
        if trial.hasSucceeded {
            trial.size = min(2 * trial.size, Self.largestSize)
            trial.hasSucceeded = false
            state = .refuses(error, trial)
        }
        return trial.size
    }
}
