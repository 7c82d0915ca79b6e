import JobReactorCore
import JobReactorWire
import Testing

@testable import JobReactor

/// The ledger alone: what happens, and what it says is to be done.
@Suite("A distributor's ledger") struct DistributorLedgerTests {
    private static let now = Timestamp(microseconds: 1_000_000_000)

    private static func id(_ number: Int) -> JobID { JobID(high: 0, low: UInt64(number)) }

    /// A ledger whose actions are taken as texts.
    private struct Bench {
        var ledger: DistributorLedger
        private var kept: [Takeovers.Timer] = []
        /// At once, when they came.
        private var sent: [String] = []

        init(isDurable: Bool = false) {
            ledger = DistributorLedger(
                isDurable: isDurable, alwaysUseSpecifiedNode: false, takeoverTime: 30,
                clock: { Moment(wall: now, steady: now) })
        }

        mutating func did() -> [String] {
            var texts = sent
            sent = []
            while let action = ledger.takeAction() {
                switch action {
                case .send(let entry, let node, let number, let isAgain):
                    let id = entry.job?.id.low ?? 0
                    texts.append("\(isAgain ? "again" : "send") \(id) to \(node.index) as \(number)")
                case .cancel(let id, let node): texts.append("cancel \(id.low) at \(node.index)")
                case .rest(let node): texts.append("rest \(node.index)")
                case .permit(let id, let node): texts.append("permit \(id.low) at \(node.index)")
                case .discard(let id, let limit, _): texts.append("discard \(id.low) as \(limit) is full")
                case .lookAtLimits(let seconds): texts.append("look at limits after \(seconds)")
                case .keepStarts: texts.append("keep starts")
                case .sendWaiting(let node): texts.append("send what waits to \(node.index)")
                case .log(.discarded(let id, _, let limit)): texts.append("\(id.low) discarded by \(limit)")
                case .endTick(let id, let tick): texts.append("tick \(id.low) of \(tick.schedule) ended")
                case .log(.keeps(let node, let jobs)): texts.append("\(node) keeps \(jobs)")
                case .log(.released(let id, _, let node)): texts.append("\(id.low) released at \(node)")
                case .replace(let id, let node): texts.append("replace \(id.low) at \(node.index)")
                case .expireKeys(let seconds): texts.append("expire after \(seconds)")
                case .adopt(let name, let node): texts.append("adopt \(name ?? "any") by \(node.index)")
                case .store(.remove(let id, _)): texts.append("unstore \(id.low)")
                case .store(.update(let job, _)): texts.append("store \(job.id.low) for '\(job.distributor)'")
                case .store(.taken): texts.append("taken")
                case .deliver(let report, let name, let sink):
                    texts.append(
                        "tell \(sink.isNobody ? "nobody" : "somebody") \(name) \(report.id.low) \(report.status)")
                case .load(let number, let ids, let seconds):
                    let text = "load \(ids.map { "\($0.low)" }.joined(separator: ",")) as \(number)"
                    texts.append(seconds == 0 ? text : "\(text) after \(seconds)")
                case .wake(let timer, _): kept.append(timer)
                case .log(.disconnected(_, _, let count)): texts.append("lost, \(count) given back")
                case .log(.notBack(let node, let jobs)): texts.append("\(node) not back, \(jobs)")
                case .log(.takenOver(let node, let heir)): texts.append("\(heir) takes over from \(node)")
                case .log(.refused(let id, _, _)): texts.append("refused \(id.low)")
                case .log(.endedWithNode(let job, let isLast)):
                    texts.append("\(job.id.low) ended it\(isLast ? ", last" : "")")
                case .log(.failuresGo): texts.append("failures go")
                case .log(.recordsGone(let count)): texts.append("\(count) gone")
                case .log(.unreadable(let count, _)): texts.append("\(count) unreadable")
                case .log(.foreignReport(let id, _, let node)): texts.append("\(node) may not report \(id.low)")
                }
            }
            return texts
        }

        /// All times have come.
        mutating func wake() -> [String] {
            let timers = kept
            kept = []
            for timer in timers { ledger.wake(timer, isStopping: false) }
            return did()
        }

