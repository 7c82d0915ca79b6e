internal import DequeModule
internal import JobReactorCore
internal import JobReactorLua

/// The runs of the jobs of a node, from top to bottom: jobs are received, wait for their time and their turn, begin, pause, end,
/// and are retried or cancelled.
///
/// What each method returns is to be carried out: to be stored, run, loaded or told. What came of that is told here next.
/// What a run comes to is ``JobLifecycle``'s to decide. A value without I/O and without a clock.
struct NodeRuns {
    private var maker: RunMaker
    private var policies: JobPolicies
    private var live = JobTable<LiveJob>()
    private var agenda = Agenda()
    private var lanes: NodeTurns
    private var parked = ParkedJobs()
    /// Taken up from an earlier process and not begun since.
    private var takenUp: Set<JobID> = []
    /// Jobs that are known here, and whose records went when the storage was emptied.
    private var unstored: Set<JobID> = []
    /// Cancelled while they were being saved, each by the distributor of that name, or by anyone where it is empty.
    private var earlyCancellations: [JobID: String] = [:]
    private var savesUnderWay = 0
    /// Ends of runs that are being stored.
    private(set) var endsUnderWay = 0
    private(set) var counters = NodeCounters()
    /// Seconds after which what the storage has refused is tried again.
    private static let pause = 1.0

    init(_ configuration: NodeConfiguration) {
        maker = RunMaker(configuration)
        policies = JobPolicies(configuration.policy)
        let (threads, most) = (configuration.deferLanes, configuration.maxSuspended)
        lanes = NodeTurns(
            reactor: LaneTurns(capacity: 256, mostSuspended: most),
            deferred: LaneTurns(capacity: 2 * threads, mostSuspended: most))
    }

    // MARK: Received

    /// Jobs have come, and are to be saved as this returns them. What can run at once is saved as begun: one write instead
    /// of two.
    mutating func receive(_ received: ReceivedJobs, now: Moment) -> ReceivedJobs {
        savesUnderWay += 1
        var saving = received
        saving.jobs = received.jobs.map { job in
            let kind = LaneKind(for: job)
            let isDue = job.due(countedFrom: received.at).isPast(at: now)
            if isDue, lanes[kind].hasRoom(for: job), !live.contains(job.id), !received.suspects.contains(job.id) {
                lanes[kind].promised += 1
                return JobLifecycle.begin(job, now: now.wall)
            }
            var job = job
            job.status = .queued
            return job
        }
        for kind in NodeTurns.kinds { lanes[kind].promised = 0 }
        return saving
    }

    /// Jobs that are saved.
    struct Arrived {
        /// To be run now: those of the reactor lane, and the others.
        var runs: [LuaLane.Run] = []
        var deferred: [LuaLane.Run] = []
        /// How many hand-overs used a credit that is free again.
        var credit = 0
        /// To be cancelled.
        var cancelled: [JobID] = []
    }

    /// The jobs are saved; those in `new` were not here before. They came over that link, from that destination.
    mutating func saved(
        _ received: ReceivedJobs, new: Set<JobID>, giver: UInt32, link: UInt32, now: Moment
    ) -> Arrived {
        var arrived = Arrived()
        arrived.cancelled = settleSave(received.jobs).filter(new.contains)
        counters.received += new.count
        let areAllNew = new.count == received.jobs.count
        arrived.runs.reserveCapacity(received.jobs.count)
        for (job, number) in zip(received.jobs, received.numbers) {
            guard areAllNew || new.contains(job.id) else {
                arrived.credit += 1
                continue
            }
            var made = LiveJob(
                .waiting, giver: giver, link: link, handOver: UInt32(truncatingIfNeeded: number),
                isSuspect: received.suspects.contains(job.id), isAwaited: job.isAwaited)
            if job.status == .inProgress {
                (made.stage, made.usesCredit) = (.running, true)
                let kind = LaneKind(for: job)
                lanes[kind].running += 1
                if kind == .reactor { arrived.runs.append(run(job)) } else { arrived.deferred.append(run(job)) }
            } else if case let due = job.due(countedFrom: received.at), !due.isPast(at: now) {
                made.agendaNumber = agenda.insert(job.id, due)
                arrived.credit += 1
            } else {
                (made.stage, made.usesCredit) = (.ready, true)
                lanes[LaneKind(for: job)].enter(job, isSuspect: made.isSuspect)
            }
            live[job.id] = made
        }
        return arrived
    }

