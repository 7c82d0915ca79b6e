internal import JobReactorCore

/// The durable nodes that were lost, and the jobs that they may have.
///
/// A value without I/O: of a time it says how many seconds hence, and is told when it has come.
struct Takeovers {
    /// A time that has come.
    enum Timer: Hashable, Sendable {
        /// The node has had its time to come back.
        case lost(String, number: Int)
        /// It has had its time to say whether it has the jobs in doubt.
        case doubt(String, number: Int)
        /// To ask once more whether nodes have left jobs at a place.
        case abandoned(place: String, seconds: Double)
    }

    private struct LostNode {
        let place: String
        let timer: Int
        /// It has had its time: its jobs are for another.
        var isGivenUp = false
    }

    /// Those that may not come back, by name, with where their storage is, when others share it.
    private var lost: [String: LostNode] = [:]
    /// By the name of the node that may have them.
    private var doubts: [String: (jobs: [JobID], timer: Int)] = [:]
    /// Places of which it is asked whether nodes have left jobs there.
    private var askedPlaces: Set<String> = []
    private var lastTimer = 0
    /// Seconds that a node has to come back.
    let time: Double

    init(time: Double) { self.time = time }

    private mutating func nextTimer() -> Int {
        lastTimer += 1
        return lastTimer
    }

    // MARK: Lost nodes

    /// A node on a shared storage is gone. When it does not come back another takes over its jobs.
    mutating func nodeLost(_ name: String, at place: String, atLeast seconds: Double = 0) -> (Timer, after: Double) {
        let timer = nextTimer()
        lost[name] = LostNode(place: place, timer: timer)
        return (.lost(name, number: timer), max(seconds, time))
    }

    /// The node has had its time. Returns its place, where another may take over; nil when it has come back.
    mutating func giveUp(_ name: String, number: Int) -> String? {
        guard let node = lost[name], node.timer == number else { return nil }
        lost[name]?.isGivenUp = true
        return node.place
    }

    /// A node is there: it is not lost, and may take over from those that it returns.
    mutating func nodeCameBack(_ name: String, at place: String?) -> [String] {
        lost[name] = nil
        return lost.filter { $0.value.place == place && $0.value.isGivenUp }.map(\.key).sorted()
    }

    func place(ofLost name: String) -> String? { lost[name]?.place }

    /// Another has taken over from the node.
    mutating func takenOver(_ name: String) { lost[name] = nil }

    // MARK: Left behind

    /// The first node of a place looks whether some were lost that this process does not know: a node that died may hold its
    /// lease for a while yet, for longer when the server was away, and no event tells a distributor that came later. So it is
    /// asked again and again, at intervals that grow. Nil when that is under way.
    mutating func askForAbandoned(at place: String) -> (Timer, after: Double)? {
        guard askedPlaces.insert(place).inserted else { return nil }
        let seconds = max(0.1, time)
        return (.abandoned(place: place, seconds: seconds), seconds)
    }

    /// It is time to ask. Returns the time after that, unless there is no `heir`: then the next node of the place begins.
    mutating func askAgain(at place: String, after seconds: Double, hasHeir: Bool) -> (Timer, after: Double)? {
        guard hasHeir else {
            askedPlaces.remove(place)
            return nil
        }
        let next = min(2 * seconds, 16 * max(1, time))
        return (.abandoned(place: place, seconds: next), next)
    }

    // MARK: Jobs in doubt

    /// A durable node is gone that had not said of these jobs whether it has them. It will when it comes back.
    mutating func doubt(_ jobs: [JobID], at name: String) -> (Timer, after: Double)? {
        guard !jobs.isEmpty else { return nil }
        let timer = nextTimer()
        doubts[name] = ((doubts[name]?.jobs ?? []) + jobs, timer)
        return (.doubt(name, number: timer), time)
    }

    /// All jobs of which it is not known whether a node has them; some may have been cleared up meanwhile.
    var allInDoubt: [JobID] { doubts.values.flatMap(\.jobs) }

    /// The node, or the one that has taken over from it, is told of the jobs again.
    mutating func takeDoubts(about name: String) -> [JobID] { doubts.removeValue(forKey: name)?.jobs ?? [] }

    /// The node has not come back in time. Returns its jobs; none when it has, or while `hasHeir` of its place: they go to
    /// the node that takes over from it.
    mutating func endDoubt(about name: String, number: Int, hasHeir: (_ place: String) -> Bool) -> [JobID] {
        guard doubts[name]?.timer == number else { return [] }
        if let place = lost[name]?.place, hasHeir(place) { return [] }
        return takeDoubts(about: name)
    }
}