        mutating func submit(_ number: Int, isTold: Bool = true) {
            let job = Job(id: id(number), name: "work", args: JobArguments(), createdAt: now)
            let sink: Sink = isTold ? .application(JobFeedback(onSuccess: { _ in })) : .none
            if case .sent(_, let node, let handOver) = ledger.submit(job, sink) {
                sent.append("send \(number) to \(node.index) as \(handOver)")
            }
        }

        mutating func node(
            _ name: String, isDurable: Bool = false, place: String? = nil, credit: Int = 10
        ) -> Dispatcher.NodeHandle {
            let node = ledger.connect(name, "1", isDurable: isDurable, place: place)
            ledger.defines(node, ["work"])
            ledger.granted(node, credit: credit)
            return node
        }

        mutating func report(_ number: Int, run: Int32 = 1, status: JobStatus = .complete) {
            let feedback = Feedback(.success, args: JobArguments())
            ledger.reported(
                JobReport(id: id(number), name: "work", feedback: feedback, status: status, run: run))
        }

        /// As a node tells it. Returns whether somebody who waits for a job is told.
        mutating func tells(_ number: Int, run: Int32 = 1, by node: Dispatcher.NodeHandle) -> Bool {
            let report = JobReport(
                id: id(number), name: "work", feedback: Feedback(.success, args: JobArguments()), status: .complete,
                run: run)
            return ledger.settle(report, from: node)?.sink.isNobody == false
        }

        var isEmpty: Bool { ledger.entries.isEmpty }
    }

    @Test("a job waits for a node, goes to it, and its outcome to whoever waits") func road() {
        var bench = Bench()
        bench.submit(1)
        expect(bench.did() == [])
        _ = bench.node("a")
        expect(bench.did() == ["send 1 to 0 as 1"])
        bench.report(1)
        expect(bench.did() == ["tell somebody work 1 complete"])
        #expect(bench.isEmpty)
    }

    @Test("a job is sent when it is stored, and its record goes with its end") func stored() {
        var bench = Bench(isDurable: true)
        _ = bench.node("a")
        bench.submit(1)
        expect(bench.did() == [])
        bench.ledger.saved(Self.id(1))
        expect(bench.did() == ["send 1 to 0 as 1"])
        bench.report(1)
        expect(bench.did() == ["unstore 1", "tell somebody work 1 complete"])
    }

    @Test("the outcome of a job that still waits here takes it from the queue, and costs its node no credit")
    func endedWhileWaiting() {
        var bench = Bench(isDurable: true)
        let job = Job(id: Self.id(1), name: "work", args: JobArguments(), createdAt: Self.now)
        bench.ledger.takeUp(job, KeptFor(producer: ""), for: .none)
        bench.report(1)
        let node = bench.node("a", credit: 1)
        expect(bench.did() == ["unstore 1", "tell nobody work 1 complete"])
        #expect(bench.ledger.dispatcher.state(of: node).load == 0)
        #expect(bench.ledger.dispatcher.waitingCount == 0)
    }

    @Test("the outcome of an earlier job of its id, told late, is not that of the new one", arguments: [false, true])
    func usedAgain(isDurable: Bool) {
        var bench = Bench(isDurable: isDurable)
        let node = bench.node("a", isDurable: true, credit: 1)
        bench.submit(1, isTold: false)
        if isDurable { bench.ledger.saved(Self.id(1)) }
        bench.ledger.saved(1, through: 1, by: node)
        // It has ended, and its report is on the way. There is no credit for the next, then there is.
        bench.submit(1)
        expect(!bench.tells(1, by: node))
        if isDurable { bench.ledger.saved(Self.id(1)) }
        bench.ledger.granted(node, credit: 1)
        expect(!bench.tells(1, by: node))
        #expect(!bench.isEmpty)
        bench.ledger.saved(2, through: 2, by: node)
        expect(bench.tells(1, by: node))
        #expect(bench.isEmpty)
        // One that a volatile node has is the only one of its id.
        var volatile = Bench(isDurable: isDurable)
        let other = volatile.node("b")
        volatile.submit(2)
        if isDurable { volatile.ledger.saved(Self.id(2)) }
        expect(volatile.tells(2, by: other))
    }

