internal import DequeModule
internal import JobReactorCore

/// A job that is not finished, or whose outcome is not known, as a distributor knows it.
///
/// An object, so that a table moves and copies one reference however much is known of a job. Its ``DistributorLedger`` alone
/// changes it.
final class LedgerEntry {
    enum Place {
        /// Not accepted yet: it is being stored.
        case saving
        case waiting
        /// Sent to the node, by the hand-over of this number on its link; 0 for a suspect that is held until it may be sent.
        case node(Dispatcher.NodeHandle, number: Int)
        /// Saved by the durable node of that name, which owns it.
        case owned(by: String)
        /// Sent to the durable node of that name, which was lost before it had said whether it has the job.
        case inDoubt(at: String)
    }

    let name: String
    fileprivate(set) var sink: Sink
    fileprivate(set) var place: Place
    /// Our copy, while no node owns the job.
    var job: Job?
    /// The last run reported by whoever has the job now.
    var lastRun: Int32 = 0
    /// The keeper has a record of it.
    var isStored = false
    /// No node can have run it yet: what is reported of its id is of an earlier job that had it.
    var isNew = true
    /// Its next run has its place in the limits of the job.
    var isPermitted = false
    /// An earlier process has accepted it, and may have given it to a node that is not known here.
    var isTakenUp = false
    /// How much it is suspected of ending nodes: see ``Suspects``. In a byte that is there anyway.
    var strikes: UInt8 = 0
    /// When its next run is due; never when the node knows that alone.
    var due: DueTime
    /// The stop waits for its end.
    fileprivate var isAwaited = false
    /// Its places in lists, for ``EntryList``; any number when it is in none.
    fileprivate var holderPlace: UInt32 = 0
    fileprivate var toldPlace: UInt32 = 0
    /// What it was counted with in ``EntryTable/memory``, and for whom.
    fileprivate var bytes: Int32 = 0
    let account: MemoryShares.Account

    init(
        _ job: Job, _ sink: Sink, _ place: Place = .waiting, due: DueTime,
        account: MemoryShares.Account = MemoryShares.own
    ) {
        self.account = account
        name = job.name
        self.job = job
        self.due = due
        self.sink = sink
        self.place = place
    }

    /// Our copy of the job, with its due time as the wall clock tells it now.
    func record(at now: Moment) -> Job? {
        var record = job
        if let dueAt = due.date(at: now) { record?.dueAt = dueAt }
        return record
    }

    /// It goes to a node at once; before it is in any table.
    func begin(at node: Dispatcher.NodeHandle, number: Int) { place = .node(node, number: number) }
}

/// Entries in the order in which they came. Each knows its place, so that it goes in constant time; it leaves a gap, and as
/// jobs end about in the order in which they came, gaps go with the first of those that are left.
///
/// It does not retain them, so that a job costs no more than a word here: an entry is in the ``EntryTable`` as long as it is
/// in one of the table's lists.
private struct EntryList {
    /// Which of the places that an entry can have: it is in one list of each kind at most.
    enum Kind {
        /// The jobs that a node has.
        case holder
        /// The jobs whose end somebody here waits for.
        case told
    }

    private var slots: Deque<Unmanaged<LedgerEntry>?> = []
    /// The place of the first slot; wraps around.
    private var first: UInt32 = 0
    private(set) var count = 0
    /// How many slots there were at most since it was empty.
    private var most = 0
    private let kind: Kind

    init(_ kind: Kind) { self.kind = kind }

    var isEmpty: Bool { count == 0 }

    /// Retained, in their order: takes time for all of them.
    var entries: [LedgerEntry] { slots.compactMap { $0?.takeUnretainedValue() } }

    mutating func append(_ entry: LedgerEntry) {
        set(first &+ UInt32(truncatingIfNeeded: slots.count), of: entry)
        slots.append(.passUnretained(entry))
        count += 1
        most = max(most, slots.count)
    }

    /// Does nothing when the entry is not in it.
    mutating func remove(_ entry: LedgerEntry) {
        guard let index = index(of: entry) else { return }
        slots[index] = nil
        count -= 1
        guard count > 0 else { return removeGaps() }
        if index == 0 {
            while case .some(nil) = slots.first {
                slots.removeFirst()
                first &+= 1
            }
        } else if slots.count > max(64, 2 * count) {
            removeGaps()
        }
    }

