internal import DequeModule
internal import JobReactorCore
internal import JobReactorWire

/// The jobs of a distributor: who has each, who is told of its outcome, and what is stored.
///
/// Without I/O: its methods take what has happened and when; what is then to be done is in ``takeAction()``, in its order.
/// The way of a job is here from top to bottom: accepted, sent, answered; ``settle(_:from:)`` is its end.
struct DistributorLedger {
    typealias Node = Dispatcher.NodeHandle

    let isDurable: Bool
    var dispatcher: Dispatcher
    var entries = EntryTable()
    var counters = DistributorCounters()
    /// Where the program has a backend for them.
    var metrics: DistributorMetrics?
    var takeovers: Takeovers
    var nodes = ConnectedNodes()
    /// Jobs that wait in the storage alone.
    var paged = PagedJobs()
    /// Bytes that what waits may take before jobs are paged out.
    let pagingLimit: Int
    /// Who goes through all jobs.
    var scans: [LedgerScan] = []
    /// Jobs that durable nodes have and of which there is no entry.
    var owned = OwnedJobs()
    private var actions: Deque<Action> = []
    /// Jobs that an earlier process was not sure of, by the node that may have them.
    var doubtsTakenUp: [String: [JobID]] = [:]
    private let clock: () -> Moment
    var suspects = Suspects()
    /// Jobs that failed here, as nodes ended with them.
    var kept = KeptFailures()
    var saidThatFailuresGo = false
    var losses = CountedLosses()
    /// Jobs that nodes have, or may have, and that are to be cancelled: a node that comes back is told again.
    var cancelling: Set<JobID> = []
    /// Jobs that were given to another node when the link to the first was lost, with the names of those that had them: all
    /// of them may report.
    var givenBefore = RecentHolders(limit: 100_000)
    /// The keys of jobs that have one.
    var keys = UniqueJobs()
    /// Who may run, where scripts limit it.
    var limits = RunLimits()
    /// It is said already that starts are to be kept.
    var keepsStarts = false
    /// It is said already that limits are to be looked at.
    var looksAtLimits = false
    /// Unfinished jobs that schedules have made.
    var ticks = OpenTicks()
    /// Reports of durable nodes, which may come again when such a node has started again.
    var recentReports = RecentReports(limit: 16_384)

    /// `isDurable` says whether there is a storage for ``Action/store(_:)``; `memory`, how many bytes what waits here may take,
    /// of which the jobs in memory take a quarter before others wait in the storage alone.
    init(
        isDurable: Bool, alwaysUseSpecifiedNode: Bool, takeoverTime: Double, memory: Int = .max,
        clock: @escaping () -> Moment
    ) {
        entries.memory = MemoryShares(limit: memory)
        pagingLimit = isDurable ? memory / 4 : .max
        self.isDurable = isDurable
        dispatcher = Dispatcher(alwaysUseSpecifiedNode: alwaysUseSpecifiedNode)
        takeovers = Takeovers(time: takeoverTime)
        self.clock = clock
    }

    /// When what happens now happens; few ask.
    var now: Moment { clock() }

    mutating func did(_ action: Action) { actions.append(action) }

    /// Whether there is anything to be done, which costs less to ask than to be told that there is not.
    var hasActions: Bool { !actions.isEmpty }

    /// The next thing to be done; nil when there is none.
    mutating func takeAction() -> Action? { actions.popFirst() }

    // MARK: Accepting

    /// `isAgain`: an earlier process may have accepted it. `account`: who has brought it.
    mutating func submit(
        _ job: Job, _ sink: Sink, by account: MemoryShares.Account = MemoryShares.own, isAgain: Bool = false
    ) -> Acceptance {
        if !isAgain, isBeingCancelled(job.id) { return .isBeingCancelled }
        if let known = entries[job.id] {
            // A producer that comes back to another process of ours.
            if sink.outlivesProcess, known.sink.isNobody { entries.setSink(sink, of: known) }
            if job.isAwaited { hasten(known) }
            return .known
        }
        if !paged.isEmpty, paged.contains(job.id) { return .known }
        if let unique = job.unique { return submitUnique(job, unique, sink, by: account, isAgain: isAgain) }
        if !keys.isEmpty { dropHeld(job.id) }
        return accept(job, sink, by: account, isAgain: isAgain)
    }