    @Test("a node reports only what it was given: nobody is told of other outcomes", arguments: [false, true])
    func foreign(isDurable: Bool) {
        var bench = Bench()
        let a = bench.node("a", isDurable: isDurable, place: isDurable ? "redis" : nil)
        bench.submit(1)
        if isDurable { bench.ledger.saved(1, through: 1, by: a) }
        let b = bench.node("b", isDurable: isDurable)
        _ = bench.did()
        expect(!bench.tells(1, by: b))
        expect(bench.did() == ["rest 1", "b may not report 1"])
        // Said once for a link.
        expect(!bench.tells(1, by: b))
        expect(bench.did() == ["rest 1"])
        #expect(bench.ledger.counters.refusedReports == 2)
    }

    @Test(
        "reports of jobs that it does not know keep nobody waiting, and nothing but the last of them is remembered",
        arguments: [false, true])
    func unknown(isDurable: Bool) {
        var bench = Bench(isDurable: isDurable)
        let node = bench.node("a", isDurable: isDurable)
        var told = 0
        for number in 1...40_000 {
            for (run, status) in [(1, .queued), (2, .complete)] as [(Int32, JobStatus)] {
                let report = JobReport(
                    id: Self.id(number), name: "work", feedback: Feedback(.success, args: JobArguments()),
                    status: status, run: run)
                if bench.ledger.settle(report, from: node)?.sink.isNobody != true { told += 1 }
            }
        }
        expect(bench.did() == [])
        #expect(told == 0)
        bench.ledger.beginDrain(until: Moment(wall: Self.now, steady: Self.now))
        #expect(bench.isEmpty && bench.ledger.awaitedCount == 0 && bench.ledger.dispatcher.waitingCount == 0)
        #expect(bench.ledger.owned.count == 0 && bench.ledger.cancelling.isEmpty && bench.ledger.paged.isEmpty)
        #expect(bench.ledger.recentReports.count == 16_384)
        #expect(bench.ledger.dispatcher.state(of: node).load == 0 && bench.ledger.entries.memory.total == 0)
    }

    @Test(
        "a node that was lost may report what another was given since, and one that takes over what was the lost one's")
    func reportsOfOthers() {
        var bench = Bench()
        let a = bench.node("a")
        bench.submit(1)
        _ = bench.node("b")
        bench.ledger.disconnect(a, reason: nil, isStopping: false)
        let again = bench.node("a")
        expect(bench.tells(1, by: again))
        #expect(bench.isEmpty)
        var shared = Bench()
        let owner = shared.node("owner", isDurable: true, place: "redis")
        shared.submit(1)
        shared.ledger.saved(1, through: 1, by: owner)
        let stranger = shared.node("stranger", isDurable: true, place: "other")
        let heir = shared.node("heir", isDurable: true, place: "redis")
        shared.ledger.disconnect(owner, reason: nil, isStopping: false)
        expect(!shared.tells(1, by: stranger))
        expect(shared.tells(1, by: heir))
        #expect(shared.isEmpty)
    }

    @Test("nor of a new job that waits here and was given to none", arguments: [false, true])
    func waits(isDurable: Bool) {
        var bench = Bench(isDurable: isDurable)
        let forger = bench.node("forger", credit: 0)
        bench.submit(1)
        if isDurable { bench.ledger.saved(Self.id(1)) }
        expect(!bench.tells(1, by: forger))
        expect(bench.did() == ["rest 0", "forger may not report 1"])
        #expect(bench.ledger.counters.refusedReports == 1 && bench.ledger.counters.succeeded == 0)
        bench.ledger.granted(forger, credit: 1)
        expect(bench.tells(1, by: forger))
    }