    /// The jobs are not saved, and go back.
    mutating func notSaved(_ received: ReceivedJobs) { _ = settleSave(received.jobs) }

    /// The records of jobs that come again are looked at first: their cancellation waits, as that of those being saved.
    mutating func looksForRecords() { savesUnderWay += 1 }
    mutating func lookedForRecords() { _ = settleSave([]) }

    private mutating func settleSave(_ jobs: [Job]) -> [JobID] {
        savesUnderWay -= 1
        guard !earlyCancellations.isEmpty else { return [] }
        let cancelled = jobs.filter { job in
            guard let distributor = earlyCancellations[job.id] else { return false }
            return distributor.isEmpty || distributor == job.distributor
        }.map(\.id)
        if savesUnderWay == 0 { earlyCancellations = [:] }
        for id in cancelled { earlyCancellations[id] = nil }
        return cancelled
    }

    // MARK: Waiting for their time

    /// When to look for jobs that are due; nil when none waits.
    func wake(at now: Moment) -> Timestamp? { agenda.isEmpty ? nil : agenda.wake(at: now) }

    /// The next job whose time has come: its record is to be loaded.
    mutating func popDue(at now: Moment) -> JobID? {
        while let (id, number) = agenda.popDue(at: now) {
            // Else the entry is one of before: the job has run meanwhile, or is another of that id.
            guard let known = live[id], known.stage == .waiting, known.agendaNumber == number else { continue }
            live[id]?.stage = .ready
            return id
        }
        return nil
    }

    /// What a loaded record leads to.
    enum Loaded {
        /// Nothing any more.
        case nothing
        /// Its turn may come on this lane.
        case ready(LaneKind)
        case end(Ending)
        /// There is none: ``fail(gone:)``.
        case gone
    }

    /// The record of a job whose time has come, which is ready, or that was cancelled, and is ending.
    mutating func loaded(_ id: JobID, at stage: LiveJob.Stage, _ job: Job?) -> Loaded {
        guard let known = live[id], known.stage == stage else { return .nothing }
        guard var job else { return .gone }
        if known.isCancelled { return .end(endCancelled(job)) }
        job.isAwaited = known.isAwaited
        let kind = LaneKind(for: job)
        lanes[kind].enter(job, isSuspect: known.isSuspect)
        return .ready(kind)
    }

    /// Its storage, or what is to be stored of it, has failed: it is tried again.
    mutating func waitForStorage(_ id: JobID, now: Moment) {
        guard live.contains(id) else { return }
        wait(id, until: .steady(now.steady.advanced(bySeconds: Self.pause)))
    }

    /// What was noted of it before does not count any more.
    private mutating func wait(_ id: JobID, until due: DueTime) {
        live[id]?.stage = .waiting
        live[id]?.agendaNumber = agenda.insert(id, due)
    }

    // MARK: Beginning

    func hasTurns(on kind: LaneKind) -> Bool { lanes[kind].hasTurns }
    var hasCarefulTurns: Bool { NodeTurns.kinds.contains { lanes[$0].careful.isWaiting } }

    /// As many of the jobs whose turn it is as the lane has room for: their beginnings are to be stored.
    mutating func begin(on kind: LaneKind, now: Timestamp) -> [Job] {
        var begun: [Job] = []
        while let job = lanes[kind].popNext(beside: begun.count) {
            guard case .ready = live[job.id]?.stage else { continue }
            live[job.id]?.stage = .running
            let isRetrying = !takenUp.isEmpty && takenUp.contains(job.id)
            begun.append(JobLifecycle.begin(job, isRetrying: isRetrying, now: now))
        }
        lanes[kind].running += begun.count
        return begun
    }

    /// What comes of the turn of a suspect.
    enum CarefulTurn {
        /// Its beginning is to be stored.
        case begin(Job)
        case end(Ending)
    }

