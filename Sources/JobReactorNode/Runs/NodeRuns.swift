internal import JobReactorCore
internal import JobReactorLua

/// The runs of the jobs of a node, from top to bottom: jobs are received, wait for their time and their turn, begin, pause, end,
/// and are retried or cancelled.
///
/// What each method returns is to be carried out: to be stored, run, loaded or told. What came of that is told here next.
/// A value without I/O and without a clock.
struct NodeRuns {
    // What the other files of the value share is not private.
    var maker: RunMaker
    var live = LiveJobs()
    var lanes: NodeTurns
    var parked = ParkedJobs()
    /// Of jobs that run: the args of one more run, which have come during this one.
    var again: [JobID: JobArguments] = [:]
    var permits = Permits()
    var holds = Holds()
    /// Destinations that know of no limits.
    var silent: Set<UInt32> = []
    private var takenUp = TakenUpJobs()
    /// Jobs that are known here, and whose records went when the storage was emptied.
    private var unstored: Set<JobID> = []
    private(set) var savesUnderWay = SavesUnderWay()
    /// Ends of runs that are being stored.
    private(set) var endsUnderWay = 0
    private(set) var counters = NodeCounters()
    /// Seconds after which what the storage has refused is tried again.
    private static let pause = 1.0

    init(_ configuration: NodeConfiguration) {
        maker = RunMaker(configuration)
        let (threads, most) = (configuration.deferLanes, configuration.maxSuspended)
        lanes = NodeTurns(
            reactor: LaneTurns(capacity: 256, mostSuspended: most),
            deferred: LaneTurns(capacity: 2 * threads, mostSuspended: most))
    }

    // MARK: Received

    /// Jobs have come, and are to be saved as this returns them. What can run at once is saved as begun: one write instead
    /// of two.
    mutating func receive(_ received: ReceivedJobs, now: Moment) -> ReceivedJobs {
        savesUnderWay.begin()
        var saving = received
        saving.jobs = received.jobs.map { job in
            let kind = LaneKind(for: job)
            let isDue = job.due(countedFrom: received.at).isPast(at: now)
            let isFree = !maker.haveLimits || received.permitted.contains(job.id) || maker.needs(of: job).isEmpty
            if isDue, lanes.hasRoom(for: job, on: kind), !holds.holds(job.name), isFree, !live.contains(job.id),
                !received.suspects.contains(job.id)
            {
                lanes.promiseRoom(on: kind)
                return JobLifecycle.begin(job, now: now.wall)
            }
            var job = job
            job.status = .queued
            return job
        }
        for kind in NodeTurns.kinds { lanes[kind].promised = 0 }
        return saving
    }

    /// The jobs are saved; those in `new` were not here before. They came over that link, from that destination.
    mutating func saved(
        _ received: ReceivedJobs, new: Set<JobID>, giver: UInt32, link: UInt32, now: Moment
    ) -> Arrived {
        var arrived = Arrived()
        arrived.cancelled = savesUnderWay.end(received.jobs).filter(new.contains)
        counters.received += new.count
        let areAllNew = new.count == received.jobs.count
        arrived.runs.reserveCapacity(received.jobs.count)
        for (job, number) in zip(received.jobs, received.numbers) {
            guard areAllNew || new.contains(job.id) else {
                arrived.credit += 1
                if received.permitted.contains(job.id), cameAgain(job, by: giver) { arrived.ready.append(job.id) }
                continue
            }
            var made = LiveJob(
                .waiting, giver: giver, link: link, handOver: UInt32(truncatingIfNeeded: number),
                isSuspect: received.suspects.contains(job.id), isAwaited: job.isAwaited)
            let isPermitted = received.permitted.contains(job.id)
            if isPermitted { permits.give(job.id, maker.needs(of: job), by: giver) }
            if job.status == .inProgress, isPermitted || mayTakeTurn(job, of: giver) {
                (made.stage, made.usesCredit) = (.running, true)
                let kind = LaneKind(for: job)
                lanes[kind].running += 1
                let run = maker.run(job)
                if kind == .reactor { arrived.runs.append(run) } else { arrived.deferred.append(run) }
            } else if job.status == .inProgress {
                // It was to begin, and its place was lost while it was being saved.
                arrived.withdrawn.append(JobLifecycle.withdraw(job))
                made.stage = .asking
                arrived.credit += 1
            } else if case let due = job.due(countedFrom: received.at), !due.isPast(at: now) {
                arrived.credit += 1
                live.wait(job.id, as: made, until: due)
                continue
            } else if !mayTakeTurn(job, of: giver) {
                made.stage = .asking
                arrived.credit += 1
            } else {
                let isHeld = holds.holds(job.name)
                if isHeld { arrived.credit += 1 }
                (made.stage, made.usesCredit) = (.ready, !isHeld)
                lanes[LaneKind(for: job)].enter(job, priority: maker.priority(of: job), isSuspect: made.isSuspect)
            }
            live[job.id] = made
        }
        return arrived
    }

