import JobReactorCore

@testable import JobReactor
@testable import JobReactorNode

/// What holds at every state, and what holds when all faults are over.
extension Simulation {
    /// What is wrong now; nil when nothing is.
    var problem: String? {
        for job in record.accepted.subtracting(record.excused).sorted() {
            if record.runs[job] == nil, !isHeld(job) { return "job \(job) is accepted, has not run, and nobody has it" }
        }
        for job in 0..<setup.jobs {
            if let outcomes = outcomes(of: job), outcomes > 1 {
                return "the outcome of job \(job) was told \(outcomes) times"
            }
            if outcomes(of: job) != nil, record.runs[job] == nil {
                return "job \(job) has an outcome and has not run"
            }
            let runs = record.runs[job] ?? 0
            if runs > 1 + runsThatMayBeAgain { return "job \(job) ran \(runs) times" }
            if record.kills == 0, owners(of: job) > 1 { return "job \(job) is owned by \(owners(of: job)) nodes" }
        }
        for node in nodes where node.core?.runs.holds.holds("work") == true {
            // The first is under way.
            if let runs = node.lane?.runs, runs.count > 1 { return "\(node.name) begins jobs that are paused" }
        }
        if let limit = setup.limit, countsRuns {
            for distributor in distributors {
                let runs = nodes.flatMap { $0.lane?.runs ?? [] }.count { $0.job.distributor == distributor.name }
                if runs > limit { return "\(runs) jobs of \(distributor.name) run at once" }
            }
        }
        for distributor in distributors {
            for node in distributor.core?.nodes() ?? [] where node.load < 0 || node.load > setup.window {
                return "\(distributor.name) believes that \(node.name) has \(node.load) of \(node.window) jobs"
            }
        }
        return nil
    }

    /// Whether each distributor knows of all runs that it has permitted: not of those from before it began, nor of those
    /// that go on at a node that is cut off and has no storage, or stops.
    private var countsRuns: Bool {
        record.kills == 0 && (record.cuts == 0 || record.stops == 0 && !setup.areNodesDurable.contains(false))
    }

    /// Without a crash nothing runs twice; a volatile node that is cut off goes on with what it runs.
    private var runsThatMayBeAgain: Int {
        record.kills + (setup.areNodesDurable.contains(false) ? record.cuts : 0)
    }

    private func outcomes(of job: Int) -> Int? { outcomes.withLock { $0[job] } }

    private func records(_ disk: MemoryStorage?) -> [Job] { disk?.records ?? [] }

    /// Somebody has it who will run it: in memory while it lives, or on a disk.
    private func isHeld(_ job: Int) -> Bool {
        let id = Self.id(job)
        if distributors.contains(where: { $0.core?.ledger.entries[id] != nil }) { return true }
        if nodes.contains(where: { $0.core?.runs[id] != nil }) { return true }
        let disks = distributors.map(\.disk) + nodes.map(\.disk)
        return disks.contains { records($0).contains { $0.id == id && !$0.status.isFinished } }
    }

    /// Durable nodes that will run it when they start again.
    private func owners(of job: Int) -> Int {
        let id = Self.id(job)
        return nodes.count { records($0.disk).contains { $0.id == id && !$0.status.isFinished } }
    }

    /// Mends everything, lets everything happen, and time pass. Returns what is wrong then; nil when all has ended well.
    func settle() throws -> String? {
        for _ in 0..<60 {
            for _ in 0..<500 {
                let possible = steps.filter { !$0.isFault }
                guard !possible.isEmpty else { break }
                for step in possible {
                    try take(step)
                    if let problem { return problem }
                }
            }
            if unrest == nil { return nil }
            try advance(bySeconds: 1)
        }
        return unrest
    }