    /// The suspect whose turn it is, unless one is under way or there is no room.
    mutating func beginCarefully(on kind: LaneKind, now: Moment) -> CarefulTurn? {
        guard lanes[kind].careful.isWaiting, lanes[kind].hasCarefulRoom,
            let job = lanes[kind].careful.takeNext({ live[$0]?.stage })
        else { return nil }
        if let end = JobLifecycle.arrive(job, policy: policies[job], now: now.wall) {
            live[job.id]?.stage = .ending
            return .end(maker.ending(end))
        }
        live[job.id]?.stage = .running
        lanes[kind].running += 1
        return .begin(JobLifecycle.begin(job, now: now.wall))
    }

    /// Runs to be made, and ends to be stored of jobs that were cancelled before they ran.
    struct Begun {
        var runs: [LuaLane.Run] = []
        var endings: [Ending] = []
    }

    /// The beginnings of these jobs are stored.
    mutating func begun(_ jobs: [Job], on kind: LaneKind) -> Begun {
        if !takenUp.isEmpty { takenUp.subtract(jobs.lazy.map(\.id)) }
        var begun = Begun()
        begun.runs.reserveCapacity(jobs.count)
        for job in jobs {
            // The storage may have been lost meanwhile, and the jobs with it.
            guard let known = live[job.id], known.stage == .running else {
                lanes[kind].running -= 1
                continue
            }
            guard known.isCancelled else {
                begun.runs.append(run(job))
                continue
            }
            lanes[kind].running -= 1
            begun.endings.append(endCancelled(job))
        }
        return begun
    }

    /// Whether beginnings that the storage has refused have no other copy: then they keep their turns.
    func mustKeepTurns(_ jobs: [Job], _ error: StorageError) -> Bool {
        error.code == .emptied || !unstored.isDisjoint(with: jobs.lazy.map(\.id))
    }

    /// The beginnings could not be stored, and no user code runs whose beginning is not: the jobs wait for the storage, or
    /// keep their turns.
    mutating func notBegun(_ jobs: [Job], on kind: LaneKind, keepingTurns: Bool, now: Moment) {
        lanes[kind].running -= jobs.count
        guard keepingTurns else {
            for job in jobs { waitForStorage(job.id, now: now) }
            return
        }
        for job in jobs.reversed() where live.contains(job.id) {
            live[job.id]?.stage = .ready
            lanes[kind].prepend(JobLifecycle.withdraw(job))
        }
    }

    private mutating func run(_ job: Job) -> LuaLane.Run {
        maker.run(job, timeout: policies.haveTimeouts ? policies.policy(of: job).timeout : nil)
    }

    // MARK: Under way

    /// Jobs that pause leave their place on the lane to others. Returns those of them that give back a credit.
    mutating func suspended(_ ids: [JobID], on kind: LaneKind) -> [LiveJob] {
        lanes[kind].suspended += ids.count
        lanes[kind].running -= ids.count
        let isFull = lanes[kind].isFull
        return ids.compactMap { id in
            // What one that a run waits for performs itself has to come as well.
            guard let known = live[id], known.usesCredit, !isFull || known.isAwaited else { return nil }
            live[id]?.usesCredit = false
            return known
        }
    }

    /// Those of the jobs that are suspects and leave the way to the next.
    mutating func pausedSuspects(_ ids: [JobID], on kind: LaneKind) -> [JobID] {
        guard lanes[kind].careful.isUnderWay else { return [] }
        return ids.filter { live[$0]?.isSuspect == true && lanes[kind].careful.paused($0) }
    }

    // MARK: Ending

    /// What outcomes of runs come to.
    struct Ended {
        /// Failures to be stored before their errbacks run.
        var raised: [LuaLane.Outcome] = []
        var endings: [Ending] = []
    }

    /// Runs have ended.
    mutating func ended(_ outcomes: [LuaLane.Outcome], on kind: LaneKind, now: Moment) -> Ended {
        var ended = Ended()
        ended.endings.reserveCapacity(outcomes.count)
        for outcome in outcomes {
            if outcome.wasSuspended {
                // Until its end is decided it is on the lane again.
                lanes[kind].suspended -= 1
                lanes[kind].running += 1
            }
            guard let known = live[outcome.job.id] else {
                // Another node has the job.
                lanes[kind].running -= 1
                continue
            }
            let transition = JobLifecycle.end(
                outcome.job, told(outcome), policy: policies.policy(of: outcome.job), isCancelled: known.isCancelled,
                now: now.wall)
            if case .errbacks = transition.next {
                ended.raised.append(LuaLane.Outcome(transition.job, outcome.outcome))
            } else {
                lanes[kind].running -= 1
                ended.endings.append(maker.ending(transition))
            }
        }
        return ended
    }

