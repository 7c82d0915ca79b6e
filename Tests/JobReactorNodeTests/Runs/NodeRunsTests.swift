import JobReactorCore
import JobReactorLua
import Testing

@testable import JobReactorLua
@testable import JobReactorNode

/// The runs of jobs as a value: what is returned is stored and run by nobody but the test.
@Suite("The runs of jobs at a node") struct NodeRunsTests {
    private static let now = Moment(wall: Timestamp(seconds: 1000), steady: Timestamp(seconds: 5))

    private static func runs(_ change: (inout NodeConfiguration) -> Void = { _ in }) -> NodeRuns {
        var configuration = NodeConfiguration(name: "n", distributors: [Address]())
        change(&configuration)
        return NodeRuns(configuration)
    }

    private static func job(_ number: UInt64, after: Double? = nil, isDeferred: Bool = false) -> Job {
        var options = JobOptions(after: after)
        options.isDeferred = isDeferred
        return Job(
            id: JobID(high: 1, low: number), name: "j", args: [:], options: options, distributor: "d",
            createdAt: now.wall)
    }

    private static func received(_ jobs: [Job], suspects: Set<JobID> = []) -> ReceivedJobs {
        ReceivedJobs(jobs: jobs, numbers: Array(1...jobs.count), suspects: suspects, at: now)
    }

    private static func save(_ received: ReceivedJobs, in runs: inout NodeRuns) -> NodeRuns.Arrived {
        let saving = runs.receive(received, now: now)
        return runs.saved(saving, new: Set(saving.jobs.map(\.id)), giver: 3, link: 4, now: now)
    }

    private static func outcome(_ job: Job, _ kind: RunOutcome.Kind = .succeeded) -> LuaLane.Outcome {
        LuaLane.Outcome(job, RunOutcome(kind, args: job.args))
    }

    @Test("a job that may run at once is saved as begun, runs, and its end is stored before it is told") func oneRun() {
        var runs = Self.runs()
        let arrived = Self.save(Self.received([Self.job(1)]), in: &runs)
        #expect(arrived.runs.map(\.job.status) == [.inProgress] && arrived.runs.map(\.job.attempt) == [1])
        #expect(arrived.deferred.isEmpty && arrived.credit == 0 && arrived.cancelled.isEmpty)
        #expect(runs.runningCount == 1 && !runs.isAtRest && !runs.saves)
        let ended = runs.ended([Self.outcome(arrived.runs[0].job)], on: .reactor, now: Self.now)
        #expect(ended.raised.isEmpty && runs.runningCount == 0)
        expect(runs.store(ended.endings, madeAt: Self.now) == [.remove(arrived.runs[0].job.id)])
        #expect(!runs.isAtRest)
        runs.endsAnswered()
        let known = runs.finish(ended.endings[0], madeAt: Self.now)
        #expect(known?.giver == 3 && known?.link == 4 && known?.handOver == 1 && known?.usesCredit == true)
        #expect(runs.count == 0 && runs.isAtRest && runs.counters.succeeded == 1 && runs.counters.received == 1)
        expect(runs.finish(ended.endings[0], madeAt: Self.now) == nil)
    }

