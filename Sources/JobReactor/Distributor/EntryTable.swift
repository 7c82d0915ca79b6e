internal import JobReactorCore

/// The jobs that a distributor knows, by id; beside that which each node has, and which somebody in this process waits
/// for. Nothing has to look at all of them.
///
/// An entry says here itself when its place or its sink changes, so that the lists are right whoever makes the change.
final class EntryTable {
    /// From the beginning of the stop on: which ends are waited for.
    private struct Drain {
        /// What is due later is not waited for.
        let deadline: Moment
        /// Whether a node that is connected can run it.
        let isServable: (Job) -> Bool
        let emptied: () -> Void
        var awaited = 0
    }

    private var table = JobTable<DistributorCore.Entry>()
    /// Sent to each node and not owned by it, by the index of its handle.
    private var sent: [EntryList] = []
    /// Owned by each durable node, by its name.
    private var owned: [String: EntryList] = [:]
    /// Those whose end somebody in this process waits for: the application, a command.
    private var told = EntryList(.told)
    private var drain: Drain?

    var count: Int { table.count }
    var isEmpty: Bool { table.isEmpty }

    /// Setting nil removes the job.
    subscript(id: JobID) -> DistributorCore.Entry? {
        get { table[id] }
        set {
            guard let entry = newValue else {
                if let gone = table.removeValue(forKey: id) { unlist(gone) }
                return
            }
            if let known = table[id], known !== entry { unlist(known) }
            table[id] = entry
            list(entry)
        }
    }

    /// All of them, in no order: only for what is as rare as it is large.
    var elements: some Sequence<(key: JobID, value: DistributorCore.Entry)> { table.elements }

    /// The jobs sent to the node that it does not own.
    func sent(to node: Dispatcher.NodeHandle) -> [DistributorCore.Entry] {
        sent.indices.contains(node.index) ? sent[node.index].entries : []
    }

    /// The jobs that the durable node of that name owns.
    func owned(by node: String) -> [DistributorCore.Entry] { owned[node]?.entries ?? [] }

    /// All entries go. Returns those whose end somebody in this process waits for.
    func removeAll() -> [DistributorCore.Entry] {
        let waiting = told.entries
        table.removeAll()
        sent = []
        owned = [:]
        told = EntryList(.told)
        drain?.awaited = 0
        return waiting
    }

    // MARK: Changes of entries

    private func list(_ entry: DistributorCore.Entry) {
        entry.table = self
        addToHolder(entry)
        if entry.sink.waitsHere { told.append(entry) }
        recount(entry)
    }

    private func unlist(_ entry: DistributorCore.Entry) {
        entry.table = nil
        removeFromHolder(entry, entry.place)
        told.remove(entry)
        if entry.isAwaited { count(entry, isAwaited: false) }
    }

    func moved(_ entry: DistributorCore.Entry, from old: DistributorCore.Entry.Place) {
        removeFromHolder(entry, old)
        addToHolder(entry)
        recount(entry)
    }

    func sinkChanged(_ entry: DistributorCore.Entry) {
        let isListed = entry.toldPlace >= 0
        if entry.sink.waitsHere != isListed {
            if isListed { told.remove(entry) } else { told.append(entry) }
        }
        recount(entry)
    }

    private func addToHolder(_ entry: DistributorCore.Entry) {
        switch entry.place {
        case .node(let node, _):
            while sent.count <= node.index { sent.append(EntryList(.holder)) }
            sent[node.index].append(entry)
        case .owned(let name): owned[name, default: EntryList(.holder)].append(entry)
        case .saving, .waiting, .inDoubt: break
        }
    }

    private func removeFromHolder(_ entry: DistributorCore.Entry, _ place: DistributorCore.Entry.Place) {
        switch place {
        case .node(let node, _): if sent.indices.contains(node.index) { sent[node.index].remove(entry) }
        case .owned(let name):
            owned[name]?.remove(entry)
            if owned[name]?.count == 0 { owned[name] = nil }
        case .saving, .waiting, .inDoubt: break
        }
    }

    // MARK: The stop

    /// From now on it is counted whose end is waited for: what nodes have here and do not own, and what somebody in this
    /// process waits for, as far as it is due before the deadline and a node can run it. `emptied` is called each time
    /// that the last of them has gone.
    func beginDrain(
        until deadline: Moment, isServable: @escaping (Job) -> Bool, emptied: @escaping () -> Void
    ) {
        drain = Drain(deadline: deadline, isServable: isServable, emptied: emptied)
        // Once, and only those that may count.
        for entry in sent.lazy.flatMap(\.entries) { recount(entry) }
        for entry in told.entries { recount(entry) }
    }

    /// How many ends are waited for; none before the stop.
    var awaitedCount: Int { drain?.awaited ?? 0 }

    /// Something has changed that says whether the end of the job is waited for.
    func recount(_ entry: DistributorCore.Entry) {
        guard let drain else { return }
        let isAwaited = isAwaited(entry, drain)
        if isAwaited != entry.isAwaited { count(entry, isAwaited: isAwaited) }
    }

    private func isAwaited(_ entry: DistributorCore.Entry, _ drain: Drain) -> Bool {
        guard entry.due.isPast(at: drain.deadline) else { return false }
        return switch entry.place {
        // Those of volatile nodes are ours, whoever waits for them.
        case .node: true
        case .owned, .inDoubt: entry.sink.waitsHere
        case .waiting: entry.sink.waitsHere && entry.job.map(drain.isServable) == true
        // The keeper is waited for.
        case .saving: false
        }
    }

    private func count(_ entry: DistributorCore.Entry, isAwaited: Bool) {
        entry.isAwaited = isAwaited
        drain?.awaited += isAwaited ? 1 : -1
        if drain?.awaited == 0 { drain?.emptied() }
    }
}
