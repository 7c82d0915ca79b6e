import JobReactorCore
import JobReactorLua
import JobReactorWire
import Testing

@testable import JobReactorLua
@testable import JobReactorNode

/// What becomes of newer args for a job, by what the job does: nothing is stored or run by anybody but the test.
@Suite("Newer args for a job at a node") struct ReplacingTests {
    private static let now = Moment(wall: Timestamp(seconds: 1000), steady: Timestamp(seconds: 5))
    private static let giver: UInt32 = 3

    private static func runs() -> NodeRuns {
        NodeRuns(NodeConfiguration(name: "n", distributors: [Address]()))
    }

    private static func job(_ number: UInt64, after: Double? = nil) -> Job {
        Job(
            id: JobID(high: 1, low: number), name: "j", args: ["v": 1],
            options: JobOptions(after: after, unique: JobUnique("k")), distributor: "d", createdAt: now.wall)
    }

    private static func save(_ jobs: [Job], in runs: inout NodeRuns) -> NodeRuns.Arrived {
        let saving = runs.receive(
            ReceivedJobs(jobs: jobs, numbers: Array(1...jobs.count), suspects: [], at: now), now: now)
        return runs.saved(saving, new: Set(jobs.map(\.id)), giver: giver, link: 4, now: now)
    }

    private static func replace(
        _ job: Job, in runs: inout NodeRuns, _ conflict: UniqueConflict = .replace, giver: UInt32 = giver,
        after saves: Int = 0
    ) -> NodeRuns.Replacement {
        runs.replace(job.id, ["v": 2], onConflict: conflict, giver: giver, after: saves)
    }

    private static func newer(after: Double? = nil) -> JobRequest {
        JobRequest(
            name: "j", args: ["v": 2], options: JobOptions(after: after, priority: 9, unique: JobUnique("k")))
    }

    @Test("the record takes args, options and due time, and keeps what has happened")
    func record() {
        var old = Self.job(1, after: 100)
        (old.attempt, old.runs, old.lastError) = (3, 7, "boom")
        old.status = .queued
        let later = Timestamp(seconds: 2000)
        let new = old.replaced(by: Self.newer(after: 10), now: later)
        #expect(new.id == old.id && new.args == ["v": 2] && new.priority == 9 && new.distributor == "d")
        #expect(new.makeAfter == 10 && new.dueAt == Timestamp(seconds: 2010) && new.status == .queued)
        #expect(new.attempt == 3 && new.runs == 7 && new.lastError == "boom" && new.unique?.key == "k")
    }

    @Test("one that waits for its time is changed, and waits for the new one")
    func waiting() {
        var runs = Self.runs()
        let job = Self.job(1, after: 100)
        _ = Self.save([job], in: &runs)
        expect(Self.replace(job, in: &runs) == .change)
        #expect(runs.isChanging(job.id))
        // Its time does not come meanwhile, and another change waits.
        expect(runs.popDue(at: Self.now.advanced(bySeconds: 1000)) == nil)
        expect(Self.replace(job, in: &runs) == .later)
        expect(
            runs.changed(job.replaced(by: Self.newer(after: 10), now: Self.now.wall), at: Self.now, now: Self.now)
                == nil)
        expect(runs.popDue(at: Self.now.advanced(bySeconds: 9)) == nil)
        expect(runs.popDue(at: Self.now.advanced(bySeconds: 10)) == job.id)
        expect(runs.popDue(at: Self.now.advanced(bySeconds: 1000)) == nil)
    }

    @Test(
        "one that waits for its turn is changed, gives its credit back if it is due later, and never runs with the old args"
    )
    func ready() {
        var runs = Self.runs()
        let arrived = Self.save((1...258).map { Self.job($0) }, in: &runs)
        #expect(arrived.runs.count == 256 && runs.readyCount == 2)
        let (first, second) = (Self.job(257), Self.job(258))
        expect(Self.replace(first, in: &runs) == .change)
        expect(Self.replace(second, in: &runs) == .change)
        #expect(runs.readyCount == 0)
        let delayed = first.replaced(by: Self.newer(after: 10), now: Self.now.wall)
        expect(runs.changed(delayed, at: Self.now, now: Self.now)?.usesCredit == true)
        let due = second.replaced(by: Self.newer(), now: Self.now.wall)
        expect(runs.changed(due, at: Self.now, now: Self.now) == nil)
        let ended = arrived.runs.prefix(2).map { LuaLane.Outcome($0.job, RunOutcome(.succeeded, args: [:])) }
        _ = runs.ended(ended, on: .reactor, now: Self.now)
        let begun = runs.begin(on: .reactor, now: Self.now.wall)
        #expect(begun.map(\.id) == [second.id] && begun.map(\.args) == [["v": 2]])
    }

