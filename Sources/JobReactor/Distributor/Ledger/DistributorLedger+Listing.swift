internal import JobReactorCore
internal import JobReactorWire

/// Where one stands who goes through all jobs of a distributor, a piece in each turn of the loop, while jobs come and go. Those
/// that come meanwhile need not be met. A value without I/O.
struct LedgerScan {
    private enum Part { case entries, paged, kept, end }

    private var part = Part.entries
    private var place = 0
    private let entryPlaces: Int
    private let pagedPlaces: Int

    init(_ ledger: DistributorLedger) {
        entryPlaces = ledger.entries.placeCount
        pagedPlaces = ledger.paged.placeCount
    }

    var isOver: Bool { part == .end }

    /// The jobs of the next `most` places, as they are known here.
    mutating func next(_ most: Int, of ledger: DistributorLedger, _ visit: (DistributorLedger.Listed) -> Void) {
        switch part {
        case .entries:
            let connected = ledger.nodes.names
            let count = min(most, entryPlaces - place)
            let next = ledger.entries.visit(from: place, count: count) { id, entry in
                if let listed = ledger.listed(id, entry, connected) { visit(listed) }
            }
            go(to: next, before: entryPlaces, else: .paged)
        case .paged:
            let next = ledger.paged.visit(from: place, count: min(most, pagedPlaces - place)) { id, known in
                visit(ledger.listed(id, known))
            }
            go(to: next, before: pagedPlaces, else: .kept)
        case .kept:
            for job in ledger.kept.jobs { visit(DistributorLedger.Listed(job: job, holder: .kept)) }
            part = .end
        case .end: break
        }
    }

    private mutating func go(to next: Int?, before end: Int, else following: Part) {
        if let next, next < end { place = next } else { (part, place) = (following, 0) }
    }
}

/// The jobs of a distributor as people look at them.
extension DistributorLedger {
    /// A job that is here: one that waits for a node, that is at a node which does not own it, or whose node is away; and one
    /// that has failed here.
    struct Listed {
        enum Holder: Hashable {
            case entry
            /// The storage alone: of the record there is only what is known without it.
            case paged
            case kept
        }

        var job: Job
        let holder: Holder
        /// The node that has it, or may.
        var node: String?
    }

    /// Nil for a job that a connected node owns: that knows it better.
    fileprivate func listed(_ id: JobID, _ entry: LedgerEntry, _ connected: Set<String>) -> Listed? {
        var node: String?
        switch entry.place {
        case .saving, .waiting: break
        case .node(let handle, _): node = nodes[handle]?.name
        case .inDoubt(let name): node = name
        case .owned(let name):
            if connected.contains(name) { return nil }
            node = name
        }
        var job = entry.record(at: now) ?? Job(id: id, name: entry.name, args: JobArguments(), createdAt: now.wall)
        if node != nil { job.status = .queued }
        return Listed(job: job, holder: .entry, node: node)
    }

    fileprivate func listed(_ id: JobID, _ known: PagedJobs.Known) -> Listed {
        let name = dispatcher.name(ofRoute: Int(known.route))
        let job = Job(id: id, name: name, args: JobArguments(), createdAt: id.madeAt(before: now.wall) ?? now.wall)
        return Listed(job: job, holder: .paged)
    }

    /// What is known here of the job of that id; nil for none, and for one that a connected node owns.
    func listed(_ id: JobID) -> Listed? {
        if let failed = kept[id] { return Listed(job: failed, holder: .kept) }
        if let entry = entries[id] { return listed(id, entry, nodes.names) }
        // One that is being loaded is on its way to a node.
        return paged.isWaiting(id) ? paged[id].map { listed(id, $0) } : nil
    }

    /// What the job waits for, beside its time; nil where it does not wait here.
    func reason(_ listed: Listed, _ reasons: inout Dispatcher.WaitReasons) -> WaitReason? {
        switch listed.holder {
        case .kept: return nil
        case .paged: return dispatcher.reason(listed.job, &reasons)
        case .entry: break
        }
        switch entries[listed.job.id]?.place {
        case .saving?: return .saving
        case .waiting?: return dispatcher.reason(listed.job, &reasons)
        case .node(let node, 0)?: return .suspect(node: nodes[node]?.name ?? "")
        case .owned(let name)?, .inDoubt(let name)?: return nodes.named(name) == nil ? .away(node: name) : nil
        case .node?, nil: return nil
        }
    }
}

extension JobOrder {
    /// Whether that job is among those that are meant. Of a distributor's jobs those that have failed here can be run again, and
    /// no others.
    func means(_ listed: DistributorLedger.Listed, _ filter: JobFilter) -> Bool {
        if self == .retry, listed.holder != .kept { return false }
        return means(listed.job, filter)
    }
}
