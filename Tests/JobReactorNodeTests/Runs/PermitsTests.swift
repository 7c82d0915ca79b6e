import JobReactorCore
import JobReactorLua
import JobReactorWire
import Testing

@testable import JobReactorLua
@testable import JobReactorNode

@Suite("Places of runs in limits") struct PermitsTests {
    private static func id(_ number: Int) -> JobID { JobID(high: 1, low: UInt64(number)) }
    private static let needs = [LimitNeed(limit: "crm")]
    private static func at(_ seconds: Double) -> Timestamp { Timestamp(seconds: seconds) }

    private static func sent(_ permits: inout Permits) -> [Permits.Message] { permits.takeMessages().map(\.message) }

    @Test("a place is asked for, given, and given back: by the report, or else by a message")
    func life() {
        var permits = Permits()
        #expect(permits.isEmpty && Self.sent(&permits) == [])
        permits.ask(Self.id(1), priority: 7, Self.needs, of: 3)
        permits.ask(Self.id(2), priority: 5, Self.needs, of: 3)
        #expect(
            Self.sent(&permits) == [
                .permit(Self.id(1), priority: 7, Self.needs), .permit(Self.id(2), priority: 5, Self.needs),
            ])
        // Only who was asked gives.
        expect(!permits.permitted(Self.id(1), by: 4))
        expect(permits.permitted(Self.id(1), by: 3))
        expect(permits.permitted(Self.id(2), by: 3))
        #expect(permits.isGiven(Self.id(1)) && !permits.isGiven(Self.id(3)))
        _ = Self.sent(&permits)
        permits.end(Self.id(1), isReported: true)
        permits.end(Self.id(2), isReported: false)
        permits.end(Self.id(3), isReported: false)
        #expect(Self.sent(&permits) == [.release(Self.id(2))] && permits.isEmpty)
    }

    @Test("what comes for nobody goes back")
    func late() {
        var permits = Permits()
        expect(!permits.permitted(Self.id(1), by: 3))
        #expect(Self.sent(&permits) == [.release(Self.id(1))])
        permits.ask(Self.id(1), priority: 5, Self.needs, of: 3)
        permits.end(Self.id(1), isReported: false)
        expect(!permits.permitted(Self.id(1), by: 3))
        #expect(Self.sent(&permits).suffix(2) == [.release(Self.id(1)), .release(Self.id(1))])
        // One that has its place does not lose it.
        permits.give(Self.id(2), Self.needs, by: 3)
        expect(!permits.permitted(Self.id(2), by: 3))
        #expect(permits.isGiven(Self.id(2)) && Self.sent(&permits) == [])
    }

    @Test("a limit that discards says why, once")
    func discarded() {
        var permits = Permits()
        expect(!permits.discarded(Self.id(1), "no", by: 3))
        permits.ask(Self.id(1), priority: 5, Self.needs, of: 3)
        expect(!permits.discarded(Self.id(1), "no", by: 4))
        expect(permits.discarded(Self.id(1), "the limit is full", by: 3))
        #expect(permits.takeDiscard(Self.id(1)) == "the limit is full" && permits.takeDiscard(Self.id(1)) == nil)
        #expect(permits.isEmpty)
    }

    @Test("over a new link those that wait are asked for again, and those that run say since when")
    func link() {
        var permits = Permits()
        for number in 1...4 { permits.ask(Self.id(number), priority: 5, Self.needs, of: number == 4 ? 9 : 3) }
        expect(permits.permitted(Self.id(1), by: 3))
        permits.began(Self.id(1), at: Self.at(10))
        permits.give(Self.id(5), Self.needs, by: 3)
        let held = permits.held(of: 3, at: Self.at(12.5))
        #expect(held.map(\.id) == [Self.id(1), Self.id(5)] && held.map(\.secondsAgo) == [2.5, 0])
        #expect(held.allSatisfy { $0.needs == Self.needs })
        #expect(permits.askedOf == [3: 2, 9: 1])
        permits.askAgain(3)
        let messages = permits.takeMessages()
        #expect(messages.map(\.giver) == [9, 3, 3])
        #expect(messages.suffix(2).map(\.message) == [2, 3].map { .permit(Self.id($0), priority: 5, Self.needs) })
        #expect(permits.giveAll(of: 3) == [Self.id(2), Self.id(3)] && permits.giveAll(of: 3) == [])
        permits.forget([Self.id(1), Self.id(4), Self.id(5)])
        #expect(permits.isEmpty)
    }

    @Test("what is given back after the greeting waits until the giver has spoken, and is said before all else")
    func greeted() {
        var permits = Permits()
        permits.give(Self.id(1), Self.needs, by: 3)
        permits.give(Self.id(2), Self.needs, by: 3)
        permits.end(Self.id(2), isReported: false)
        // That it is free the greeting says.
        permits.greet(3)
        permits.ask(Self.id(3), priority: 5, Self.needs, of: 3)
        permits.end(Self.id(1), isReported: false)
        permits.ask(Self.id(4), priority: 5, Self.needs, of: 9)
        #expect(permits.takeMessages { $0 == 3 }.map(\.giver) == [9])
        permits.askAgain(3)
        #expect(
            Self.sent(&permits) == [.release(Self.id(1)), .permit(Self.id(3), priority: 5, Self.needs)])
    }

    // MARK: At a node

    private static let now = Moment(wall: Timestamp(seconds: 1000), steady: Timestamp(seconds: 5))
    private static let giver: UInt32 = 3

    private static func runs() -> NodeRuns {
        var runs = NodeRuns(NodeConfiguration(name: "n", distributors: [Address]()))
        let limited = ScriptReport.Definition(
            name: "limited", file: "j.lua", line: 1, callbacks: 0, errbacks: 0,
            policy: ScriptPolicy(priority: 7, limits: ["crm", "limited", "gone"]))
        let free = ScriptReport.Definition(
            name: "free", file: "j.lua", line: 2, callbacks: 0, errbacks: 0, policy: ScriptPolicy())
        runs.use(
            [free, limited], [Limit(name: "crm", concurrency: 1), Limit(name: "limited", rate: 1, key: "account")])
        return runs
    }

    private static let places = [LimitNeed(limit: "crm"), LimitNeed(limit: "limited", key: "5")]

    private static func job(_ number: Int, _ name: String = "limited", after: Double? = nil) -> Job {
        Job(
            id: id(number), name: name, args: ["account": 5], options: JobOptions(after: after), distributor: "d",
            createdAt: now.wall)
    }

    private static func save(_ jobs: [Job], in runs: inout NodeRuns, permitted: Set<JobID> = []) -> NodeRuns.Arrived {
        let received = ReceivedJobs(
            jobs: jobs, numbers: Array(1...jobs.count), suspects: [], permitted: permitted, at: now)
        let saving = runs.receive(received, now: now)
        return runs.saved(saving, new: Set(jobs.map(\.id)), giver: giver, link: 4, now: now)
    }

    @Test("a job that comes with its place runs at once, and one that does not asks for it and uses no credit")
    func first() {
        var runs = Self.runs()
        let arrived = Self.save(
            [Self.job(1), Self.job(2), Self.job(3, "free")], in: &runs, permitted: [Self.id(1)])
        #expect(arrived.runs.map(\.job.id) == [Self.id(1), Self.id(3)] && arrived.credit == 1)
        #expect(runs[Self.id(2)]?.stage == .asking && runs[Self.id(2)]?.usesCredit == false)
        #expect(runs.permits.messages.map(\.message) == [.permit(Self.id(2), priority: 7, Self.places)])
        expect(runs.permitted(Self.id(2), by: Self.giver))
        guard case .ready = runs.loaded(Self.id(2), at: .ready, Self.job(2)) else { return #expect(Bool(false)) }
        expect(runs.begin(on: .reactor, now: Self.now.wall).map(\.id) == [Self.id(2)])
    }

    @Test("a job that was saved as begun, and has lost its place meanwhile, does not begin and asks for a place")
    func lost() {
        var runs = Self.runs()
        var saving = runs.receive(
            ReceivedJobs(jobs: [Self.job(1)], numbers: [1], suspects: [], permitted: [Self.id(1)], at: Self.now),
            now: Self.now)
        #expect(saving.jobs.map(\.status) == [.inProgress])
        saving.permitted = []
        let arrived = runs.saved(saving, new: [Self.id(1)], giver: Self.giver, link: 4, now: Self.now)
        #expect(arrived.runs.isEmpty && arrived.credit == 1 && runs[Self.id(1)]?.stage == .asking)
        #expect(arrived.withdrawn.map(\.status) == [.queued] && arrived.withdrawn.map(\.attempt) == [0])
        #expect(runs.permits.messages.map(\.message) == [.permit(Self.id(1), priority: 7, Self.places)])
        expect(runs.runningCount(on: .reactor) == 0 && runs.permits.held(of: Self.giver, at: Self.at(5)).isEmpty)
        expect(runs.permitted(Self.id(1), by: Self.giver))
        _ = runs.loaded(Self.id(1), at: .ready, arrived.withdrawn.first)
        expect(runs.begin(on: .reactor, now: Self.now.wall).map(\.attempt) == [1])
    }

    @Test("a retry gives the place back and asks anew when it is due; a report gives it back by itself")
    func retries() {
        var runs = Self.runs()
        let job = Self.save([Self.job(1)], in: &runs, permitted: [Self.id(1)]).runs[0].job
        let failed = runs.ended(
            [LuaLane.Outcome(job, RunOutcome(.failed, args: job.args))], on: .reactor, now: Self.now)
        _ = runs.finish(failed.endings[0], madeAt: Self.now)
        #expect(runs.permits.messages.map(\.message) == [.release(Self.id(1))] && runs.permits.isEmpty)
        let later = Self.now.advanced(bySeconds: 1000)
        expect(runs.popDue(at: later) == Self.id(1))
        guard case .asks = runs.loaded(Self.id(1), at: .ready, failed.endings[0].job) else {
            return #expect(Bool(false))
        }
        expect(runs.permitted(Self.id(1), by: Self.giver))
        _ = runs.loaded(Self.id(1), at: .ready, failed.endings[0].job)
        let begun = runs.begin(on: .reactor, now: later.wall)
        let ended = runs.ended(
            [LuaLane.Outcome(begun[0], RunOutcome(.succeeded, args: [:]))], on: .reactor, now: later)
        _ = runs.permits.takeMessages()
        _ = runs.finish(ended.endings[0], madeAt: later)
        #expect(runs.permits.messages.isEmpty && runs.permits.isEmpty && runs.count == 0)
    }

    @Test("a job that waits for its place, and comes again with it, goes on; a run that goes on has it")
    func again() {
        var runs = Self.runs()
        _ = Self.save([Self.job(1)], in: &runs)
        _ = runs.permits.takeMessages()
        func comesAgain() -> NodeRuns.Arrived {
            let received = ReceivedJobs(
                jobs: [Self.job(1)], numbers: [2], suspects: [], permitted: [Self.id(1)], at: Self.now)
            let saving = runs.receive(received, now: Self.now)
            return runs.saved(saving, new: [], giver: Self.giver, link: 4, now: Self.now)
        }
        let arrived = comesAgain()
        #expect(arrived.ready == [Self.id(1)] && arrived.credit == 1 && arrived.runs.isEmpty)
        guard case .ready = runs.loaded(Self.id(1), at: .ready, Self.job(1)) else { return #expect(Bool(false)) }
        let begun = runs.begin(on: .reactor, now: Self.now.wall)
        #expect(begun.map(\.id) == [Self.id(1)])
        // The distributor had taken it back meanwhile.
        runs.permits.forget([Self.id(1)])
        let running = comesAgain()
        #expect(running.ready == [] && runs.permits.isGiven(Self.id(1)))
        let ended = runs.ended(
            [LuaLane.Outcome(begun[0], RunOutcome(.succeeded, args: [:]))], on: .reactor, now: Self.now)
        _ = runs.finish(ended.endings[0], madeAt: Self.now)
        #expect(runs.permits.isEmpty && runs.permits.messages.isEmpty)
        // What has ended needs none.
        let late = comesAgain()
        #expect(late.ready == [] && runs.permits.messages.map(\.message) == [.release(Self.id(1))])
    }

    @Test("a discarded job ends as cancelled, with the reason")
    func discards() {
        var runs = Self.runs()
        _ = Self.save([Self.job(1)], in: &runs)
        expect(runs.discarded(Self.id(1), "the limit 'crm' is full", by: Self.giver))
        guard case .end(let ending) = runs.loaded(Self.id(1), at: .ending, Self.job(1)) else {
            return #expect(Bool(false))
        }
        #expect(ending.job.status == .cancelled && ending.job.lastError == "the limit 'crm' is full")
        _ = runs.finish(ending, madeAt: Self.now)
        #expect(runs.count == 0 && runs.permits.isEmpty)
    }

    @Test("one that is cancelled while it waits for its place ends, whatever is answered later")
    func cancelled() {
        var runs = Self.runs()
        _ = Self.save([Self.job(1)], in: &runs)
        guard case .load = runs.cancel(Self.id(1)) else { return #expect(Bool(false)) }
        expect(!runs.permitted(Self.id(1), by: Self.giver))
        guard case .end(let ending) = runs.loaded(Self.id(1), at: .ending, Self.job(1)) else {
            return #expect(Bool(false))
        }
        _ = runs.finish(ending, madeAt: Self.now)
        #expect(runs.permits.isEmpty && runs.count == 0)
    }

    @Test("a distributor that knows of no limits is not asked, and what waited for it runs")
    func silent() {
        var runs = Self.runs()
        _ = Self.save([Self.job(1)], in: &runs)
        expect(runs.askNoMore(Self.giver) == [Self.id(1)])
        guard case .ready = runs.loaded(Self.id(1), at: .ready, Self.job(1)) else { return #expect(Bool(false)) }
        expect(Self.save([Self.job(2)], in: &runs).credit == 0)
        expect(runs.begin(on: .reactor, now: Self.now.wall).map(\.id) == [Self.id(1), Self.id(2)])
        runs.askAgain(Self.giver)
        _ = Self.save([Self.job(3)], in: &runs)
        #expect(runs[Self.id(3)]?.stage == .asking)
    }

    @Test("what is held back has no place, and asks for one when it is released")
    func held() {
        var runs = Self.runs()
        _ = Self.save([Self.job(1)], in: &runs)
        expect(runs.permitted(Self.id(1), by: Self.giver))
        _ = runs.loaded(Self.id(1), at: .ready, Self.job(1))
        _ = runs.permits.takeMessages()
        _ = runs.hold(isNode: false, jobs: ["limited"], by: "d")
        #expect(runs.permits.messages.map(\.message) == [.release(Self.id(1))] && runs.permits.isEmpty)
        // Neither do those that come meanwhile, also with a place.
        expect(Self.save([Self.job(2), Self.job(3)], in: &runs, permitted: [Self.id(2)]).runs.isEmpty)
        #expect(runs.permits.takeMessages().map(\.message) == [1, 2].map { .release(Self.id($0)) })
        expect(runs.begin(on: .reactor, now: Self.now.wall).isEmpty)
        _ = runs.hold(isNode: false, jobs: [], by: "d")
        #expect(
            runs.permits.messages.map(\.message)
                == [1, 2, 3].map { .permit(Self.id($0), priority: 7, Self.places) })
        expect(runs.begin(on: .reactor, now: Self.now.wall).isEmpty && runs.turns.isEmpty)
        expect(runs.permitted(Self.id(2), by: Self.giver))
        _ = runs.loaded(Self.id(2), at: .ready, Self.job(2))
        expect(runs.begin(on: .reactor, now: Self.now.wall).map(\.id) == [Self.id(2)])
    }

    @Test("newer args need new places")
    func replaced() {
        var runs = Self.runs()
        _ = Self.save([Self.job(1)], in: &runs)
        _ = runs.permits.takeMessages()
        expect(runs.replace(Self.id(1), [:], onConflict: .replace, giver: Self.giver, after: 0) == .change)
        #expect(runs.permits.messages.map(\.message) == [.release(Self.id(1))])
        let newer = JobRequest(name: "limited", args: ["account": 6])
        let changed = Self.job(1).replaced(by: newer, now: Self.now.wall)
        expect(runs.changed(changed, at: Self.now, now: Self.now) == nil)
        #expect(runs[Self.id(1)]?.stage == .asking)
        let other = [LimitNeed(limit: "crm"), LimitNeed(limit: "limited", key: "6")]
        #expect(runs.permits.messages.last?.message == .permit(Self.id(1), priority: 7, other))
    }
}

private func expect(_ isSo: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(isSo, sourceLocation: sourceLocation)
}
