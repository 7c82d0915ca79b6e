internal import JobReactorCore

/// The limits of a distributor: what nodes say of them, who waits for them, and at which node each run is that counts in them.
///
/// A value without I/O. Times are those of the steady clock.
struct RunLimits {
    private var limiter = Limiter()
    /// The limits that jobs of a name count in, as the node says that has spoken last; empty lists are left out.
    private var namesByJob: [String: [String]] = [:]
    /// Which nodes define a limit. One that is away still does: nothing of it is forgotten because a link breaks.
    private var definers: [String: Set<String>] = [:]
    /// Jobs that wait here, and at no node, for their first run.
    private var waitingHere: Set<JobID> = []
    /// Those that have waited here and have their places, and that no node has yet.
    private(set) var unsent: Set<JobID> = []
    /// Runs at nodes that wait, by the node's name.
    private var requests: [JobID: String] = [:]
    /// Runs that have their places, by the node's name; those that go to none yet are not among them.
    private var holders: [JobID: String] = [:]
    private var held: [String: Set<JobID>] = [:]
    private var armed: Timestamp?
    /// Whether any limit has a rate.
    private var hasRates = false
    /// Whether runs have begun since ``takeStarts(at:)`` that a rate counts.
    private(set) var hasNewStarts = false
    /// When runs of an earlier process began, by the limit, until that is defined; by the wall clock.
    private var startsBefore: [String: [(key: String?, times: [Timestamp])]] = [:]

    /// No job has a limit, and none is in use: most distributors have none.
    private(set) var isEmpty = true

    private mutating func noteUse() {
        isEmpty =
            namesByJob.isEmpty && definers.isEmpty && waitingHere.isEmpty && unsent.isEmpty && requests.isEmpty
            && holders.isEmpty
    }

    // MARK: Definitions

    /// The scripts of a node define these jobs, and say this of limits.
    mutating func define(_ jobs: Set<String>, _ definitions: NodeDefinitions, of node: String, at moment: Moment) {
        guard !isEmpty || !definitions.limits.isEmpty else { return }
        let now = moment.steady
        for limit in definitions.limits {
            definers[limit.name, default: []].insert(node)
            if limiter.limit(named: limit.name) != limit { limiter.define(limit, at: now) }
            if let before = startsBefore.removeValue(forKey: limit.name) { restore(before, of: limit, at: moment) }
        }
        let names = Set(definitions.limits.lazy.map(\.name))
        for (name, nodes) in definers where nodes.contains(node) && !names.contains(name) {
            definers[name]?.remove(node)
            guard definers[name]?.isEmpty == true else { continue }
            definers[name] = nil
            limiter.undefine(name, at: now)
        }
        for job in jobs {
            let limits = definitions.jobs[job]?.limits ?? []
            if namesByJob[job] ?? [] != limits { namesByJob[job] = limits.isEmpty ? nil : limits }
        }
        hasRates = definers.keys.contains { limiter.limit(named: $0)?.rate != nil }
        noteUse()
    }

    // MARK: Starts over restarts

    /// What an earlier process has kept of a limit.
    mutating func takeUpStarts(of limit: String, _ json: [UInt8]) {
        guard let members = try? JSONValue(parsing: json).object else { return }
        startsBefore[limit] = members.map { key, times in
            let times = (times.array ?? []).compactMap(\.int).map { Timestamp(microseconds: Int64($0)) }
            return (key.isEmpty ? nil : key, times)
        }
    }

    private mutating func restore(
        _ before: [(key: String?, times: [Timestamp])], of limit: Limit, at moment: Moment
    ) {
        guard limit.rate != nil else { return }
        for (key, times) in before {
            for time in times.sorted() {
                // One that the clock says is yet to come began just now.
                let age = max(0, moment.wall.elapsed(since: time))
                guard age < Timestamp(seconds: limit.per).microseconds else { continue }
                limiter.restore(
                    startAt: moment.steady.advanced(byMicroseconds: -age),
                    needs: [LimitNeed(limit: limit.name, key: key)])
            }
        }
    }

    /// What is to be kept of each limit of which runs have begun since the last call, as JSON: the times by the wall clock, by key.
    mutating func takeStarts(at moment: Moment) -> [(limit: String, json: [UInt8])] {
        hasNewStarts = false
        return limiter.takeStarts(at: moment.steady).map { limit, starts in
            var times: [String: [JSONValue]] = [:]
            for start in starts {
                let age = moment.steady.elapsed(since: start.at)
                let wall = moment.wall.advanced(byMicroseconds: -age)
                times[start.key ?? "", default: []].append(.integer(wall.microseconds))
            }
            return (limit, JobArguments(times.sorted { $0.key < $1.key }.map { ($0.key, .array($0.value)) }).bytes)
        }
    }

    private mutating func noteStart() { if hasRates { hasNewStarts = true } }

    /// The parts of limits that a run of the job needs; nil for none.
    func needs(of job: Job) -> [LimitNeed]? {
        guard let names = namesByJob[job.name] else { return nil }
        let needs = names.compactMap { limiter.limit(named: $0)?.need(of: job.args) }
        return needs.isEmpty ? nil : needs
    }

    // MARK: Runs