    /// A job that is not known.
    mutating func accept(_ job: Job, _ sink: Sink, by account: MemoryShares.Account, isAgain: Bool) -> Acceptance {
        if let tick = job.tick { ticks.add(job.id, tick) }
        counters.enqueued += 1
        metrics?.enqueued(job.name)
        recentReports.forget(job.id)
        givenBefore.forget(job.id)
        // The id of a job that is finished may be used again.
        if kept.count > 0 { kept.remove(job.id) }
        guard !isDurable else {
            let entry = LedgerEntry(job, sink, .saving, due: job.due(countedFrom: now), account: account)
            entry.isNew = !isAgain
            entries.addNew(entry, job.id)
            return .new(toBeStored: job.record(for: sink, at: nil))
        }
        let entry = LedgerEntry(job, sink, due: job.due(countedFrom: now), account: account)
        entry.isNew = !isAgain
        if let owner = knownOwner(of: job) {
            entries.addNew(entry, job.id)
            leave(entry, job, to: owner)
            return .new(toBeStored: nil)
        }
        guard limits.isEmpty else {
            entries.addNew(entry, job.id)
            if let node = dispatcher.enqueue(job) { send(entry, job, to: node) } else { noteParked(job) }
            return .new(toBeStored: nil)
        }
        guard let node = dispatcher.enqueue(job) else {
            entries.addNew(entry, job.id)
            noteParked(job)
            return .new(toBeStored: nil)
        }
        noteSent(job, to: node)
        let number = nodes.handOver(job.id, to: node)
        entry.begin(at: node, number: number)
        if !nodes.isDurable(node) { entry.isNew = false }
        entries.addNew(entry, job.id)
        return .sent(entry, to: node, number: number)
    }

    /// A run waits for the job, which an earlier process did not say.
    private mutating func hasten(_ entry: LedgerEntry) {
        guard var job = entry.job, !job.isAwaited else { return }
        let isWaiting = if case .waiting = entry.place { true } else { false }
        if isWaiting { stopWaiting(entry, job) }
        job.isAwaited = true
        entry.job = job
        if isWaiting, let node = dispatcher.enqueue(job) { send(entry, job, to: node) }
    }

    /// A job of ours is stored: now it is accepted.
    mutating func saved(_ id: JobID) {
        guard let entry = entries[id], case .saving = entry.place, let job = entry.job else { return }
        entry.isStored = true
        move(entry, to: .waiting)
        if !keys.isEmpty, keys.isToBeStoredAgain(id) { store(.update(record(of: job, entry, at: nil))) }
        if case .acknowledgement = entry.sink { entries.setSink(.none, of: entry) }
        if cancelling.remove(id) != nil { return finishCancelled(entry, job) }
        if let owner = knownOwner(of: job) { return leave(entry, job, to: owner) }
        if let node = dispatcher.enqueue(job) { return send(entry, job, to: node) }
        noteParked(job)
        pageOut(entry, job)
    }

    private func noteParked(_ job: Job) {
        if let metrics, !dispatcher.isDefined(job.name) { metrics.parked(job.name) }
    }

    private mutating func noteSent(_ job: Job, to node: Node) {
        counters.sent += 1
        metrics?.sent(job, to: nodes[node]?.name, at: now.wall)
    }

    /// The durable node that has a job of this id, as far as is known, and may take this one.
    private func knownOwner(of job: Job) -> String? {
        guard owned.count > 0, let name = owned.node(of: job.id) else { return nil }
        guard let node = nodes.named(name) else { return name }
        return dispatcher.state(of: node).jobs.contains(job.name) ? name : nil
    }

    /// A job whose id a durable node has is that job, whatever else is said of it: it goes there, and the node knows whether
    /// it has ended. Where the node is away it is waited for.
    private mutating func leave(_ entry: LedgerEntry, _ job: Job, to owner: String) {
        if let node = nodes.named(owner) {
            dispatcher.useCredit(of: node)
            entry.lastRun = 0
            // The node has the job already, and asks for its places in limits.
            return handOver(entry, job, to: node, isAgain: false)
        }
        move(entry, to: .inDoubt(at: owner))
        entry.isNew = false
        if let (timer, seconds) = takeovers.doubt([job.id], at: owner) {
            actions.append(.wake(timer, after: seconds))
        }
    }