    @Test("one that waits for its time gives its credit back, and is loaded when it is due") func delayed() {
        var runs = Self.runs()
        let job = Self.job(1, after: 10)
        let arrived = Self.save(Self.received([job]), in: &runs)
        #expect(arrived.runs.isEmpty && arrived.credit == 1 && runs.waitingCount == 1)
        #expect(runs.wake(at: Self.now) == Self.now.advanced(bySeconds: 10).steady)
        expect(runs.popDue(at: Self.now.advanced(bySeconds: 9)) == nil)
        let due = Self.now.advanced(bySeconds: 10)
        expect(runs.popDue(at: due) == job.id)
        expect(runs.popDue(at: due) == nil)
        guard case .ready(.reactor) = runs.loaded(job.id, at: .ready, job) else { return #expect(Bool(false)) }
        expect(runs.begin(on: .reactor, now: due.wall).map(\.id) == [job.id])
        expect(runs.begin(on: .reactor, now: due.wall).isEmpty)
    }

    @Test("no more begin than the lane has room for, and the others in their order") func room() {
        var runs = Self.runs()
        let jobs = (1...300).map { Self.job(UInt64($0)) }
        let arrived = Self.save(Self.received(jobs), in: &runs)
        #expect(arrived.runs.count == 256 && runs.readyCount == 44)
        expect(runs.begin(on: .reactor, now: Self.now.wall).isEmpty)
        _ = runs.ended(arrived.runs.prefix(2).map { Self.outcome($0.job) }, on: .reactor, now: Self.now)
        expect(runs.begin(on: .reactor, now: Self.now.wall).map(\.id.low) == [257, 258])
    }

    @Test("jobs with defer have a lane of their own") func deferred() {
        var runs = Self.runs { $0.deferLanes = 1 }
        let jobs = (1...3).map { Self.job(UInt64($0), isDeferred: true) } + [Self.job(4)]
        let arrived = Self.save(Self.received(jobs), in: &runs)
        #expect(arrived.deferred.map(\.job.id.low) == [1, 2] && arrived.runs.map(\.job.id.low) == [4])
        #expect(runs.hasTurns(on: .deferred) && !runs.hasTurns(on: .reactor))
    }

    @Test("a job that comes again is not run again, and uses no credit") func again() {
        var runs = Self.runs()
        let saving = runs.receive(Self.received([Self.job(1)]), now: Self.now)
        let arrived = runs.saved(saving, new: [], giver: 1, link: 1, now: Self.now)
        #expect(arrived.runs.isEmpty && arrived.credit == 1 && runs.count == 0)
    }

    @Test("a beginning that is not stored runs no code: the job waits for the storage") func notBegun() {
        var runs = Self.runs()
        let job = Self.job(1)
        runs.takeTurn(job.id, giver: 1)
        expect(runs.popDue(at: Self.now) == job.id)
        _ = runs.loaded(job.id, at: .ready, job)
        let begun = runs.begin(on: .reactor, now: Self.now.wall)
        #expect(!runs.mustKeepTurns(begun, StorageError("full")))
        runs.notBegun(begun, on: .reactor, keepingTurns: false, now: Self.now)
        #expect(runs.runningCount == 0 && runs.waitingCount == 1)
        expect(runs.popDue(at: Self.now) == nil)
        expect(runs.popDue(at: Self.now.advanced(bySeconds: 1)) == job.id)
    }

    @Test("without a record, beginnings that are not stored keep their turns, as before") func keptTurns() {
        var runs = Self.runs()
        let arrived = Self.save(Self.received((1...257).map { Self.job(UInt64($0)) }), in: &runs)
        _ = runs.ended([Self.outcome(arrived.runs[0].job)], on: .reactor, now: Self.now)
        let begun = runs.begin(on: .reactor, now: Self.now.wall)
        expect(runs.loseRecords().isEmpty)
        #expect(runs.missing(of: begun).map(\.id.low) == [257] && runs.hasUnstored)
        #expect(runs.mustKeepTurns(begun, StorageError("full")))
        runs.notBegun(begun, on: .reactor, keepingTurns: true, now: Self.now)
        let again = runs.begin(on: .reactor, now: Self.now.wall)
        #expect(again.map(\.id.low) == [257] && again.map(\.attempt) == [1])
        runs.putBack(again)
        #expect(runs.missing(of: again).isEmpty)
    }

    @Test("a failure is stored before its errbacks run, and these run unless it was cancelled") func errbacks() {
        var runs = Self.runs()
        let arrived = Self.save(Self.received([Self.job(1), Self.job(2)]), in: &runs)
        let ended = runs.ended(arrived.runs.map { Self.outcome($0.job, .raised) }, on: .reactor, now: Self.now)
        #expect(ended.raised.map(\.job.status) == [.error, .error] && ended.endings.isEmpty)
        #expect(runs.runningCount == 2)
        guard case .interrupt = runs.cancel(arrived.runs[1].job.id) else { return #expect(Bool(false)) }
        let next = runs.raisedStored(ended.raised)
        #expect(next.errbacks.map(\.job.id.low) == [1] && next.errbacks[0].raised != nil)
        #expect(next.cancelled.map(\.job.id.low) == [2])
        expect(runs.ended(next.cancelled, on: .reactor, now: Self.now).endings.map(\.job.status) == [.cancelled])
    }

    /// At every stage at which a job can be.
    @Test("a cancellation") func cancelling() {
        var runs = Self.runs()
        let (waiting, ready, running) = (Self.job(1, after: 9), Self.job(2), Self.job(3))
        _ = Self.save(Self.received([waiting]), in: &runs)
        let arrived = Self.save(Self.received([running]), in: &runs)
        runs.takeTurn(ready.id, giver: 1)
        _ = runs.popDue(at: Self.now)
        for id in [waiting.id, ready.id] {
            guard case .load = runs.cancel(id) else { return #expect(Bool(false)) }
            guard case .ends = runs.cancel(id) else { return #expect(Bool(false)) }
        }
        // The load that was under way comes to nothing; that of the cancellation ends it.
        guard case .nothing = runs.loaded(ready.id, at: .ready, ready) else { return #expect(Bool(false)) }
        guard case .end(let ending) = runs.loaded(ready.id, at: .ending, ready) else { return #expect(Bool(false)) }
        #expect(ending.job.status == .cancelled && ending.report?.status == .cancelled)
        guard case .gone = runs.loaded(waiting.id, at: .ending, nil) else { return #expect(Bool(false)) }
        guard case .interrupt = runs.cancel(running.id) else { return #expect(Bool(false)) }
        expect(runs.tookBack(arrived.runs[0], from: .reactor).job.status == .cancelled)
        #expect(runs.runningCount == 0)
        guard case .unknown = runs.cancel(JobID(high: 9, low: 9)) else { return #expect(Bool(false)) }
        #expect(!runs.mayRunNow(ready.id) && runs.mayRunNow(JobID(high: 9, low: 9)))
    }

    @Test("one that comes while the job is being saved waits for it, and for no other save") func early() {
        var runs = Self.runs()
        let (first, second) = (Self.job(1), Self.job(2))
        let saving = runs.receive(Self.received([first]), now: Self.now)
        let other = runs.receive(Self.received([second]), now: Self.now)
        guard case .unknown = runs.cancel(first.id) else { return #expect(Bool(false)) }
        expect(runs.saved(other, new: [second.id], giver: 1, link: 1, now: Self.now).cancelled.isEmpty)
        expect(runs.saved(saving, new: [first.id], giver: 1, link: 1, now: Self.now).cancelled == [first.id])
        // Of a job that was not saved nothing is left.
        let third = runs.receive(Self.received([Self.job(3)]), now: Self.now)
        _ = runs.cancel(Self.job(3).id)
        runs.notSaved(third)
        expect(Self.save(Self.received([Self.job(3)]), in: &runs).cancelled.isEmpty)
    }

    @Test("jobs that pause leave their place and their credit, unless as many pause as may") func pausing() {
        var runs = Self.runs { $0.maxSuspended = 2 }
        let arrived = Self.save(Self.received((1...3).map { Self.job($0) }), in: &runs)
        let ids = arrived.runs.map(\.job.id)
        expect(runs.suspended([ids[0]], on: .reactor).map(\.handOver) == [1])
        #expect(runs.runningCount(on: .reactor) == 2 && runs.suspendedCount == 1)
        expect(runs.suspended([ids[1]], on: .reactor).isEmpty)
        let next = runs.receive(Self.received([Self.job(4)]), now: Self.now)
        #expect(next.jobs.map(\.status) == [.queued])
        var outcome = Self.outcome(arrived.runs[0].job)
        outcome.wasSuspended = true
        _ = runs.ended([outcome], on: .reactor, now: Self.now)
        #expect(runs.suspendedCount == 1 && runs.runningCount(on: .reactor) == 1)
    }

    private static func awaited(_ number: UInt64) -> Job {
        var job = job(number)
        job.isAwaited = true
        return job
    }

    @Test("a job that a run waits for begins although as many pause as may, and gives its credit back when it pauses")
    func awaited() {
        var runs = Self.runs { $0.maxSuspended = 1 }
        let parent = Self.save(Self.received([Self.job(1)]), in: &runs).runs[0].job
        _ = runs.suspended([parent.id], on: .reactor)
        let arrived = Self.save(Self.received([Self.job(2), Self.awaited(3)]), in: &runs)
        #expect(arrived.runs.map(\.job.id.low) == [3] && runs.readyCount == 1)
        expect(runs.begin(on: .reactor, now: Self.now.wall).isEmpty)
        expect(runs.suspended([arrived.runs[0].job.id], on: .reactor).map(\.handOver) == [2])

        // It fails, and its next attempt begins likewise.
        var failed = Self.outcome(arrived.runs[0].job, .failed)
        failed.wasSuspended = true
        let ended = runs.ended([failed], on: .reactor, now: Self.now)
        #expect(ended.endings.map(\.transition.next) == [.wait])
        _ = runs.finish(ended.endings[0], madeAt: Self.now)
        let later = Self.now.advanced(bySeconds: 1000)
        expect(runs.popDue(at: later) == arrived.runs[0].job.id)
        _ = runs.loaded(arrived.runs[0].job.id, at: .ready, ended.endings[0].job)
        expect(runs.begin(on: .reactor, now: later.wall).map(\.id.low) == [3])

        // Those and others take turns.
        var ready = Self.runs()
        _ = Self.save(Self.received((1...256).map { Self.job($0) }), in: &ready)
        let waiting = Self.save(
            Self.received([Self.job(301), Self.job(302), Self.awaited(401), Self.awaited(402)]), in: &ready)
        #expect(waiting.runs.isEmpty && ready.readyCount == 4)
        _ = ready.ended(
            (1...3).map { Self.outcome(JobLifecycle.begin(Self.job($0), now: Self.now.wall)) }, on: .reactor,
            now: Self.now)
        expect(ready.begin(on: .reactor, now: Self.now.wall).map(\.id.low).sorted() == [301, 401, 402])
    }

    @Test("suspects begin one by one, and not with those that may run at once") func suspects() {
        var runs = Self.runs()
        let jobs = [Self.job(1), Self.job(2)]
        let arrived = Self.save(Self.received(jobs, suspects: Set(jobs.map(\.id))), in: &runs)
        #expect(arrived.runs.isEmpty && runs.hasCarefulTurns)
        guard case .begin(let first)? = runs.beginCarefully(on: .reactor, now: Self.now) else {
            return #expect(Bool(false))
        }
        expect(first.id == jobs[0].id && runs.beginCarefully(on: .reactor, now: Self.now) == nil)
        expect(runs.begun([first], on: .reactor).runs.count == 1)
        expect(runs.pausedSuspects([first.id], on: .reactor) == [first.id])
        guard case .begin(let second)? = runs.beginCarefully(on: .reactor, now: Self.now) else {
            return #expect(Bool(false))
        }
        #expect(second.id == jobs[1].id)
    }

    @Test("a suspect whose attempts are all made ends without a run") func exhausted() {
        var runs = Self.runs()
        var job = Self.job(1)
        job.attempt = 100
        _ = Self.save(Self.received([job], suspects: [job.id]), in: &runs)
        guard case .end(let ending)? = runs.beginCarefully(on: .reactor, now: Self.now) else {
            return #expect(Bool(false))
        }
        #expect(ending.job.status == .failed && ending.report?.feedback.kind == .error)
    }

    @Test("a job that no script defines goes back, or is parked until one does") func parked() {
        var durable = Self.runs { $0.storage = DurableMemory() }
        let arrived = Self.save(Self.received([Self.job(1)]), in: &durable)
        let ended = durable.ended([Self.outcome(arrived.runs[0].job, .undefined)], on: .reactor, now: Self.now)
        #expect(ended.endings.map(\.transition.next) == [.park])
        _ = durable.store(ended.endings, madeAt: Self.now)
        durable.endsAnswered()
        expect(durable.finish(ended.endings[0], madeAt: Self.now)?.usesCredit == true)
        #expect(durable.parkedCount == 1 && durable.count == 0)
        expect(durable.unpark().isEmpty)
        durable.use([
            ScriptReport.Definition(
                name: "j", file: "j.lua", line: 1, callbacks: 0, errbacks: 0, policy: ScriptPolicy())
        ])
        expect(durable.unpark().flatMap(\.ids) == [arrived.runs[0].job.id])
        #expect(durable.parkedCount == 0)
    }

    @Test("what an earlier process left is taken up: what waited waits, what ran has used an attempt") func takenUp() {
        var runs = Self.runs { $0.policy.maxAttempt = 2 }
        var (queued, cut, last, done) = (Self.job(1, after: 10), Self.job(2), Self.job(3), Self.job(4))
        queued.status = .queued
        (cut.status, cut.attempt) = (.inProgress, 1)
        (last.status, last.attempt) = (.inProgress, 2)
        done.status = .complete
        var found = NodeRuns.Found()
        let endings = runs.takeUp(
            [queued, cut, last, done], leavingThem: false, now: Self.now, &found, giver: { _ in 8 })
        #expect(endings.map(\.job.status) == [.queued, .failed])
        #expect((found.waiting, found.cutShort, found.failed, found.left) == (1, 1, 1, 0))
        for ending in endings { _ = runs.finish(ending, madeAt: Self.now) }
        expect(runs.count == 2 && runs.popDue(at: Self.now) == cut.id)
        _ = runs.loaded(cut.id, at: .ready, cut)
        let begun = runs.begin(on: .reactor, now: Self.now.wall)
        #expect(begun.map { $0.args["retrying"] } == [true])

        var left = NodeRuns.Found()
        var other = Self.runs()
        expect(other.takeUp([queued, cut], leavingThem: true, now: Self.now, &left, giver: { _ in 8 }).isEmpty)
        #expect(left.left == 2 && !left.isEmpty && other.count == 0)
    }

    @Test("a stop withdraws what has not begun, and a volatile node hands it back") func stopping() {
        var runs = Self.runs()
        let arrived = Self.save(Self.received((1...258).map { Self.job($0) }), in: &runs)
        let withdrawn = Array(arrived.runs.suffix(3))
        let returned = runs.handBack(withdrawn, from: .reactor)
        #expect(returned.map(\.id.low) == [254, 255, 256, 257, 258])
        #expect(runs.runningCount == 253 && runs.readyCount == 0 && runs.count == 253)
        let records = runs.withdrawn([arrived.runs[0]], from: .reactor)
        #expect(records.map(\.status) == [.queued] && records.map(\.attempt) == [0])
        #expect(runs.runningCount == 252 && runs[arrived.runs[0].job.id]?.stage == .waiting)
    }

    @Test("jobs of a distributor that is gone are forgotten, but for those that run") func forgotten() {
        var runs = Self.runs()
        let jobs = [Self.job(1), Self.job(2, after: 5)]
        _ = Self.save(Self.received(jobs), in: &runs)
        expect(runs.forget(givenBy: 99).isEmpty)
        expect(runs.forget(givenBy: 3) == [jobs[1].id])
        #expect(runs.running == [jobs[0].id])
        runs.forgetAll()
        #expect(runs.count == 0 && runs.runningCount == 1)
        // What still runs is told to nobody.
        expect(runs.ended([Self.outcome(jobs[0])], on: .reactor, now: Self.now).endings.isEmpty)
        #expect(runs.runningCount == 0)
    }
}

/// A storage in memory that says that it is durable.
private final class DurableMemory: ForwardingStorage {
    let storage: any JobStorage = MemoryStorage()
    var isDurable: Bool { true }
}

/// What changes a value cannot stand in the macro.
private func expect(_ isSo: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(isSo, sourceLocation: sourceLocation)
}