    /// The jobs are not saved, and go back.
    mutating func notSaved(_ received: ReceivedJobs) { _ = savesUnderWay.end(received.jobs) }

    /// The records of jobs that come again are looked at first: their cancellation waits, as that of those being saved.
    mutating func looksForRecords() { savesUnderWay.begin() }
    mutating func lookedForRecords() { _ = savesUnderWay.end([]) }

    // MARK: Waiting for their time

    /// When to look for jobs that are due; nil when none waits.
    func wake(at now: Moment) -> Timestamp? { live.wake(at: now) }

    /// The next job whose time has come: its record is to be loaded.
    mutating func popDue(at now: Moment) -> JobID? { live.popDue(at: now) }

    /// The record of a job whose time has come, which is ready, or that was cancelled, and is ending.
    mutating func loaded(_ id: JobID, at stage: LiveJob.Stage, _ job: Job?) -> Loaded {
        guard let known = live[id], known.stage == stage else { return .nothing }
        guard var job else { return .gone }
        if known.isCancelled {
            if let reason = permits.takeDiscard(id) { job.lastError = reason }
            return .end(endCancelled(job))
        }
        guard mayTakeTurn(job, of: known.giver) else {
            live[id]?.stage = .asking
            return .asks
        }
        job.isAwaited = known.isAwaited
        let kind = LaneKind(for: job)
        lanes[kind].enter(job, priority: maker.priority(of: job), isSuspect: known.isSuspect)
        return .ready(kind)
    }

    /// Its storage, or what is to be stored of it, has failed: it is tried again.
    mutating func waitForStorage(_ id: JobID, now: Moment) {
        guard live.contains(id) else { return }
        live.wait(id, until: .steady(now.steady.advanced(bySeconds: Self.pause)))
    }

    // MARK: Beginning

    func hasTurns(on kind: LaneKind) -> Bool { lanes[kind].hasTurns }
    var hasCarefulTurns: Bool { NodeTurns.kinds.contains { lanes[$0].careful.isWaiting } }

    /// As many of the jobs whose turn it is as the lane has room for: their beginnings are to be stored.
    mutating func begin(on kind: LaneKind, now: Timestamp) -> [Job] {
        var begun: [Job] = []
        while let job = lanes[kind].popNext(beside: begun.count, holds) {
            guard case .ready = live[job.id]?.stage else { continue }
            live[job.id]?.stage = .running
            begun.append(JobLifecycle.begin(job, isRetrying: takenUp.contains(job.id), now: now))
        }
        lanes[kind].running += begun.count
        return begun
    }

    /// The suspect whose turn it is, unless one is under way or there is no room.
    mutating func beginCarefully(on kind: LaneKind, now: Moment) -> CarefulTurn? {
        guard lanes[kind].careful.isWaiting, lanes[kind].hasCarefulRoom,
            let job = lanes[kind].careful.takeNext({ live[$0]?.stage }, holds)
        else { return nil }
        if let end = maker.arrived(job, now: now.wall) {
            live[job.id]?.stage = .ending
            return .end(end)
        }
        live[job.id]?.stage = .running
        lanes[kind].running += 1
        return .begin(JobLifecycle.begin(job, now: now.wall))
    }