    @Test("a job that a node has is cancelled by the next process, too, when this one ends before the node has")
    func cancelledAtNode() {
        var bench = Bench(isDurable: true)
        let node = bench.node("a")
        bench.submit(1, isTold: false)
        bench.ledger.saved(Self.id(1))
        _ = bench.did()
        expect(bench.ledger.cancel(Self.id(1)) == true)
        expect(bench.did() == ["store 1 for '!'", "cancel 1 at 0"])
        // Its mark is stored once.
        expect(bench.ledger.cancel(Self.id(1)) == true)
        expect(bench.did() == ["cancel 1 at 0"])
        var next = Bench(isDurable: true)
        let job = Job(id: Self.id(1), name: "work", args: JobArguments(), createdAt: Self.now)
        next.ledger.takeUp(job, KeptFor(text: "!"), for: .none)
        expect(next.did() == ["unstore 1", "tell nobody work 1 cancelled"])
        #expect(next.isEmpty)
        // One that a durable node has, or may have.
        next.ledger.takeUp(job, KeptFor(text: "! owner"), for: .none)
        next.ledger.tookUp()
        expect(next.did() == [])
        _ = next.node("owner", isDurable: true)
        expect(next.did() == ["cancel 1 at 0"])
        var third = Bench(isDurable: true)
        third.ledger.takeUp(job, KeptFor(text: "!  owner"), for: .none)
        third.ledger.tookUp()
        _ = third.node("owner", isDurable: true)
        expect(third.did() == ["again 1 to 0 as 1", "cancel 1 at 0"])
        _ = node
    }

    @Test("an id is not accepted again while a job that has it is being cancelled, and is afterwards")
    func cancelledAndUsedAgain() {
        var bench = Bench(isDurable: true)
        bench.submit(1, isTold: false)
        expect(bench.ledger.cancel(Self.id(1)) == true)
        let again = Job(id: Self.id(1), name: "work", args: JobArguments(), createdAt: Self.now)
        let isRefused = if case .isBeingCancelled = bench.ledger.submit(again, .none) { true } else { false }
        #expect(isRefused)
        // A producer that brings it once more brings that job.
        let isKnown = if case .known = bench.ledger.submit(again, .none, isAgain: true) { true } else { false }
        #expect(isKnown)
        bench.ledger.saved(Self.id(1))
        expect(bench.did() == ["unstore 1", "tell nobody work 1 cancelled"])
        let isNew = if case .new = bench.ledger.submit(again, .none) { true } else { false }
        #expect(isNew)
    }

    @Test("a run of a periodic job that ends meanwhile does not undo its cancellation") func cancelledPeriod() {
        var bench = Bench(isDurable: true)
        let node = bench.node("a")
        bench.submit(1, isTold: false)
        bench.ledger.saved(Self.id(1))
        expect(bench.ledger.cancel(Self.id(1)) == true)
        bench.report(1, status: .queued)
        bench.ledger.disconnect(node, reason: nil, isStopping: false)
        _ = bench.did()
        #expect(bench.isEmpty)
        bench.ledger.defines(bench.node("b"), ["work"])
        expect(bench.did() == [])
    }

    @Test("nor does it say how far a job of another is") func foreignProgress() {
        var bench = Bench()
        let a = bench.node("a")
        let b = bench.node("b", credit: 0)
        bench.submit(1)
        let progress = Progress(id: Self.id(1), run: 1, fraction: 0.5, text: "half")
        #expect(bench.ledger.progressed(progress, from: b) == nil)
        #expect(bench.ledger.progressed(progress, from: a) != nil)
    }

    @Test("one of whom nobody waits is forgotten when a durable node owns it") func owned() {
        var bench = Bench(isDurable: true)
        let node = bench.node("a", isDurable: true)
        bench.submit(1, isTold: false)
        bench.ledger.saved(Self.id(1))
        _ = bench.did()
        bench.ledger.saved(1, through: 1, by: node)
        expect(bench.did() == ["unstore 1"])
        #expect(bench.isEmpty)
        bench.report(1)
        expect(bench.did() == ["tell nobody work 1 complete"])
        bench.report(1)
        expect(bench.did() == [])
        #expect(bench.ledger.counters.repeatedReports == 1)
    }

