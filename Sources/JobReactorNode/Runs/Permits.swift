internal import JobReactorCore

/// Places of runs in limits, which a job's distributor gives: asked for before each run of a job that has limits, and given back
/// after it. Messages come together here until they are sent.
///
/// A value without I/O and without a clock.
struct Permits {
    /// A place that is asked for, or had.
    private struct Place {
        let giver: UInt32
        let priority: Int
        let needs: [LimitNeed]
        /// When the run began, by the steady clock; nil before.
        var began: Timestamp?
    }

    enum Message: Hashable {
        case permit(JobID, priority: Int, [LimitNeed])
        case release(JobID)
    }

    private var asked: [JobID: Place] = [:]
    private var given: [JobID: Place] = [:]
    /// Why jobs are not to run, until their records are there.
    private var discards: [JobID: String] = [:]
    /// In their order, each with the destination that it is for.
    private(set) var messages: [(giver: UInt32, message: Message)] = []

    /// Whether there is any: most nodes have none.
    var isEmpty: Bool { asked.isEmpty && given.isEmpty && discards.isEmpty }

    /// A run wants to begin.
    mutating func ask(_ id: JobID, priority: Int, _ needs: [LimitNeed], of giver: UInt32) {
        asked[id] = Place(giver: giver, priority: priority, needs: needs)
        messages.append((giver, .permit(id, priority: priority, needs)))
    }

    /// A job came with its place.
    mutating func give(_ id: JobID, _ needs: [LimitNeed], by giver: UInt32) {
        given[id] = Place(giver: giver, priority: JobPriority.usual, needs: needs)
    }

    /// The giver's answer: the run may begin. False where nobody waits for it any more; then it goes back.
    mutating func permitted(_ id: JobID, by giver: UInt32) -> Bool {
        guard let place = asked[id], place.giver == giver else {
            if given[id] == nil { messages.append((giver, .release(id))) }
            return false
        }
        asked[id] = nil
        given[id] = place
        return true
    }

    /// The giver's answer: the job is not to run. False where nobody waits for it any more.
    mutating func discarded(_ id: JobID, _ reason: String, by giver: UInt32) -> Bool {
        guard asked[id]?.giver == giver else { return false }
        asked[id] = nil
        discards[id] = reason
        return true
    }

    /// Why the job is not to run, once.
    mutating func takeDiscard(_ id: JobID) -> String? { discards.isEmpty ? nil : discards.removeValue(forKey: id) }

    func isGiven(_ id: JobID) -> Bool { !given.isEmpty && given[id] != nil }

    mutating func began(_ id: JobID, at now: Timestamp) { if !given.isEmpty { given[id]?.began = now } }

    /// The job does not wait for its place any more, or its run is over. `isReported`: its report gives the place back.
    mutating func end(_ id: JobID, isReported: Bool) {
        guard !isEmpty, let place = asked.removeValue(forKey: id) ?? given.removeValue(forKey: id) else { return }
        if !isReported { messages.append((place.giver, .release(id))) }
    }

    /// Those of the jobs are not here any more, as their giver knows.
    mutating func forget(_ ids: [JobID]) {
        guard !isEmpty else { return }
        for id in ids {
            asked[id] = nil
            given[id] = nil
            discards[id] = nil
        }
    }

    /// Those that are for other givers than these, which have not said yet what they know.
    mutating func takeMessages(but later: (UInt32) -> Bool = { _ in false }) -> [(giver: UInt32, message: Message)] {
        let taken = messages.filter { !later($0.giver) }
        messages.removeAll { !later($0.giver) }
        return taken
    }

    /// How many runs wait for the answer of each giver.
    var askedOf: [UInt32: Int] { asked.values.reduce(into: [:]) { $0[$1.giver, default: 0] += 1 } }

    // MARK: Links

    /// A run that has its place from the giver, for a new link.
    struct Held {
        let id: JobID
        let secondsAgo: Double
        let needs: [LimitNeed]
    }

    /// In the order of their ids.
    func held(of giver: UInt32, at now: Timestamp) -> [Held] {
        given.filter { $0.value.giver == giver }.sorted { $0.key < $1.key }.map { id, place in
            let seconds = place.began.map { Double(now.elapsed(since: $0)) / 1e6 } ?? 0
            return Held(id: id, secondsAgo: max(0, seconds), needs: place.needs)
        }
    }

    /// The giver is about to be told over a new link what is held of it: what was to be said over the one before means nothing there.
    mutating func greet(_ giver: UInt32) { messages.removeAll { $0.giver == giver } }

    /// What waits for the giver is asked for over its new link. What was given back meanwhile comes before.
    mutating func askAgain(_ giver: UInt32) {
        messages.removeAll { message in
            if case .permit = message.message { message.giver == giver } else { false }
        }
        for (id, place) in asked.filter({ $0.value.giver == giver }).sorted(by: { $0.key < $1.key }) {
            messages.append((giver, .permit(id, priority: place.priority, place.needs)))
        }
    }

    /// The giver knows of no limits: what waits for it may run. In the order of the ids.
    mutating func giveAll(of giver: UInt32) -> [JobID] {
        let ids = asked.filter { $0.value.giver == giver }.keys.sorted()
        for id in ids { asked[id] = nil }
        messages.removeAll { $0.giver == giver }
        return ids
    }
}
