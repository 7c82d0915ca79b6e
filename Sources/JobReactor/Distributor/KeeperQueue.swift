internal import JobReactorCore

/// What waits for the storage of a distributor, in its order: one save at a time, so that what comes meanwhile goes together
/// into the next, and nothing overtakes what has to be tried again.
///
/// A value without I/O. A `Waiter` is whoever waits for a job to be stored.
struct KeeperQueue<Waiter> {
    struct Item {
        /// Nil for who only waits for those before it.
        let job: Job?
        let waiter: Waiter
    }

    private enum Phase {
        /// Nothing is under way.
        case ready
        case saving
        /// A save was refused, and is tried again after a while.
        case pausing
        /// What was stored is gone, and the storage is being opened again: it is given nothing.
        case reopening
        case over
    }

    /// So many go to the storage at once, at most: a storage may have a limit, and others want their turn.
    static var batchLimit: Int { 5_000 }

    private var phase = Phase.ready
    private var unsaved: [Item] = []
    private var changes: [JobChange] = []

    var isOver: Bool { phase == .over }
    /// Everything that came is stored, as far as it is a job.
    var isSaved: Bool { unsaved.isEmpty && phase == .ready }
    var isReopening: Bool { phase == .reopening }

    mutating func add(_ job: Job?, _ waiter: Waiter) { unsaved.append(Item(job: job, waiter: waiter)) }

    mutating func add(_ change: JobChange) { changes.append(change) }

    /// How many batches the changes make that were not given out.
    var changeBatches: Int { (changes.count + Self.batchLimit - 1) / Self.batchLimit }

    /// What is to be saved now; nil when nothing is, or may be.
    mutating func nextSave() -> [Item]? {
        guard phase == .ready, !unsaved.isEmpty else { return nil }
        phase = .saving
        return Self.takeFirst(of: &unsaved)
    }

    /// What is to be changed now; nil when nothing is, or may be.
    mutating func nextChanges() -> [JobChange]? {
        guard phase != .over, phase != .reopening, !changes.isEmpty else { return nil }
        return Self.takeFirst(of: &changes)
    }

    /// As a rule all there are.
    private static func takeFirst<Element>(of waiting: inout [Element]) -> [Element] {
        guard waiting.count > batchLimit else {
            defer { waiting = [] }
            return waiting
        }
        defer { waiting.removeFirst(batchLimit) }
        return Array(waiting.prefix(batchLimit))
    }

    // MARK: Answers

    /// The save under way has its answer: `again` of it, in their order, are to be tried again. Returns whether to wait first.
    mutating func answered(again: [Item] = []) -> Bool {
        unsaved = again + unsaved
        guard phase == .saving else { return false }
        phase = again.isEmpty ? .ready : .pausing
        return !again.isEmpty
    }

    /// The wait is over.
    mutating func pauseEnded() {
        if phase == .pausing { phase = .ready }
    }

    // MARK: The storage

    /// What was stored is gone. Returns false when that is known, or it is over.
    mutating func beginReopening() -> Bool {
        guard phase != .over, phase != .reopening else { return false }
        phase = .reopening
        return true
    }

    /// The storage is open again, and empty: `restored` are stored before what came meanwhile, as a change of theirs may be
    /// among that.
    mutating func reopened(_ restored: [Item]) {
        guard phase == .reopening else { return }
        unsaved = restored + unsaved
        phase = .ready
    }

    /// The storage is about to close, and carries its calls out in order: nothing waits for an answer before it. Returns how
    /// many saves are to be made for what is left.
    mutating func hurry() -> Int {
        if phase == .saving || phase == .pausing { phase = .ready }
        return (unsaved.count + Self.batchLimit - 1) / Self.batchLimit
    }

    /// Nothing more is stored. Returns those that wait in vain.
    mutating func end() -> [Item] {
        phase = .over
        defer { unsaved = [] }
        return unsaved
    }
}