    /// What keeps it from being at rest.
    private var unrest: String? {
        for job in record.accepted.subtracting(record.excused).sorted() {
            if record.runs[job] == nil { return "job \(job) was accepted and never ran" }
            if isTold(job), !record.orphaned.contains(job), outcomes(of: job) == nil {
                return "the outcome of job \(job) was never told"
            }
        }
        for distributor in distributors {
            guard let core = distributor.core else { continue }
            if core.ledger.entries.count > 0 {
                return "\(distributor.name) still has \(core.ledger.entries.count) jobs"
            }
            if !records(distributor.disk).isEmpty { return "\(distributor.name) still has records" }
            let nodes = core.nodes()
            if nodes.count != self.nodes.count { return "\(distributor.name) has \(nodes.count) nodes" }
            // One whose storage has refused, and that gets no more jobs, does not know yet that it works again.
            for node in nodes
            where node.storageError == nil && (node.load != 0 || node.window != setup.window) {
                return "\(distributor.name) believes that \(node.name) has \(node.load) of \(node.window) jobs"
            }
        }
        for node in nodes {
            guard let core = node.core else { continue }
            if core.runs.count > 0 { return "\(node.name) still has jobs" }
            if !records(node.disk).isEmpty { return "\(node.name) still has records" }
            for destination in core.destinations.all where destination.delivery.hasReports {
                return "\(node.name) has reports that nobody takes"
            }
        }
        return nil
    }

    // MARK: States

    /// Tells states apart, as far as what can happen next goes.
    var fingerprint: String {
        var parts: [String] = ["\(faults)"]
        for job in 0..<setup.jobs {
            parts.append(
                "\(record.submitted.contains(job))\(record.accepted.contains(job))\(record.runs[job] ?? 0)"
                    + "\(outcomes(of: job) ?? 0)\(record.orphaned.contains(job))")
        }
        for distributor in distributors {
            let (core, storage) = (distributor.core, distributor.storage)
            guard let core else {
                parts.append("dead \(describe(distributor.disk))")
                continue
            }
            let entries = core.ledger.entries.elements.sorted { $0.key < $1.key }.map { id, entry in
                "\(id.low)\(entry.place)\(entry.lastRun)\(entry.isStored)\(entry.job == nil)\(entry.isPermitted)"
            }
            let limits = core.ledger.limits.rows(at: Timestamp(microseconds: 0)).map { "\($0.inUse)/\($0.waiting)" }
            let links = core.nodes().map { "\($0.name)\($0.load)/\($0.window)\($0.storageError ?? "")" }
            parts.append(
                "\(entries)\(links)\(limits)\(core.pauses.isEmpty)\(storage?.waiting ?? "")"
                    + "\(describe(distributor.disk))")
        }
        for node in nodes {
            guard let core = node.core else {
                parts.append("dead \(describe(node.disk))")
                continue
            }
            let live = core.runs.known.sorted { $0.key < $1.key }.map { id, known in
                "\(id.low)\(known.stage)\(known.usesCredit)\(known.link)\(known.handOver)"
            }
            let destinations = core.destinations.all.sorted { $0.name < $1.name }.map {
                "\($0.name)\($0.delivery.reportCount)\($0.link == nil)"
            }
            let permits = "\(core.runs.permits.messages.count)\(core.runs.permits.isEmpty)"
            let lanes =
                "\(core.runs.runningCount)\(core.runs.turns.map(\.id.low))\(core.runs.holds.isEmpty)\(permits)"
            let runs = node.lane?.runs.map(\.job.id.low) ?? []
            parts.append(
                "\(live)\(destinations)\(lanes)\(runs)\(core.storageHealth.isRefusing)\(core.life.state)\(core.runs.endsUnderWay)"
                    + "\(node.storage?.waiting ?? "")\(describe(node.disk))")
        }
        for (_, pipe) in pipes { parts.append("\(pipe.node)\(pipe.distributor)\(pipe.state)") }
        return parts.joined(separator: ";")
    }

    private func describe(_ disk: MemoryStorage?) -> String {
        records(disk).map { "\($0.id.low)\($0.status.rawValue)\($0.runs)\($0.distributor)" }.joined(separator: ",")
    }
}

extension MemoryStorage {
    /// What is on it, whether or not a process has it open.
    fileprivate var records: [Job] {
        let found = Locked<[Job]>([])
        open(StorageOwner(name: "reader")) { [self] result in
            jobs(after: nil, limit: 1000) { jobs in found.withLock { $0 = (try? jobs.get()) ?? [] } }
            if case .success = result { close {} }
        }
        return found.withLock { $0 }
    }
}
