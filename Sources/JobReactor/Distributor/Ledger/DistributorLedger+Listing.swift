internal import JobReactorCore
internal import JobReactorWire

/// Where one stands who goes through all jobs of a distributor, a piece in each turn of the loop, while jobs come and go. One that
/// is there from the first piece to the last is met, also where it goes from one place to another; those that come meanwhile need
/// not be.
///
/// An object, which the ledger tells of jobs that go, from ``DistributorLedger/beginScan()`` to ``DistributorLedger/endScan(_:)``.
final class LedgerScan {
    /// Where a job is.
    enum Spot {
        /// Among the entries, in that place.
        case entry(Int)
        /// Among those that wait in the storage alone, in that place.
        case paged(Int)
        case kept
    }

    private enum Part {
        case entries, paged, kept
        case moved([JobID])
        case end
    }

    private var part = Part.entries
    private var place = 0
    private let entryPlaces: Int
    private let pagedPlaces: Int
    /// Jobs that are not met where they were, but wherever they are at the end: those that have gone from there, and those that
    /// were being loaded at the beginning.
    private var moved: Set<JobID>

    fileprivate init(_ ledger: DistributorLedger) {
        entryPlaces = ledger.entries.placeCount
        pagedPlaces = ledger.paged.placeCount
        moved = Set(ledger.paged.idsBeingLoaded)
    }

    var isOver: Bool { if case .end = part { true } else { false } }

    /// The jobs of the next `most` places, as they are known here.
    func next(_ most: Int, of ledger: DistributorLedger, _ visit: (DistributorLedger.Listed) -> Void) {
        switch part {
        case .entries:
            let connected = ledger.nodes.names
            let count = min(most, entryPlaces - place)
            let next = ledger.entries.visit(from: place, count: count) { id, entry in
                moved.remove(id)
                if let listed = ledger.listed(id, entry, connected) { visit(listed) }
            }
            go(to: next, before: entryPlaces, else: .paged)
        case .paged:
            let next = ledger.paged.visit(from: place, count: min(most, pagedPlaces - place)) { id, known in
                moved.remove(id)
                visit(ledger.listed(id, known))
            }
            go(to: next, before: pagedPlaces, else: .kept)
        case .kept:
            for job in ledger.kept.jobs {
                moved.remove(job.id)
                visit(DistributorLedger.Listed(job: job, holder: .kept))
            }
            part = moved.isEmpty ? .end : .moved(Array(moved))
        case .moved(let ids):
            let connected = ledger.nodes.names
            for id in ids[place...].prefix(most) {
                if let listed = ledger.listed(id, connected) { visit(listed) }
            }
            go(to: place + most, before: ids.count, else: .end)
        case .end: break
        }
    }

    private func go(to next: Int?, before end: Int, else following: Part) {
        if let next, next < end { place = next } else { (part, place) = (following, 0) }
    }

    /// The job goes from there to another place.
    fileprivate func left(_ spot: Spot, _ id: JobID) {
        let isAhead =
            switch (part, spot) {
            case (.entries, .entry(let place)): (self.place..<entryPlaces).contains(place)
            case (.entries, .paged(let place)): place < pagedPlaces
            case (.paged, .paged(let place)): (self.place..<pagedPlaces).contains(place)
            case (.entries, .kept), (.paged, .kept), (.kept, .kept): true
            case (.paged, .entry), (.kept, _), (.moved, _), (.end, _): false
            }
        if isAhead { moved.insert(id) }
    }
}

extension DistributorLedger {
    /// Somebody goes through all jobs. Followed by ``endScan(_:)``.
    mutating func beginScan() -> LedgerScan {
        let scan = LedgerScan(self)
        scans.append(scan)
        return scan
    }

    mutating func endScan(_ scan: LedgerScan) { scans.removeAll { $0 === scan } }

    /// A job goes from one place to another.
    func leaves(_ spot: @autoclosure () -> LedgerScan.Spot?, _ id: JobID) {
        guard !scans.isEmpty, let spot = spot() else { return }
        for scan in scans { scan.left(spot, id) }
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
    func listed(_ id: JobID) -> Listed? { listed(id, nodes.names) }

    fileprivate func listed(_ id: JobID, _ connected: Set<String>) -> Listed? {
        if let failed = kept[id] { return Listed(job: failed, holder: .kept) }
        if let entry = entries[id] { return listed(id, entry, connected) }
        return paged[id].map { listed(id, $0) }
    }

    /// What the job waits for, beside its time; nil where it does not wait here.
    func reason(_ listed: Listed, _ reasons: inout Dispatcher.WaitReasons) -> WaitReason? {
        switch listed.holder {
        case .kept: return nil
        // One that is being loaded is on its way to a node.
        case .paged:
            guard paged.isWaiting(listed.job.id) else { return nil }
            return limits.isWaitingHere(listed.job.id) ? .limit : dispatcher.reason(listed.job, &reasons)
        case .entry: break
        }
        switch entries[listed.job.id]?.place {
        case .saving?: return .saving
        case .waiting?:
            return limits.isWaitingHere(listed.job.id) ? .limit : dispatcher.reason(listed.job, &reasons)
        case .node(let node, 0)?: return .suspect(node: nodes[node]?.name ?? "")
        case .owned(let name)?, .inDoubt(let name)?:
            guard nodes.named(name) == nil else { return nil }
            return isBeingCancelled(listed.job.id) ? .cancelledAway(node: name) : .away(node: name)
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