    @Test("one that runs is kept, or runs once more with the newest args")
    func running() {
        var runs = Self.runs()
        let job = Self.save([Self.job(1)], in: &runs).runs[0].job
        expect(Self.replace(job, in: &runs) == .kept)
        expect(Self.replace(job, in: &runs, .again) == .again)
        #expect(runs.keepsAgain(job.id, ["v": 2]) && !runs.keepsAgain(job.id, ["v": 3]))
        let ended = runs.ended(
            [LuaLane.Outcome(job, RunOutcome(.succeeded, args: ["v": 1]))], on: .reactor, now: Self.now)
        let end = ended.endings[0]
        #expect(end.transition.next == .wait && end.job.status == .queued && end.job.args == ["v": 2])
        #expect(end.job.again == nil && !runs.keepsAgain(job.id, ["v": 2]))
        // Once its end is decided, newer args wait until it is stored.
        expect(Self.replace(job, in: &runs, .again) == .later)
        _ = runs.finish(end, madeAt: Self.now)
        expect(Self.replace(job, in: &runs, .again) == .change)
    }

    @Test("args that come while errbacks run are not lost, and those that could not be kept are forgotten")
    func errbacks() {
        var runs = Self.runs()
        let job = Self.save([Self.job(1)], in: &runs).runs[0].job
        let raised = runs.ended(
            [LuaLane.Outcome(job, RunOutcome(.raised, args: ["v": 1]))], on: .reactor, now: Self.now
        ).raised
        #expect(raised.count == 1)
        expect(Self.replace(job, in: &runs, .again) == .again)
        runs.forgetAgain(job.id, ["v": 2])
        #expect(!runs.keepsAgain(job.id, ["v": 2]))
        expect(Self.replace(job, in: &runs, .again) == .again)
        let errbacks = runs.raisedStored(raised).errbacks
        let ended = runs.ended(
            [LuaLane.Outcome(errbacks[0].job, RunOutcome(.failed, args: ["v": 1]))], on: .reactor, now: Self.now)
        #expect(ended.endings.map(\.job.args) == [["v": 2]])
    }

    @Test("one that is on its way into the storage is asked for again, and one that is not here is not")
    func unknown() {
        var runs = Self.runs()
        expect(Self.replace(Self.job(1), in: &runs) == .unknown)
        let saving = runs.receive(
            ReceivedJobs(jobs: [Self.job(1)], numbers: [1], suspects: [], at: Self.now), now: Self.now)
        let saves = runs.savesUnderWay.begun
        expect(Self.replace(Self.job(1), in: &runs, after: saves) == .later)
        expect(Self.replace(Self.job(2), in: &runs, after: saves) == .later)
        _ = runs.saved(saving, new: Set(saving.jobs.map(\.id)), giver: Self.giver, link: 1, now: Self.now)
        // Others are under way: they began later.
        _ = runs.receive(
            ReceivedJobs(jobs: [Self.job(9)], numbers: [2], suspects: [], at: Self.now), now: Self.now)
        expect(Self.replace(Self.job(2), in: &runs, after: saves) == .unknown)
    }

    @Test("one that was cancelled, or that another distributor gave, is none that changes")
    func others() {
        var runs = Self.runs()
        let job = Self.job(1, after: 100)
        _ = Self.save([job], in: &runs)
        expect(Self.replace(job, in: &runs, giver: 9) == .kept)
        expect(Self.replace(job, in: &runs) == .change)
        guard case .load = runs.cancel(job.id) else { return #expect(Bool(false)) }
        #expect(!runs.isChanging(job.id))
        expect(runs.changed(job, at: Self.now, now: Self.now) == nil)
        expect(Self.replace(job, in: &runs) == .kept)
        guard case .end(let ending) = runs.loaded(job.id, at: .ending, job) else { return #expect(Bool(false)) }
        #expect(ending.job.status == .cancelled)
    }
}

private func expect(_ isSo: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(isSo, sourceLocation: sourceLocation)
}
