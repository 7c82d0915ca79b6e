internal import JobReactorCore
internal import JobReactorLua

/// What ``NodeRuns`` says is to be done.
extension NodeRuns {
    /// Of jobs that are saved.
    struct Arrived {
        /// To be run now: those of the reactor lane, and the others.
        var runs: [LuaLane.Run] = []
        var deferred: [LuaLane.Run] = []
        /// How many hand-overs used a credit that is free again.
        var credit = 0
        /// To be cancelled.
        var cancelled: [JobID] = []
        /// Those that were here before and waited for their places: their records are to be loaded.
        var ready: [JobID] = []
        /// The records of those that were saved as begun and do not begin yet: to be stored.
        var withdrawn: [Job] = []
    }

    /// Of a loaded record.
    enum Loaded {
        /// Nothing any more.
        case nothing
        /// Its turn may come on this lane.
        case ready(LaneKind)
        /// Its place in a limit is asked for: ``permits`` has the message.
        case asks
        case end(Ending)
        /// There is none: ``fail(gone:)``.
        case gone
    }

    /// Of the turn of a suspect.
    enum CarefulTurn {
        /// Its beginning is to be stored.
        case begin(Job)
        case end(Ending)
    }

    /// Of stored beginnings: runs to be made, and ends to be stored of jobs that were cancelled before they ran.
    struct Begun {
        var runs: [LuaLane.Run] = []
        var endings: [Ending] = []
    }

    /// Of what a distributor holds back.
    struct Held {
        /// What was known of jobs that give back a credit.
        var settled: [LiveJob]
        /// Runs that have not begun are to be taken back from the lanes: ``heldBack(_:from:)``.
        var holdsMore: Bool
        /// Others may begin.
        var holdsLess: Bool
    }

    /// Of outcomes of runs.
    struct Ended {
        /// Failures to be stored before their errbacks run.
        var raised: [LuaLane.Outcome] = []
        var endings: [Ending] = []
    }

    /// Of a cancellation from outside.
    enum Cancellation {
        /// The job is not here, or finished.
        case unknown
        /// It ends already.
        case ends
        /// It is on a lane, or about to be: ``tookBack(_:from:)`` with what the lane gives back.
        case interrupt
        /// Its record is to be loaded: ``loaded(_:at:_:)``.
        case load
    }
}