    /// Nodes are chosen by names as people read them, and Lua finds a job by the bytes of its name: one whose name only looks
    /// like that of a script would be returned, and come back, for ever.
    private func told(_ ended: LuaLane.Outcome) -> RunOutcome {
        guard ended.outcome.kind == .undefined, let alike = policies.lookalike(of: ended.job.name) else {
            return ended.outcome
        }
        let text =
            "no script defines the job: the name '\(alike)' looks the same, but has other bytes (another Unicode form)"
        let error = Array(JSONValue.string(text).json.utf8)
        return RunOutcome(.failed, args: ended.job.args, error: error, message: text)
    }

    /// The failures are stored, as far as they could be: the errbacks are to run, but for jobs that were cancelled meanwhile.
    mutating func raisedStored(
        _ raised: [LuaLane.Outcome]
    ) -> (errbacks: [LuaLane.Run], cancelled: [LuaLane.Outcome]) {
        let errbacks = raised.filter { live[$0.job.id]?.isCancelled == false }.map { raised in
            var run = run(raised.job)
            run.raised = raised.outcome
            return run
        }
        return (errbacks, raised.filter { live[$0.job.id]?.isCancelled != false })
    }

    /// What a distributor is told of a job once more.
    func report(of job: Job, _ feedback: Feedback) -> JobReport { maker.report(of: job, feedback) }

    /// What is to be stored of ends of runs, which are under way from then on.
    mutating func store(_ endings: [Ending], madeAt now: Moment) -> [JobChange] {
        endsUnderWay += 1
        return changes(of: endings, madeAt: now)
    }

    private func changes(of endings: [Ending], madeAt now: Moment) -> [JobChange] {
        endings.map { ending in
            ending.change(
                isDurable: maker.isDurable, isDestroyed: live[ending.job.id]?.isDestroyed == true, madeAt: now.wall)
        }
    }

    /// The storage has answered.
    mutating func endsAnswered() { endsUnderWay -= 1 }

    /// The ends are not stored, and are tried again after a while: they are under way till then.
    mutating func endsWait() { endsUnderWay += 1 }

    /// Those whose jobs are still here, when they are tried again.
    mutating func tryAgain(_ endings: [Ending]) -> [Ending] {
        endsUnderWay -= 1
        return endings.filter { live.contains($0.job.id) }
    }

    /// The end of a run is stored: the job waits for the next, or has ended here. Waits count from the moment at which that
    /// was decided. Returns what was known of it, for who is to be told; nil when it is not here any more.
    mutating func finish(_ ending: Ending, madeAt: Moment) -> LiveJob? {
        let (id, transition) = (ending.job.id, ending.transition)
        guard let known = live[id] else { return nil }
        counters.note(transition)
        switch transition.next {
        case .errbacks: break
        case .wait:
            var next = known
            next.stage = .waiting
            next.usesCredit = false
            next.agendaNumber = agenda.insert(id, transition.job.due(countedFrom: madeAt))
            live[id] = next
        case .keep, .remove: live[id] = nil
        case .park:
            live[id] = nil
            if maker.isDurable { parked.insert(id, named: transition.job.name) }
        }
        return known
    }

    // MARK: Cancelling

    /// What a cancellation from outside leads to.
    enum Cancellation {
        /// The job is not here, or finished.
        case unknown
        /// It ends already.
        case ends
        /// It is on a lane, or about to be: ``interrupted(_:on:)`` with what the lane gives back.
        case interrupt
        /// Its record is to be loaded: ``loaded(_:at:_:)``.
        case load
    }

    mutating func cancel(_ id: JobID, for distributor: String = "") -> Cancellation {
        guard let stage = live[id]?.stage else {
            if parked.remove(id) {
                // Its record knows its distributor.
                live[id] = LiveJob(.ending, giver: 0)
                live[id]?.isCancelled = true
                return .load
            }
            // It may be on its way into the storage.
            if savesUnderWay > 0 { earlyCancellations[id] = distributor }
            return .unknown
        }
        live[id]?.isCancelled = true
        switch stage {
        case .ending: return .ends
        case .running: return .interrupt
        case .waiting, .ready:
            live[id]?.stage = .ending
            return .load
        }
    }