    @Test("a late answer to an earlier hand-over is not one to a later") func lateAnswer() {
        var bench = Bench()
        let node = bench.node("a", isDurable: true, credit: 2)
        bench.submit(1)
        expect(bench.did() == ["send 1 to 0 as 1"])
        bench.ledger.returned([HandOver(1, Self.id(1))], by: node)
        expect(bench.did() == ["send 1 to 0 as 2"])
        // The node had said of the first that it is saved, and that it is not.
        bench.ledger.saved(1, through: 1, by: node)
        guard case .node(node, 2)? = bench.ledger.entries[Self.id(1)]?.place else {
            Issue.record("the job is held to be owned by the node")
            return
        }
        bench.ledger.saved(2, through: 2, by: node)
        guard case .owned("a")? = bench.ledger.entries[Self.id(1)]?.place else {
            Issue.record("the job is not owned by the node")
            return
        }
    }

    @Test("what a lost volatile node had goes to another, what a durable one has not answered waits for it")
    func lost() {
        var bench = Bench()
        let volatile = bench.node("a", credit: 1)
        bench.submit(1)
        let durable = bench.node("b", isDurable: true, credit: 1)
        bench.submit(2)
        expect(bench.did() == ["send 1 to 0 as 1", "send 2 to 1 as 1"])
        bench.ledger.disconnect(durable, reason: nil, isStopping: false)
        expect(bench.did() == ["lost, 1 given back"])
        bench.ledger.disconnect(volatile, reason: nil, isStopping: false)
        expect(bench.did() == ["lost, 1 given back"])
        let back = bench.node("b", isDurable: true, credit: 2)
        expect(bench.did().sorted() == ["again 2 to \(back.index) as 1", "send 1 to \(back.index) as 2"])
        expect(bench.wake() == [])
    }

    @Test("of a durable node that does not come back others get the jobs, and both reports count once") func doubt() {
        var bench = Bench()
        let node = bench.node("a", isDurable: true)
        bench.submit(1)
        bench.ledger.disconnect(node, reason: nil, isStopping: false)
        let other = bench.node("b")
        expect(bench.did() == ["send 1 to 0 as 1", "lost, 1 given back"])
        expect(bench.wake() == ["a not back, 1", "send 1 to \(other.index) as 1"])
        bench.report(1)
        expect(bench.did() == ["tell somebody work 1 complete"])
        bench.report(1)
        expect(bench.did() == [])
    }

    @Test("the first node by name of a place takes over from one that does not come back") func takeover() {
        var bench = Bench()
        let node = bench.node("a", isDurable: true, place: "redis")
        bench.submit(1)
        _ = bench.did()
        bench.ledger.disconnect(node, reason: nil, isStopping: false)
        let heir = bench.node("b", isDurable: true, place: "redis")
        _ = bench.did()
        expect(bench.wake().contains("adopt a by \(heir.index)"))
        bench.ledger.adopted("a", false, by: heir)
        _ = bench.did()
        expect(bench.wake().contains("adopt a by \(heir.index)"))
        bench.ledger.adopted("a", true, by: heir)
        expect(bench.did() == ["again 1 to \(heir.index) as 1"])
    }