    /// The beginnings of these jobs are stored.
    mutating func begun(_ jobs: [Job], on kind: LaneKind) -> Begun {
        takenUp.begun(jobs)
        var begun = Begun()
        begun.runs.reserveCapacity(jobs.count)
        for job in jobs {
            // The storage may have been lost meanwhile, and the jobs with it.
            guard let known = live[job.id], known.stage == .running else {
                lanes[kind].running -= 1
                continue
            }
            guard known.isCancelled else {
                begun.runs.append(maker.run(job))
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
            lanes[kind].prepend(JobLifecycle.withdraw(job), priority: maker.priority(of: job))
        }
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
            guard let known = live.decideEnd(outcome.job.id) else {
                // Another node has the job.
                lanes[kind].running -= 1
                continue
            }
            let outcome = again.isEmpty ? outcome : withNewestArgs(outcome)
            let transition = maker.end(outcome, isCancelled: known.isCancelled, now: now.wall)
            if case .errbacks = transition.next {
                live[outcome.job.id]?.isDecided = false
                ended.raised.append(LuaLane.Outcome(transition.job, outcome.outcome))
            } else {
                lanes[kind].running -= 1
                ended.endings.append(maker.ending(transition))
            }
        }
        return ended
    }

    /// The failures are stored, as far as they could be: the errbacks are to run, but for jobs that were cancelled meanwhile.
    mutating func raisedStored(
        _ raised: [LuaLane.Outcome]
    ) -> (errbacks: [LuaLane.Run], cancelled: [LuaLane.Outcome]) {
        let errbacks = raised.filter { live[$0.job.id]?.isCancelled == false }.map { raised in
            var run = maker.run(raised.job)
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
        if transition.next != .errbacks { permits.end(id, isReported: ending.report != nil) }
        switch transition.next {
        case .errbacks: break
        case .wait:
            var next = known
            (next.usesCredit, next.isDecided) = (false, false)
            live.wait(id, as: next, until: transition.job.due(countedFrom: madeAt))
        case .keep, .remove: live[id] = nil
        case .park:
            live[id] = nil
            if maker.isDurable { parked.insert(id, named: transition.job.name) }
        }
        return known
    }

    // MARK: Cancelling

    mutating func cancel(_ id: JobID, for distributor: String = "") -> Cancellation {
        guard let stage = live[id]?.stage else {
            if parked.remove(id) {
                // Its record knows its distributor.
                live[id] = LiveJob(.ending, giver: 0)
                live[id]?.isCancelled = true
                return .load
            }
            // It may be on its way into the storage.
            savesUnderWay.cancel(id, for: distributor)
            return .unknown
        }
        live[id]?.isCancelled = true
        switch stage {
        case .ending: return .ends
        case .running: return .interrupt
        case .waiting, .ready, .changing, .asking:
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
        if !again.isEmpty { again[job.id] = nil }
        return maker.cancelled(job)
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
        case .running, .ending, .ready, .changing, .asking: false
        case .waiting, nil: true
        }
    }

    /// A job that is stored, and not run, is to run now. One that is not here was given by that destination.
    mutating func takeTurn(_ id: JobID, giver: UInt32) {
        guard mayRunNow(id) else { return }
        if !live.contains(id) { live[id] = LiveJob(.waiting, giver: giver) }
        live.wait(id, until: .now)
    }

    /// Other scripts are in use.
    mutating func use(_ definitions: [ScriptReport.Definition], _ limits: [Limit] = []) {
        maker.use(definitions, limits)
    }

    /// Jobs that no script defined, and one does now, by their names.
    mutating func unpark() -> [(name: String, ids: [JobID])] {
        parked.take(Set(maker.jobNames)).map { name, ids in (name, ids.filter { !live.contains($0) }) }
    }

    // MARK: Taken up

    typealias Found = TakenUpJobs.Found

    /// Jobs of an earlier process, or of another node, none of which runs: they wait for their time, unless they stay as they
    /// are. Returns what is to be stored of them before anything else. `giver` gives the number of a distributor's
    /// destination.
    mutating func takeUp(
        _ jobs: [Job], leavingThem: Bool, now: Moment, _ found: inout Found, giver: (String) -> UInt32
    ) -> [Ending] {
        takenUp.takeUp(jobs, leavingThem: leavingThem, now: now, into: &live, &found, maker: maker, giver: giver)
    }

    /// What is to be stored of these ends, which is not counted as under way.
    func changes(ofTakenUp endings: [Ending], madeAt now: Moment) -> [JobChange] {
        changes(of: endings, madeAt: now)
    }

    // MARK: Lost

    /// The records are gone. Returns the jobs that went with them; what runs, or is about to, is known here, and goes on.
    mutating func loseRecords() -> [JobID] {
        let gone = live.knownByRecords(beside: Set(turns.lazy.map(\.id)))
        unstored = Set(live.elements.lazy.map(\.key)).subtracting(gone)
        takenUp.forget(gone)
        return gone
    }

    /// Jobs whose records are not there any more, and that nobody has ended. Returns what was known of each.
    mutating func fail(gone ids: [JobID]) -> [(id: JobID, known: LiveJob)] {
        permits.forget(ids)
        return live.remove(ids)
    }

    /// Those of the jobs whose records are to be put back before they are changed.
    func missing(of jobs: [Job]) -> [Job] { jobs.filter { unstored.contains($0.id) } }
    var hasUnstored: Bool { !unstored.isEmpty }

    mutating func putBack(_ jobs: [Job]) { unstored.subtract(jobs.lazy.map(\.id)) }

    /// All that wait for their turn.
    var turns: [Job] { NodeTurns.kinds.flatMap { lanes[$0].turns } }

    /// Jobs on the lanes, or about to be.
    var running: [JobID] { live.running }

    /// A lane gave back a run for which nobody waits any more.
    mutating func gaveUpRun(on kind: LaneKind) { lanes[kind].running -= 1 }

    /// Another process has all of the jobs, or will take them up anew; what still runs is told to nobody.
    mutating func forgetAll() {
        (live, takenUp, unstored, again, permits) = (LiveJobs(), TakenUpJobs(), [], [:], Permits())
        for kind in NodeTurns.kinds { _ = lanes[kind].takeTurns() }
    }

    /// Without a durable storage the distributor owns what has not begun here, and sends it elsewhere. Returns what is forgotten.
    mutating func forget(givenBy number: UInt32) -> [JobID] {
        let forgotten = live.removeUnbegun(givenBy: number)
        permits.forget(forgotten)
        for kind in NodeTurns.kinds { lanes[kind].removeTurns { !live.contains($0.id) } }
        return forgotten
    }

    // MARK: Stopping

    /// The lane gave back runs that had not begun, and do not before this process ends. Returns their records.
    mutating func withdrawn(_ runs: [LuaLane.Run], from kind: LaneKind) -> [Job] {
        lanes[kind].running -= runs.count
        for run in runs where live.contains(run.job.id) { live[run.job.id]?.stage = .waiting }
        return runs.map { JobLifecycle.withdraw(withNewestArgs($0.job)) }
    }

    /// The lane gave back runs that had not begun: they, and all that wait for their turn there, go back to who gave them.
    mutating func handBack(_ runs: [LuaLane.Run], from kind: LaneKind) -> [(id: JobID, known: LiveJob)] {
        lanes[kind].running -= runs.count
        let ids = runs.map(\.job.id) + lanes[kind].takeTurns().map(\.id)
        permits.forget(ids)
        return live.remove(ids)
    }

    // MARK: Looking

    subscript(id: JobID) -> LiveJob? { live[id] }
    var known: some Sequence<(key: JobID, value: LiveJob)> { live.elements }
    var count: Int { live.count }
    var jobNames: [String] { maker.jobNames }
    /// Attempts that the policy allows the job.
    func mostAttempts(of job: Job) -> Int { maker.mostAttempts(of: job) }
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
    var saves: Bool { !savesUnderWay.isEmpty }
}