    /// A lane gave back a run that had not begun, and does not.
    mutating func tookBack(_ run: LuaLane.Run, from kind: LaneKind) -> Ending {
        lanes[kind].running -= 1
        return endCancelled(run.job)
    }

    private mutating func endCancelled(_ job: Job) -> Ending {
        live[job.id]?.stage = .ending
        return maker.ending(JobLifecycle.cancel(job, policy: policies[job]))
    }

    /// The record goes with its job, if that is here.
    mutating func markDestroyed(_ id: JobID) -> Bool {
        guard live.contains(id) else { return false }
        live[id]?.isDestroyed = true
        return true
    }

    // MARK: Again

    /// Whether a job may be set to run now: not one whose turn has come, that runs, or that ends.
    func mayRunNow(_ id: JobID) -> Bool {
        switch live[id]?.stage {
        case .running, .ending, .ready: false
        case .waiting, nil: true
        }
    }

    /// A job that is stored, and not run, is to run now. One that is not here was given by that destination.
    mutating func takeTurn(_ id: JobID, giver: UInt32) {
        guard mayRunNow(id) else { return }
        if !live.contains(id) { live[id] = LiveJob(.waiting, giver: giver) }
        wait(id, until: .now)
    }

    /// Other scripts are in use.
    mutating func use(_ definitions: [ScriptReport.Definition]) { policies.use(definitions) }

    /// Jobs that no script defined, and one does now, by their names.
    mutating func unpark() -> [(name: String, ids: [JobID])] {
        parked.take(Set(policies.names)).map { name, ids in (name, ids.filter { !live.contains($0) }) }
    }

    // MARK: Taken up

    /// What was found of an earlier process.
    struct Found {
        var waiting = 0
        var cutShort = 0
        var failed = 0
        var left = 0
        var isEmpty: Bool { waiting + cutShort + failed + left == 0 }
    }

    /// Jobs of an earlier process, or of another node, none of which runs: they wait for their time, unless they stay as they
    /// are. Returns what is to be stored of them before anything else. `giver` gives the number of a distributor's
    /// destination.
    mutating func takeUp(
        _ jobs: [Job], leavingThem: Bool, now: Moment, _ found: inout Found, giver: (String) -> UInt32
    ) -> [Ending] {
        var endings: [Ending] = []
        for job in jobs where !job.status.isFinished && !live.contains(job.id) {
            guard !leavingThem else {
                found.left += 1
                continue
            }
            live[job.id] = LiveJob(.waiting, giver: giver(job.distributor))
            let transition = JobLifecycle.takeUp(job, policy: policies[job], now: now.wall)
            if let transition { endings.append(maker.ending(transition)) }
            if transition?.job.status == .failed {
                found.failed += 1
                live[job.id]?.stage = .ending
                continue
            }
            takenUp.insert(job.id)
            if transition == nil {
                found.waiting += 1
                wait(job.id, until: .date(job.dueAt))
            } else {
                found.cutShort += 1
            }
        }
        return endings
    }

    /// What is to be stored of these ends, which is not counted as under way.
    func changes(ofTakenUp endings: [Ending], madeAt now: Moment) -> [JobChange] {
        changes(of: endings, madeAt: now)
    }

    // MARK: Lost

    /// The records are gone. Returns the jobs that went with them; what runs, or is about to, is known here, and goes on.
    mutating func loseRecords() -> [JobID] {
        let ready = Set(turns.lazy.map(\.id))
        let gone = live.elements.filter { id, known in
            switch known.stage {
            case .waiting: true
            case .ready: !ready.contains(id)
            case .running, .ending: false
            }
        }.map(\.key)
        unstored = Set(live.elements.lazy.map(\.key)).subtracting(gone)
        takenUp.subtract(gone)
        return gone
    }

    /// Jobs whose records are not there any more, and that nobody has ended. Returns what was known of each.
    mutating func fail(gone ids: [JobID]) -> [(id: JobID, known: LiveJob)] { remove(ids) }