    /// A job that is not stored is not accepted. Returns who waits to be told so, and forgets the job; nil where nobody does,
    /// and it is to be tried again.
    mutating func couldNotSave(_ id: JobID) -> Sink? {
        guard let entry = entries[id] else { return Sink.none }
        switch entry.sink {
        case .command, .acknowledgement:
            entries.remove(id)
            if !cancelling.isEmpty { cancelling.remove(id) }
            if !keys.isEmpty { keys.remove(id) }
            return entry.sink
        case .application, .producer, .none: return nil
        }
    }

    // MARK: Sending

    mutating func send(_ entry: LedgerEntry, _ job: Job, to node: Node, isAgain: Bool = false) {
        entry.lastRun = 0
        if !limits.isEmpty, !isAgain, !isPermitted(entry, job, for: node) { return }
        guard entry.strikes == 0 || isAdmitted(entry, job, to: node) else {
            return entries.move(entry, to: .node(node, number: 0))
        }
        handOver(entry, job, to: node, isAgain: isAgain)
    }

    mutating func handOver(_ entry: LedgerEntry, _ job: Job, to node: Node, isAgain: Bool) {
        noteSent(job, to: node)
        if entry.isPermitted, let name = nodes[node]?.name { limits.hold(job.id, at: name) }
        let number = nodes.handOver(job.id, to: node)
        if !nodes.isDurable(node) { entry.isNew = false }
        entries.move(entry, to: .node(node, number: number))
        actions.append(.send(entry, to: node, number: number, isAgain: isAgain))
    }

    mutating func sendWaiting(to node: Node) {
        // In their order: what is being loaded goes first.
        guard !paged.isLoading(for: node) else { return }
        var wanted: [JobID] = []
        var held = 0
        while wanted.count < PagedJobs.most, held < Self.mostHeldAtOnce, let id = dispatcher.takeNext(for: node) {
            if let entry = entries[id], let job = entry.job {
                send(entry, job, to: node)
                if !limits.isEmpty, limits.isWaitingHere(id) { held += 1 }
            } else if beginLoading(id) {
                wanted.append(id)
            } else {
                dispatcher.refund(node)
            }
        }
        if !wanted.isEmpty { load(wanted, for: node) }
        // Others have their turn before more are looked at.
        if held == Self.mostHeldAtOnce { did(.sendWaiting(node)) }
    }

    /// So many jobs are found in one turn of the loop, at most, that may not run yet.
    private static let mostHeldAtOnce = 1000

    /// Puts a job back that a node had and does not own.
    mutating func giveBack(_ entry: LedgerEntry, _ id: JobID) {
        if !keys.replacing.isEmpty { useReplacement(of: entry, id) }
        if !limits.isEmpty { releasePlace(id, entry) }
        guard let job = entry.job else { return }
        if entry.strikes > 0 { suspectLeft(entry, id) }
        counters.givenBack += 1
        if cancelling.remove(id) != nil { return finishCancelled(entry, job) }
        metrics?.redelivered(job.name)
        move(entry, to: .waiting)
        if let other = dispatcher.giveBack(job) { send(entry, job, to: other) }
    }

    mutating func move(_ entry: LedgerEntry, to place: LedgerEntry.Place) {
        entries.move(entry, to: place)
        if entries.isDraining { entries.recount(entry, dispatcher.canBeServed) }
    }

    // MARK: Nodes

    /// A node is linked.
    mutating func connect(_ name: String, _ instance: String, isDurable: Bool, place: String?) -> Node {
        let node = dispatcher.connect(name: name)
        nodes.add(node, name, instance, isDurable: isDurable, place: place)
        cancelAgain(at: node, name)
        for lost in takeovers.nodeCameBack(name, at: place) { handOver(lost) }
        if let place, let (timer, seconds) = takeovers.askForAbandoned(at: place) {
            actions.append(.wake(timer, after: seconds))
        }
        forgetLoss(of: name, instance)
        return node
    }

