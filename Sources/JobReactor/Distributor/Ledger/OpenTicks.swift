internal import JobReactorCore

/// The unfinished jobs of a distributor that ticks of schedules have made. A value without I/O.
struct OpenTicks {
    private struct Open {
        let tick: JobTick
        /// Its first run has begun, as far as is known.
        var hasBegun: Bool
    }

    private var table = JobTable<Open>()
    private var bySchedule: [String: Set<JobID>] = [:]

    var isEmpty: Bool { table.isEmpty }
    /// All jobs, in no order.
    var jobs: [JobID] { table.elements.map(\.key) }

    subscript(id: JobID) -> JobTick? { table[id]?.tick }

    mutating func add(_ id: JobID, _ tick: JobTick, hasBegun: Bool = false) {
        table[id] = Open(tick: tick, hasBegun: hasBegun)
        bySchedule[tick.schedule, default: []].insert(id)
    }

    mutating func remove(_ id: JobID) {
        guard let tick = table.removeValue(forKey: id)?.tick else { return }
        bySchedule[tick.schedule]?.remove(id)
        if bySchedule[tick.schedule]?.isEmpty == true { bySchedule[tick.schedule] = nil }
    }

    /// Those of a schedule that is there no more.
    mutating func removeAll(of schedule: String) { for id in jobs(of: schedule) { remove(id) } }

    mutating func began(_ id: JobID) { table[id]?.hasBegun = true }

    /// The jobs of a schedule.
    func jobs(of schedule: String) -> Set<JobID> { bySchedule[schedule] ?? [] }

    /// Those of a schedule.
    func all(of schedule: String) -> [(tick: Timestamp, hasBegun: Bool)] {
        (bySchedule[schedule] ?? []).compactMap { id in table[id].map { ($0.tick.at, $0.hasBegun) } }
    }
}

extension DistributorLedger {
    /// The job has come to its end. The tick that made it; nil for any other.
    mutating func endTick(_ id: JobID) -> JobTick? {
        defer { ticks.remove(id) }
        return ticks[id]
    }

    /// An unfinished job of the schedule whose node is away, and that node; nil where there is none.
    func awayTick(of schedule: String) -> (id: JobID, node: String)? {
        guard !ticks.isEmpty else { return nil }
        for id in ticks.jobs(of: schedule).sorted() {
            if case .owned(let name)? = entries[id]?.place, nodes.named(name) == nil { return (id, name) }
        }
        return nil
    }

    /// Its first run begins.
    mutating func tickBegan(_ id: JobID) -> JobTick? {
        ticks.began(id)
        return ticks[id]
    }

    /// The job of a tick is not stored, as another distributor makes it.
    mutating func dropTick(_ id: JobID) {
        guard let entry = entries[id], case .saving = entry.place else { return }
        ticks.remove(id)
        entries.remove(id)
        if !cancelling.isEmpty { cancelling.remove(id) }
    }
}