    /// Those of the jobs whose records are to be put back before they are changed.
    func missing(of jobs: [Job]) -> [Job] { jobs.filter { unstored.contains($0.id) } }
    var hasUnstored: Bool { !unstored.isEmpty }

    mutating func putBack(_ jobs: [Job]) { unstored.subtract(jobs.lazy.map(\.id)) }

    /// All that wait for their turn.
    var turns: [Job] { NodeTurns.kinds.flatMap { lanes[$0].turns } }

    /// Jobs on the lanes, or about to be.
    var running: [JobID] { live.elements.lazy.filter { $0.value.stage == .running }.map(\.key) }

    /// A lane gave back a run for which nobody waits any more.
    mutating func gaveUpRun(on kind: LaneKind) { lanes[kind].running -= 1 }

    /// Another process has all of the jobs, or will take them up anew; what still runs is told to nobody.
    mutating func forgetAll() {
        (live, agenda) = (JobTable(), Agenda())
        (unstored, takenUp) = ([], [])
        for kind in NodeTurns.kinds { _ = lanes[kind].takeTurns() }
    }

    /// Without a durable storage the distributor owns what has not begun here, and sends it elsewhere. Returns what is forgotten.
    mutating func forget(givenBy number: UInt32) -> [JobID] {
        let forgotten = live.elements.filter { $0.value.giver == number && $0.value.stage != .running }.map(\.key)
        for id in forgotten { live[id] = nil }
        for kind in NodeTurns.kinds { lanes[kind].removeTurns { !live.contains($0.id) } }
        return forgotten
    }

    // MARK: Stopping

    /// The lane gave back runs that had not begun, and do not before this process ends. Returns their records.
    mutating func withdrawn(_ runs: [LuaLane.Run], from kind: LaneKind) -> [Job] {
        lanes[kind].running -= runs.count
        for run in runs where live.contains(run.job.id) { live[run.job.id]?.stage = .waiting }
        return runs.map { JobLifecycle.withdraw($0.job) }
    }

    /// The lane gave back runs that had not begun: they, and all that wait for their turn there, go back to who gave them.
    mutating func handBack(_ runs: [LuaLane.Run], from kind: LaneKind) -> [(id: JobID, known: LiveJob)] {
        lanes[kind].running -= runs.count
        return remove(runs.map(\.job.id) + lanes[kind].takeTurns().map(\.id))
    }

    private mutating func remove(_ ids: [JobID]) -> [(id: JobID, known: LiveJob)] {
        ids.compactMap { id in live.removeValue(forKey: id).map { (id, $0) } }
    }

    // MARK: Looking

    subscript(id: JobID) -> LiveJob? { live[id] }
    var known: some Sequence<(key: JobID, value: LiveJob)> { live.elements }
    var count: Int { live.count }
    var jobNames: [String] { policies.names }
    /// Attempts that the policy allows the job.
    func mostAttempts(of job: Job) -> Int { policies[job].maxAttempt }
    /// Whether so many jobs pause on its lane that it does not begin.
    func isFull(for job: Job) -> Bool { lanes[LaneKind(for: job)].isFull }
    func isBusy(_ kind: LaneKind) -> Bool { lanes[kind].running > 0 || lanes[kind].suspended > 0 }
    func runningCount(on kind: LaneKind) -> Int { lanes[kind].running }
    var runningCount: Int { lanes.sum { $0.running + $0.suspended } }
    /// Of those that run, the ones that do not pause.
    var busyCount: Int { lanes.sum { $0.running } }
    var suspendedCount: Int { lanes.sum { $0.suspended } }
    var readyCount: Int { lanes.sum { $0.turnCount } }
    var waitingCount: Int { count - runningCount - readyCount }
    var parkedCount: Int { parked.count }

    /// Whether no script defines the job.
    func isParked(_ id: JobID) -> Bool { parked.contains(id) }
    func isParked(_ id: JobID, named name: String) -> Bool { parked.contains(id, named: name) }
    /// Nothing runs, and no end of a run is being stored.
    var isAtRest: Bool { runningCount == 0 && endsUnderWay == 0 }
    /// Jobs are being saved, which may be saved as begun.
    var saves: Bool { savesUnderWay > 0 }
}