    /// What was to be cancelled while the node was away.
    mutating func cancelAgain(at node: Node, _ name: String) {
        for id in cancelling {
            if let entry = entries[id] {
                if case .owned(name) = entry.place { actions.append(.cancel(id, at: node)) }
            } else if owned.node(of: id) == name {
                actions.append(.cancel(id, at: node))
                cancelling.remove(id)
            }
        }
    }

    /// The node runs these jobs, of which its scripts say more, and has reported what it did before: of what it may have it is
    /// told again.
    mutating func defines(_ node: Node, _ jobs: [String], _ definitions: NodeDefinitions = NodeDefinitions()) {
        // No job has a name that is none: it would only spoil the lists that are shown.
        let names = Set(jobs.lazy.filter { Name.problem(in: $0) == nil })
        let priorities = definitions.jobs.compactMapValues(\.priority)
        defineLimits(names, definitions, of: node)
        dispatcher.announce(node, jobs: names, priorities: priorities)
        if !limits.isEmpty { freeUnusablePlaces() }
        metrics?.prepare(nodes[node]?.name, jobs: names.sorted())
        if let name = nodes[node]?.name {
            sendInDoubt(of: name, to: node)
            if !keys.replacing.isEmpty { replaceAgain(at: node, name) }
        }
        sendWaiting(to: node)
    }

    mutating func granted(_ node: Node, credit: Int) {
        dispatcher.grant(node, credit: credit)
        sendWaiting(to: node)
    }

    mutating func drains(_ node: Node) { dispatcher.drain(node) }

    /// The link to the node is gone. `isStopping`: nobody waits for its return.
    mutating func disconnect(_ node: Node, reason: String?, isStopping: Bool) {
        guard let gone = nodes.remove(node) else { return }
        if let place = gone.place, !isStopping {
            let (timer, seconds) = takeovers.nodeLost(gone.name, at: place)
            actions.append(.wake(timer, after: seconds))
        }
        let isExpected = dispatcher.state(of: node).isDraining
        dispatcher.disconnect(node)
        if !paged.isEmpty { paged.lost(node) }
        if !limits.isEmpty {
            limits.forgetRequests(of: gone.name, at: now.steady)
            // It has stopped: nothing goes on there.
            if isExpected { freePlaces(of: gone.name, but: []) }
            freeUnusablePlaces()
        }
        // In the order of their ids, which is that of their age.
        let unfinished = entries.sent(to: node).compactMap { $0.job?.id }.sorted()
        if gone.isDurable {
            for id in unfinished {
                guard let entry = entries[id] else { continue }
                entry.isNew = false
                move(entry, to: .inDoubt(at: gone.name))
            }
            if let (timer, seconds) = takeovers.doubt(unfinished, at: gone.name) {
                actions.append(.wake(timer, after: seconds))
            }
        } else {
            giveBackLost(unfinished, of: gone, isExpected: isExpected)
        }
        actions.append(
            .log(.disconnected(node: gone.name, reason: reason ?? "closed", givenBack: unfinished.count)))
        let kept = gone.isDurable && !(keys.isEmpty && ticks.isEmpty) ? entries.ownedCount(by: gone.name) : 0
        if kept > 0 { did(.log(.keeps(node: gone.name, jobs: kept))) }
    }

    mutating func store(_ change: JobChange) {
        if isDurable { actions.append(.store(change)) }
    }

    /// What the storage has of a job while it is at that node, or may be; nil while it waits.
    func record(of job: Job, _ entry: LedgerEntry, at node: String?, isInDoubt: Bool = false) -> Job {
        let isCancelled = !cancelling.isEmpty && cancelling.contains(job.id)
        var job = job
        if !keys.isEmpty, let replacement = keys[job.id]?.replacement {
            (job.again, job.unique) = (replacement.job.args, replacement.job.unique)
        }
        return job.record(for: entry.sink, at: node, isInDoubt: isInDoubt, isCancelled: isCancelled)
    }

    // MARK: The stop

    /// From now on ``awaitedCount`` is kept.
    mutating func beginDrain(until deadline: Moment) {
        entries.beginDrain(until: deadline, isServable: dispatcher.canBeServed)
    }

    /// How many ends the stop waits for.
    var awaitedCount: Int { entries.awaitedCount }
}
