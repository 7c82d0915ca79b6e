internal import JobReactorCore

/// The jobs that are at a node and not finished, and when those of them are due that wait for their time. A value without I/O
/// and without a clock.
struct LiveJobs {
    private var table = JobTable<LiveJob>()
    private var agenda = Agenda()

    subscript(id: JobID) -> LiveJob? {
        get { table[id] }
        set { table[id] = newValue }
        _modify { yield &table[id] }
    }

    var count: Int { table.count }
    var elements: some Sequence<(key: JobID, value: LiveJob)> { table.elements }
    func contains(_ id: JobID) -> Bool { table.contains(id) }

    /// The end of the job's run is decided. Returns what is known of it.
    mutating func decideEnd(_ id: JobID) -> LiveJob? { Self.decideEnd(of: &table[id]) }

    /// With one look into the table.
    private static func decideEnd(of known: inout LiveJob?) -> LiveJob? {
        known?.isDecided = true
        return known
    }

    // MARK: Waiting for their time

    /// The job waits, of which this is known.
    mutating func wait(_ id: JobID, as known: LiveJob, until due: DueTime) {
        var known = known
        known.stage = .waiting
        known.agendaNumber = agenda.insert(id, due)
        table[id] = known
    }

    /// The job, which is here, waits. What was noted of its time before does not count any more.
    mutating func wait(_ id: JobID, until due: DueTime) {
        table[id]?.stage = .waiting
        table[id]?.agendaNumber = agenda.insert(id, due)
    }

    /// When to look for jobs that are due; nil when none waits.
    func wake(at now: Moment) -> Timestamp? { agenda.isEmpty ? nil : agenda.wake(at: now) }

    /// The next job whose time has come; it is ready then.
    mutating func popDue(at now: Moment) -> JobID? {
        while let (id, number) = agenda.popDue(at: now) {
            // Else the entry is one of before: the job has run meanwhile, or is another of that id.
            guard let known = table[id], known.stage == .waiting, known.agendaNumber == number else { continue }
            table[id]?.stage = .ready
            return id
        }
        return nil
    }

    // MARK: Some of them

    /// On the lanes, or about to be.
    var running: [JobID] { table.elements.lazy.filter { $0.value.stage == .running }.map(\.key) }

    /// Those of which nothing but their records says what they are; of `turns` the node has the jobs themselves.
    func knownByRecords(beside turns: Set<JobID>) -> [JobID] {
        table.elements.filter { id, known in
            switch known.stage {
            case .waiting, .changing, .asking: true
            case .ready: !turns.contains(id)
            case .running, .ending: false
            }
        }.map(\.key)
    }

    /// Removes those of the jobs that are here. Returns what was known of each.
    mutating func remove(_ ids: [JobID]) -> [(id: JobID, known: LiveJob)] {
        ids.compactMap { id in table.removeValue(forKey: id).map { (id, $0) } }
    }

    /// Removes those that the destination gave and that have not begun. Returns them.
    mutating func removeUnbegun(givenBy number: UInt32) -> [JobID] {
        let ids = table.elements.filter { $0.value.giver == number && $0.value.stage != .running }.map(\.key)
        for id in ids { table[id] = nil }
        return ids
    }
}
