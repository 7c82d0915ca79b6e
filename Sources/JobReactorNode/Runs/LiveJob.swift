/// What a node knows of a job that is not finished, beside its record in the storage.
struct LiveJob {
    enum Stage {
        /// For its due time, in the agenda.
        case waiting
        /// For its turn on its lane, or on the way there.
        case ready
        /// For its place in a limit, which its distributor gives.
        case asking
        /// On its lane, or about to be.
        case running
        /// It waits, and its record is being changed.
        case changing
        /// Cancelled before it ran; the end is being stored.
        case ending
    }

    var stage: Stage
    /// From outside: whatever its run comes to, there is no other.
    var isCancelled = false
    private var rare: Rare = []
    /// Its hand-over used one credit of its link, which has not come back.
    var usesCredit = false
    /// The number of the destination that gave it.
    let giver: UInt32
    /// The number of the link that it came over; 0 for none that is open.
    let link: UInt32
    /// The lower half of the number of its hand-over on that link.
    let handOver: UInt32
    /// That of its entry in the agenda, while it waits.
    var agendaNumber: Agenda.Number = 0

    /// In one byte, as there may be a million jobs.
    private struct Rare: OptionSet {
        let rawValue: UInt8
        static let destroyed = Rare(rawValue: 1)
        static let suspect = Rare(rawValue: 2)
        static let awaited = Rare(rawValue: 4)
        static let decided = Rare(rawValue: 8)
    }

    init(
        _ stage: Stage, giver: UInt32, link: UInt32 = 0, handOver: UInt32 = 0, isSuspect: Bool = false,
        isAwaited: Bool = false
    ) {
        self.stage = stage
        self.giver = giver
        self.link = link
        self.handOver = handOver
        if isSuspect { rare.insert(.suspect) }
        if isAwaited { rare.insert(.awaited) }
    }

    /// Its record goes with it, whatever the policy.
    var isDestroyed: Bool {
        get { rare.contains(.destroyed) }
        set { if newValue { rare.insert(.destroyed) } else { rare.remove(.destroyed) } }
    }

    /// What the end of its run comes to is decided, and is being stored.
    var isDecided: Bool {
        get { rare.contains(.decided) }
        set { if newValue { rare.insert(.decided) } else { rare.remove(.decided) } }
    }

    /// A node was lost that had it: its runs begin one by one, and its distributor is told of each.
    var isSuspect: Bool { rare.contains(.suspect) }

    /// A run waits for its outcome, here or elsewhere: it begins although as many pause as may.
    var isAwaited: Bool { rare.contains(.awaited) }
}