    /// A job that is here wants to run.
    mutating func request(
        _ id: JobID, needs: [LimitNeed], priority: Int, at now: Timestamp
    ) -> Limiter.Answer {
        let answer = limiter.request(id, needs: needs, priority: priority, at: now)
        if answer == .waits { waitingHere.insert(id) } else { noteStart() }
        noteUse()
        return answer
    }

    /// A run at a node wants to begin.
    mutating func request(
        _ id: JobID, needs: [LimitNeed], priority: Int, of node: String, at now: Timestamp
    ) -> Limiter.Answer {
        let answer = limiter.request(id, needs: needs, priority: priority, at: now)
        switch answer {
        case .granted:
            hold(id, at: node)
            noteStart()
        case .waits: requests[id] = node
        case .full: break
        }
        noteUse()
        return answer
    }

    /// The run that has its place is at that node.
    mutating func hold(_ id: JobID, at node: String) {
        if let before = holders.updateValue(node, forKey: id), before != node { leave(id, before) }
        held[node, default: []].insert(id)
        unsent.remove(id)
        noteUse()
    }

    private mutating func leave(_ id: JobID, _ node: String) {
        held[node]?.remove(id)
        if held[node]?.isEmpty == true { held[node] = nil }
    }

    /// A run goes on at the node that was permitted over an earlier link.
    mutating func restore(_ id: JobID, needs: [LimitNeed], of node: String, startedAt: Timestamp) {
        limiter.restore(id, needs: needs, startedAt: startedAt)
        hold(id, at: node)
    }

    /// Whether a run of the job at that node has its place, or waits for one.
    func isAt(_ node: String, _ id: JobID) -> Bool { holders[id] == node || requests[id] == node }

    func isWaitingHere(_ id: JobID) -> Bool { !waitingHere.isEmpty && waitingHere.contains(id) }

    /// The run is over, or is not to be. Returns whether it had its place, or waited for one.
    @discardableResult
    mutating func release(_ id: JobID, at now: Timestamp) -> Bool {
        waitingHere.remove(id)
        unsent.remove(id)
        requests[id] = nil
        if let node = holders.removeValue(forKey: id) { leave(id, node) }
        let wasKnown = limiter.end(id, at: now)
        noteUse()
        return wasKnown
    }

    // MARK: Nodes

    /// The link to the node is gone: it asks again for what waits there.
    mutating func forgetRequests(of node: String, at now: Timestamp) {
        for (id, name) in requests where name == node {
            // One that waits here, too, waits on.
            if isWaitingHere(id) { requests[id] = nil } else { release(id, at: now) }
        }
    }

    /// The node has said which of its runs go on, or another has its jobs: places of others are free. Returns the jobs that had
    /// them.
    @discardableResult
    mutating func reconcile(_ node: String, held going: Set<JobID>, at now: Timestamp) -> Set<JobID> {
        let gone = held[node, default: []].subtracting(going)
        for id in gone { release(id, at: now) }
        return gone
    }

    // MARK: Turns

    /// Who may run now, of those that have waited.
    enum Next: Hashable {
        /// A job that waited here.
        case here(JobID)
        /// A run at the node of that name.
        case atNode(JobID, String)
    }

    mutating func takeNext(at now: Timestamp) -> Next? {
        while let id = limiter.takeNext(at: now) {
            noteStart()
            let node = requests.removeValue(forKey: id)
            // One that a node has asked for which does not have it goes from here.
            if waitingHere.remove(id) != nil {
                unsent.insert(id)
                return .here(id)
            }
            if let node {
                hold(id, at: node)
                return .atNode(id, node)
            }
            limiter.end(id, at: now)
        }
        noteUse()
        return nil
    }

    /// After so many seconds somebody may run who may not now, which nobody was told of yet; nil for none.
    mutating func arm(at now: Timestamp) -> Double? {
        // Timers are for no more than a day.
        guard let wake = limiter.wake.map({ min($0, now.advanced(bySeconds: 86_400)) }),
            armed.map({ wake < $0 || $0 <= now }) ?? true
        else { return nil }
        armed = wake
        return max(0, Timestamp(microseconds: wake.elapsed(since: now)).seconds)
    }

    // MARK: Shown

    struct Row {
        let limit: Limit
        var inUse = 0
        var waiting = 0
        var nextFree: Timestamp?
        /// Of those that the limit's key tells apart, how many are in use or waited for.
        var keys = 0
    }

    /// As ``rows(at:)`` in short, in no order.
    var totals: [LimitTotal] { isEmpty ? [] : limiter.totals }

    /// In the order of their names.
    func rows(at now: Timestamp) -> [Row] {
        var rows: [String: Row] = [:]
        for name in definers.keys { rows[name] = limiter.limit(named: name).map { Row(limit: $0) } }
        for usage in limiter.usage(at: now) {
            let name = usage.need.limit
            rows[name]?.inUse += usage.inUse
            rows[name]?.waiting += usage.waiting
            if usage.need.key != nil { rows[name]?.keys += 1 }
            if let free = usage.nextFree, rows[name]?.nextFree.map({ free < $0 }) ?? true {
                rows[name]?.nextFree = free
            }
        }
        return rows.sorted { $0.key < $1.key }.map(\.value)
    }
}