    /// When they are more than half of all, so that each costs constant time.
    private mutating func removeGaps() {
        first = 0
        guard count > 0 else {
            // What a million jobs took is given back when they are gone.
            if most > 10_000 { slots = [] } else { slots.removeAll(keepingCapacity: true) }
            return most = 0
        }
        slots.removeAll { $0 == nil }
        for (index, slot) in slots.enumerated() {
            if let entry = slot?.takeUnretainedValue() { set(UInt32(truncatingIfNeeded: index), of: entry) }
        }
    }

    private func index(of entry: LedgerEntry) -> Int? {
        let index = Int((kind == .holder ? entry.holderPlace : entry.toldPlace) &- first)
        guard index < slots.count, let slot = slots[index],
            slot.toOpaque() == Unmanaged.passUnretained(entry).toOpaque()
        else { return nil }
        return index
    }

    private func set(_ place: UInt32, of entry: LedgerEntry) {
        switch kind {
        case .holder: entry.holderPlace = place
        case .told: entry.toldPlace = place
        }
    }
}

/// The entries by id; beside that those that each node has, and those that somebody in this process waits for. Nothing has
/// to look at all of them.
struct EntryTable {
    private var table = JobTable<LedgerEntry>()
    /// Sent to each node and not owned by it, by the index of its handle.
    private var sent: [EntryList] = []
    /// Owned by each durable node, by its name.
    private var owned: [String: EntryList] = [:]
    /// Those whose end somebody in this process waits for: the application, a command.
    private var told = EntryList(.told)
    /// From the beginning of the stop on: what is due later is not waited for.
    private var deadline: Moment?
    var isDraining: Bool { deadline != nil }
    /// How many ends the stop waits for: of what linked nodes have and do not own, and of what somebody in this process waits
    /// for, as far as it is due in time and a node can run it, or has it for certain.
    private(set) var awaitedCount = 0

    /// What the jobs take, as ``JobMemory`` counts it, and what else waits here.
    var memory = MemoryShares()

    var count: Int { table.count }
    var isEmpty: Bool { table.isEmpty }

    subscript(id: JobID) -> LedgerEntry? { table[id] }

    mutating func add(_ entry: LedgerEntry, _ id: JobID) {
        if let other = table.updateValue(entry, forKey: id) { leave(other) }
        added(entry)
    }

    /// As ``add(_:_:)``, of a job that is not in the table.
    mutating func addNew(_ entry: LedgerEntry, _ id: JobID) {
        table.insert(entry, forNew: id)
        added(entry)
    }

    private mutating func added(_ entry: LedgerEntry) {
        measure(entry)
        addToHolder(entry)
        if entry.sink.waitsHere { told.append(entry) }
        recount(entry)
    }

    @discardableResult
    mutating func remove(_ id: JobID) -> LedgerEntry? {
        guard let entry = table.removeValue(forKey: id) else { return nil }
        leave(entry)
        return entry
    }

    /// The entry is no longer in the table, and goes from the lists, which do not retain it.
    private mutating func leave(_ entry: LedgerEntry) {
        memory.add(-Int(entry.bytes), to: entry.account)
        entry.bytes = 0
        removeFromHolder(entry)
        if entry.sink.waitsHere { told.remove(entry) }
        if entry.isAwaited { count(entry, isAwaited: false) }
    }

    /// As ``JobTable/visit(from:count:_:)``.
    func visit(from place: Int, count: Int, _ visit: (JobID, LedgerEntry) -> Void) -> Int? {
        table.visit(from: place, count: count, visit)
    }

    var placeCount: Int { table.placeCount }
    func place(of id: JobID) -> Int? { table.place(of: id) }

    /// All of them, in no order: only for what is as rare as it is large.
    var elements: some Sequence<(key: JobID, value: LedgerEntry)> { table.elements }

    /// The jobs sent to the node that it does not own.
    func sent(to node: Dispatcher.NodeHandle) -> [LedgerEntry] {
        sent.indices.contains(node.index) ? sent[node.index].entries : []
    }