    @Test("a node that may have jobs when the distributor stops is asked first by the next; then they go to others")
    func doubtAfterStop() {
        var bench = Bench(isDurable: true)
        let first = bench.node("n1", isDurable: true)
        for number in 1...3 {
            bench.submit(number, isTold: false)
            bench.ledger.saved(Self.id(number))
        }
        bench.ledger.saved(3, through: 3, by: first)
        #expect(bench.did() == ["send 1 to 0 as 1", "send 2 to 0 as 2", "send 3 to 0 as 3", "unstore 3"])
        bench.ledger.returned([HandOver(2, Self.id(2))], by: first)
        #expect(bench.did() == ["send 2 to 0 as 4"])
        bench.ledger.disconnect(first, reason: nil, isStopping: true)
        let second = bench.node("n2", isDurable: true)
        bench.submit(4, isTold: false)
        bench.ledger.saved(Self.id(4))
        bench.submit(5, isTold: false)
        expect(bench.did() == ["lost, 2 given back", "send 4 to 0 as 1"])
        #expect(second.index == 0)
        expect(bench.ledger.removeAll().isEmpty)
        expect(bench.did().sorted() == ["store 1 for '=0:  n1'", "store 2 for '=0:  n1'", "store 4 for '=0:  n2'"])

        var next = Bench(isDurable: true)
        for (number, node) in [(1, "n1"), (2, "n1"), (4, "n2")] {
            let job = Job(id: Self.id(number), name: "work", args: JobArguments(), createdAt: Self.now)
            next.ledger.takeUp(job, KeptFor(producer: "", node: node, isInDoubt: true), for: .none)
        }
        next.ledger.tookUp()
        expect(next.did().isEmpty)
        _ = next.node("n2", isDurable: true)
        expect(next.did() == ["again 4 to 0 as 1"])
        // The other does not come back.
        expect(next.wake() == ["n1 not back, 2", "send 1 to 0 as 2", "send 2 to 0 as 3"])
    }

    @Test("a job of an id that a durable node has goes there, or waits for it", arguments: [false, true])
    func sameID(isDurable: Bool) {
        var bench = Bench(isDurable: isDurable)
        let first = bench.node("n1", isDurable: true)
        @discardableResult func submit(_ number: Int) -> [String] {
            bench.submit(number, isTold: false)
            bench.ledger.saved(Self.id(number))
            return bench.did().filter { !$0.hasPrefix("unstore") }
        }
        #expect(submit(1) == ["send 1 to 0 as 1"])
        bench.ledger.saved(1, through: 1, by: first)
        _ = bench.did()
        _ = bench.node("n2", isDurable: true)
        // The other has less to do.
        #expect(submit(2) == ["send 2 to 1 as 1"])
        #expect(submit(1) == ["send 1 to 0 as 2"])
        bench.ledger.saved(2, through: 2, by: first)
        _ = bench.did()
        bench.ledger.disconnect(first, reason: nil, isStopping: false)
        _ = bench.did()
        #expect(submit(1) == [])
        let back = bench.node("n1", isDurable: true)
        expect(bench.did() == ["again 1 to \(back.index) as 1"])
        bench.ledger.saved(1, through: 1, by: back)
        _ = bench.did()
        // When it has ended its id may be used again, anywhere.
        bench.report(1)
        _ = bench.did()
        expect(submit(1).count == 1)
    }

    @Test("cancels a job wherever it is", arguments: ["waiting", "sent", "owned", "in doubt"]) func cancel(
        _ place: String
    ) {
        var bench = Bench()
        let node = place == "waiting" ? nil : bench.node("a", isDurable: true)
        bench.submit(1)
        if let node, place == "owned" { bench.ledger.saved(1, through: 1, by: node) }
        if let node, place == "in doubt" { bench.ledger.disconnect(node, reason: nil, isStopping: false) }
        _ = bench.did()
        expect(bench.ledger.cancel(Self.id(1)) == true)
        switch place {
        case "waiting": expect(bench.did() == ["tell somebody work 1 cancelled"])
        case "in doubt":
            expect(bench.did() == [])
            expect(bench.wake() == ["a not back, 1", "tell somebody work 1 cancelled"])
        default: expect(bench.did() == ["cancel 1 at 0"])
        }
        expect(bench.ledger.cancel(Self.id(2)) == nil)
    }

    @Test("a job that no node can take has failed") func refused() {
        var bench = Bench()
        let node = bench.node("a")
        bench.submit(1)
        _ = bench.did()
        bench.ledger.refused(HandOver(1, Self.id(1)), by: node, because: "too large")
        expect(bench.did() == ["refused 1", "tell somebody work 1 failed"])
        #expect(bench.isEmpty)
    }

    @Test("who only waits for an answer is told when a job cannot be stored, the others wait on") func couldNotSave() {
        var bench = Bench(isDurable: true)
        bench.submit(1)
        expect(bench.ledger.couldNotSave(Self.id(1)) == nil)
        #expect(!bench.isEmpty)
    }
}