    /// How many jobs are sent to nodes that do not own them.
    var sentCount: Int { sent.reduce(0) { $0 + $1.count } }

    /// The jobs that the durable node of that name owns.
    func owned(by node: String) -> [LedgerEntry] { owned[node]?.entries ?? [] }

    /// How many jobs it owns.
    func ownedCount(by node: String) -> Int { owned[node]?.count ?? 0 }

    /// How many jobs are owned by nodes that are not among these.
    func ownedCount(byOthersThan nodes: Set<String>) -> Int {
        owned.reduce(0) { nodes.contains($1.key) ? $0 : $0 + $1.value.count }
    }

    /// All entries go. Returns those whose end somebody in this process waits for.
    mutating func removeAll() -> [LedgerEntry] {
        let waiting = told.entries
        for (_, entry) in elements { memory.add(-Int(entry.bytes), to: entry.account) }
        let memory = memory
        self = EntryTable()
        self.memory = memory
        return waiting
    }

    // MARK: Changes of entries

    /// The job of an entry that is in the table has changed, or is not known here any more.
    mutating func measure(_ entry: LedgerEntry) {
        let now = JobMemory.base + entry.name.utf8.count + (entry.job.map { $0.args.bytes.count } ?? 2)
        memory.add(now - Int(entry.bytes), to: entry.account)
        entry.bytes = Int32(clamping: now)
    }

    mutating func move(_ entry: LedgerEntry, to place: LedgerEntry.Place) {
        removeFromHolder(entry)
        entry.place = place
        addToHolder(entry)
        recount(entry)
    }

    mutating func setSink(_ sink: Sink, of entry: LedgerEntry) {
        let isListed = entry.sink.waitsHere
        entry.sink = sink
        if sink.waitsHere != isListed {
            if isListed { told.remove(entry) } else { told.append(entry) }
        }
        recount(entry)
    }

    private mutating func addToHolder(_ entry: LedgerEntry) {
        switch entry.place {
        case .node(let node, _):
            while sent.count <= node.index { sent.append(EntryList(.holder)) }
            sent[node.index].append(entry)
        case .owned(let name): owned[name, default: EntryList(.holder)].append(entry)
        case .saving, .waiting, .inDoubt: break
        }
    }

    private mutating func removeFromHolder(_ entry: LedgerEntry) {
        switch entry.place {
        case .node(let node, _): if sent.indices.contains(node.index) { sent[node.index].remove(entry) }
        case .owned(let name):
            owned[name]?.remove(entry)
            if owned[name]?.isEmpty == true { owned[name] = nil }
        case .saving, .waiting, .inDoubt: break
        }
    }

    // MARK: The stop

    /// From now on it is counted whose end is waited for. `isServable` says whether a node that is connected can run a job.
    mutating func beginDrain(until deadline: Moment, isServable: (Job) -> Bool) {
        self.deadline = deadline
        // Once, and only those that may count.
        for list in sent { for entry in list.entries { recount(entry, isServable) } }
        for entry in told.entries { recount(entry, isServable) }
    }

    /// Something has changed that says whether the end of the job is waited for. One that waits for a node stays as it was
    /// counted.
    mutating func recount(_ entry: LedgerEntry) { recount(entry) { _ in entry.isAwaited } }

    mutating func recount(_ entry: LedgerEntry, _ isServable: (Job) -> Bool) {
        guard let deadline else { return }
        let isInTime = entry.due.isPast(at: deadline)
        let isAwaited =
            switch entry.place {
            // Those of volatile nodes are ours, whoever waits for them.
            case .node: isInTime
            case .owned: isInTime && entry.sink.waitsHere
            // Its node is not let in any more.
            case .inDoubt: false
            case .waiting: isInTime && entry.sink.waitsHere && entry.job.map { isServable($0) } == true
            // The keeper is waited for.
            case .saving: false
            }
        if isAwaited != entry.isAwaited { count(entry, isAwaited: isAwaited) }
    }

    private mutating func count(_ entry: LedgerEntry, isAwaited: Bool) {
        entry.isAwaited = isAwaited
        awaitedCount += isAwaited ? 1 : -1
    }
}
