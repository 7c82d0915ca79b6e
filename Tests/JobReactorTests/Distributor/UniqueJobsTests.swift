import JobReactorCore
import JobReactorWire
import Testing

@testable import JobReactor

/// The ledger alone: jobs with keys, what becomes of others with the same, and what is stored of it.
@Suite("Unique jobs in a distributor's ledger") struct UniqueJobsTests {
    private static func id(_ number: Int) -> JobID { JobID(high: 0, low: UInt64(number)) }

    /// A ledger whose actions are taken as texts, and its clock.
    private final class Bench {
        let isDurable: Bool
        private let clock = Locked(Timestamp(microseconds: 1_000_000_000))
        private(set) var ledger: DistributorLedger
        /// What a storage would have.
        private(set) var records: [JobID: Job] = [:]

        init(isDurable: Bool = true) {
            self.isDurable = isDurable
            ledger = DistributorLedger(
                isDurable: isDurable, alwaysUseSpecifiedNode: false, takeoverTime: 30,
                clock: { [clock] in
                    let now = clock.withLock { $0 }
                    return Moment(wall: now, steady: now)
                })
        }

        func advance(bySeconds seconds: Double) { clock.withLock { $0 = $0.advanced(bySeconds: seconds) } }

        /// Enqueues a job with the key `k`, and says what that came to.
        func submit(
            _ number: Int, _ conflict: UniqueConflict = .keep, for seconds: Double = 0, after: Double? = nil,
            n: Int? = nil
        ) -> String {
            let options = JobOptions(after: after, unique: JobUnique("k", for: seconds, onConflict: conflict))
            let job = Job(
                id: id(number), name: "work", args: ["n": JSONValue(n ?? number)], options: options,
                createdAt: clock.withLock { $0 })
            switch ledger.submit(job, .none) {
            case .new(let record):
                if let record {
                    records[record.id] = record
                    ledger.saved(record.id)
                }
                return "accepted"
            case .sent: return "sent"
            case .known: return "known"
            case .held(let holder, let isRefused): return "\(isRefused ? "refused" : "held") by \(holder.low)"
            case .isBeingCancelled: return "is being cancelled"
            }
        }

        func node(_ name: String, isDurable: Bool = true) -> Dispatcher.NodeHandle {
            let node = ledger.connect(name, "1", isDurable: isDurable, place: nil)
            ledger.defines(node, ["work"])
            ledger.granted(node, credit: 10)
            return node
        }

        /// The node has stored what it was sent.
        func own(_ node: Dispatcher.NodeHandle) {
            _ = did()
            ledger.saved(1, through: 1, by: node)
        }

        func change<Result>(_ body: (inout DistributorLedger) -> Result) -> Result { body(&ledger) }

        func report(_ number: Int, run: Int32 = 1, _ status: JobStatus = .complete) {
            let feedback = Feedback(.success, args: JobArguments())
            ledger.reported(
                JobReport(id: UniqueJobsTests.id(number), name: "work", feedback: feedback, status: status, run: run))
        }

        /// What is to be done, and the args of the job that is sent.
        func did() -> [String] {
            var texts: [String] = []
            while let action = ledger.takeAction() {
                switch action {
                case .send(let entry, let node, let number, _):
                    let job = entry.job
                    texts.append(
                        "send \(job?.id.low ?? 0) n=\(job?.args["n"]?.int ?? 0) to \(node.index) as \(number)")
                case .replace(let id, let node):
                    let replacement = ledger.replacement(of: id)
                    let n = replacement?.job.args["n"]?.int ?? 0
                    texts.append("replace \(replacement?.number ?? 0) of \(id.low) n=\(n) at \(node.index)")
                case .store(.remove(let id, _)):
                    records[id] = nil
                    texts.append("unstore \(id.low)")
                case .store(.update(let job, _)):
                    if records[job.id] != nil { records[job.id] = job }
                    let again = job.again.map { " again n=\($0["n"]?.int ?? 0)" } ?? ""
                    texts.append("store \(job.id.low) for '\(job.distributor)'\(again)")
                case .deliver(let report, _, _): texts.append("told \(report.id.low) \(report.status)")
                case .expireKeys(let seconds): texts.append("expire after \(seconds)")
                case .cancel(let id, _): texts.append("cancel \(id.low)")
                case .endTick(let id, _): texts.append("tick \(id.low) ended")
                case .log(.released(let id, _, let node)): texts.append("released \(id.low) at \(node)")
                default: break
                }
            }
            return texts
        }

        /// Another process that has the storage of this one.
        func restarted() -> Bench {
            let next = Bench(isDurable: isDurable)
            next.clock.withLock { $0 = clock.withLock { $0 } }
            for (id, record) in records.sorted(by: { $0.key < $1.key }) {
                next.records[id] = record
                next.ledger.takeUp(record, KeptFor(record), for: .none)
            }
            next.ledger.tookUp()
            return next
        }
    }

    @Test("one of a key at a time, until it is finished", arguments: [false, true]) func keep(isDurable: Bool) {
        let bench = Bench(isDurable: isDurable)
        #expect(bench.submit(1) == "accepted")
        #expect(bench.submit(2) == "held by 1")
        #expect(bench.submit(3, .raise) == "refused by 1")
        #expect(bench.submit(1) == "known")
        let node = bench.node("a")
        #expect(bench.did() == ["send 1 n=1 to \(node.index) as 1"])
        #expect(bench.submit(2) == "held by 1")
        // It is the node's, and holds the key as before.
        bench.own(node)
        #expect(bench.submit(2) == "held by 1")
        bench.report(1)
        _ = bench.did()
        #expect(bench.ledger.keys.isEmpty && bench.records.isEmpty)
        #expect(["sent", "accepted"].contains(bench.submit(2)))
    }

    @Test("the args of one that waits are replaced, and its due time") func replaceWaiting() {
        let bench = Bench()
        #expect(bench.submit(1, after: 60) == "accepted")
        #expect(bench.submit(2, .replace, n: 22) == "held by 1")
        #expect(bench.did() == ["store 1 for ''"])
        #expect(bench.records[Self.id(1)]?.args == ["n": 22])
        let node = bench.node("a")
        #expect(bench.did() == ["send 1 n=22 to \(node.index) as 1"])
        #expect(bench.ledger.entries[Self.id(1)]?.due == .now)
    }

    @Test("those of one at a node are replaced there, and kept here until it has said so") func replaceAtNode() {
        let bench = Bench()
        let node = bench.node("a")
        #expect(bench.submit(1) == "accepted")
        bench.own(node)
        #expect(bench.did() == ["store 1 for '=0: a'"])
        #expect(bench.submit(2, .replace) == "held by 1")
        #expect(bench.did() == ["store 1 for '=0: a' again n=2", "replace 1 of 1 n=2 at 0"])
        // A newer one counts, and an answer to the older does not.
        #expect(bench.submit(3, .replace) == "held by 1")
        bench.change { $0.replaced(HandOver(1, Self.id(1)), by: node) }
        #expect(bench.did() == ["store 1 for '=0: a' again n=3", "replace 2 of 1 n=3 at 0"])
        bench.change { $0.replaced(HandOver(2, Self.id(1)), by: node) }
        #expect(bench.did() == ["store 1 for '=0: a'"])
        bench.report(1)
        #expect(bench.did() == ["unstore 1", "told 1 complete"])
    }

    @Test("what a node did not take is dropped, but runs once more where that was asked for") func atEnd() {
        for conflict in [UniqueConflict.replace, .again] {
            let bench = Bench()
            let node = bench.node("a")
            #expect(bench.submit(1) == "accepted")
            bench.own(node)
            #expect(bench.submit(2, conflict) == "held by 1")
            bench.change { $0.kept(HandOver(1, Self.id(1)), by: node) }
            _ = bench.did()
            bench.report(1)
            if conflict == .again {
                #expect(bench.did() == ["store 1 for ''", "send 1 n=2 to 0 as 2", "told 1 complete"])
                #expect(bench.submit(3) == "held by 1")
                bench.report(1)
            }
            #expect(bench.did() == ["unstore 1", "told 1 complete"])
            #expect(bench.ledger.keys.isEmpty)
        }
    }

    @Test("that a node does not take newer args counts only while it has the job") func takenOver() {
        let bench = Bench()
        let node = bench.change { $0.connect("a", "1", isDurable: true, place: "redis") }
        bench.change { $0.defines(node, ["work"]) }
        bench.change { $0.granted(node, credit: 10) }
        #expect(bench.submit(1) == "accepted")
        bench.own(node)
        bench.change { $0.disconnect(node, reason: nil, isStopping: false) }
        let heir = bench.change { $0.connect("b", "2", isDurable: true, place: "redis") }
        bench.change { $0.defines(heir, ["work"]) }
        bench.change { $0.adopted("a", true, by: heir) }
        let late = bench.change { $0.connect("a", "1", isDurable: true, place: "redis") }
        #expect(bench.submit(2, .replace) == "held by 1")
        #expect(bench.did().last == "replace 1 of 1 n=2 at \(heir.index)")
        bench.change { $0.kept(HandOver(1, Self.id(1)), by: late) }
        #expect(bench.ledger.replacement(of: Self.id(1)) != nil)
        bench.change { $0.kept(HandOver(1, Self.id(1)), by: heir) }
        #expect(bench.ledger.replacement(of: Self.id(1)) == nil)
    }

    @Test("what is cancelled does not run once more") func cancelled() {
        let bench = Bench()
        let node = bench.node("a")
        #expect(bench.submit(1) == "accepted")
        bench.own(node)
        #expect(bench.submit(2, .again) == "held by 1")
        _ = bench.did()
        #expect(bench.change { $0.cancel(Self.id(1)) } == true)
        bench.report(1, .cancelled)
        #expect(bench.did() == ["store 1 for '!=0: a' again n=2", "cancel 1", "unstore 1", "told 1 cancelled"])
        #expect(bench.ledger.keys.isEmpty)
    }

    @Test("a node that comes back, or a restart, does not lose what is to replace") func pending() {
        let bench = Bench()
        let node = bench.node("a")
        #expect(bench.submit(1) == "accepted")
        bench.own(node)
        bench.change { $0.disconnect(node, reason: nil, isStopping: false) }
        #expect(bench.submit(2, .again) == "held by 1")
        #expect(bench.did().last == "store 1 for '=0: a' again n=2")
        _ = bench.node("a")
        #expect(bench.did() == ["replace 1 of 1 n=2 at 0"])

        let next = bench.restarted()
        #expect(next.submit(3) == "held by 1")
        _ = next.node("a")
        #expect(next.did() == ["replace 1 of 1 n=2 at 0"])
        next.report(1)
        #expect(next.did() == ["store 1 for ''", "send 1 n=2 to 0 as 1", "told 1 complete"])
    }

    @Test("a volatile node that is lost leaves the job with the newest args") func lost() {
        let bench = Bench(isDurable: false)
        let node = bench.node("a", isDurable: false)
        #expect(bench.submit(1) == "sent")
        #expect(bench.submit(2, .again) == "held by 1")
        #expect(bench.did() == ["replace 1 of 1 n=2 at 0"])
        bench.change { $0.disconnect(node, reason: nil, isStopping: false) }
        _ = bench.node("b", isDurable: false)
        #expect(bench.did() == ["send 1 n=2 to 0 as 1"])
        bench.report(1)
        #expect(bench.did() == ["told 1 complete"])
        #expect(bench.ledger.keys.isEmpty)
    }

    @Test("one that runs once more keeps the newest args here, until that run has ended") func lostInSecondRun() {
        let bench = Bench(isDurable: false)
        let node = bench.node("a", isDurable: false)
        #expect(bench.submit(1) == "sent")
        #expect(bench.submit(2, .again) == "held by 1")
        _ = bench.did()
        bench.change { $0.replaced(HandOver(1, Self.id(1)), by: node) }
        bench.report(1, .queued)
        _ = bench.did()
        bench.change { $0.disconnect(node, reason: nil, isStopping: false) }
        _ = bench.node("b", isDurable: false)
        #expect(bench.did() == ["send 1 n=2 to 0 as 1"])
    }

    @Test("a key is held for as long as its job says, over restarts") func heldFor() {
        let bench = Bench()
        _ = bench.node("a")
        #expect(bench.submit(1, for: 60) == "accepted")
        _ = bench.did()
        bench.advance(bySeconds: 10)
        bench.report(1)
        #expect(bench.did() == ["store 1 for '?'", "expire after 50.0", "told 1 complete"])
        #expect(bench.submit(2) == "held by 1")
        #expect(bench.submit(1) == "held by 1")

        bench.advance(bySeconds: 20)
        let next = bench.restarted()
        #expect(next.did() == ["expire after 30.0"])
        #expect(next.ledger.count == 0)
        #expect(next.submit(2, .raise) == "refused by 1")
        // One more run is not lost: it waits for the time.
        #expect(next.submit(3, .again) == "accepted")
        #expect(next.did() == ["unstore 1"])
        #expect(next.ledger.entries[Self.id(3)]?.job?.makeAfter == 30)

        bench.advance(bySeconds: 31)
        bench.change { $0.expireKeys() }
        #expect(bench.did() == ["unstore 1"])
        #expect(bench.ledger.keys.isEmpty)

        // A restart after the time forgets it.
        let late = Bench()
        var record = Job(
            id: Self.id(9), name: "work", args: [:], options: JobOptions(unique: JobUnique("k", for: 1)),
            createdAt: Timestamp(microseconds: 0))
        record.distributor = KeptFor.holding.text
        late.change { $0.takeUp(record, KeptFor(record), for: .none) }
        #expect(late.did() == ["unstore 9"])
        #expect(late.ledger.keys.isEmpty)
    }

    @Test("the id of one that holds its key may be used again, for a job with none") func usedAgain() {
        let bench = Bench()
        #expect(bench.submit(1, for: 60) == "accepted")
        _ = bench.node("a")
        bench.report(1)
        _ = bench.did()
        let plain = Job(id: Self.id(1), name: "other", args: [:], createdAt: Timestamp(microseconds: 0))
        guard case .new(.some) = bench.change({ $0.submit(plain, .none) }) else {
            Issue.record("a job whose id is used again is new")
            return
        }
        #expect(bench.did() == ["unstore 1"])
        #expect(bench.submit(2) == "accepted")
    }

    @Test("one that has failed here holds its key again when it is retried, if no other has it") func retried() {
        let bench = Bench()
        var failed = Job(
            id: Self.id(1), name: "work", args: [:], options: JobOptions(unique: JobUnique("k")),
            createdAt: Timestamp(microseconds: 0))
        failed.status = .failed
        bench.change { $0.keep(failed) }
        #expect(bench.submit(2) == "accepted")
        #expect(bench.change { $0.retry(Self.id(1)) } == false)
        #expect(bench.change { $0.cancel(Self.id(2)) } == true)
        #expect(bench.change { $0.retry(Self.id(1)) } == true)
        #expect(bench.submit(3) == "held by 1")
    }

    /// A job with the key `k` that a durable node owns which is away.
    private static func away(for seconds: Double = 0) -> Bench {
        let bench = Bench()
        let node = bench.node("a")
        #expect(bench.submit(1, for: seconds) == "accepted")
        bench.own(node)
        bench.change { $0.disconnect(node, reason: nil, isStopping: false) }
        #expect(bench.submit(2) == "held by 1")
        _ = bench.did()
        return bench
    }

    @Test("one that is cancelled while its node is away gives its key up, and is cancelled there later")
    func cancelledAway() {
        let bench = Self.away()
        var reasons = Dispatcher.WaitReasons()
        func reason() -> WaitReason? {
            bench.ledger.listed(Self.id(1)).flatMap { bench.ledger.reason($0, &reasons) }
        }
        #expect(reason() == .away(node: "a"))
        #expect(bench.change { $0.cancel(Self.id(1)) } == true)
        #expect(bench.did() == ["store 1 for '!=0: a'", "released 1 at a"])
        #expect(reason() == .cancelledAway(node: "a"))
        // It is still to be told there, also by the next process.
        let next = bench.restarted()
        #expect(next.ledger.keys.isEmpty)
        #expect(next.submit(2) == "accepted")
        _ = next.node("a")
        #expect(next.did().contains("cancel 1"))

        #expect(bench.submit(3) == "accepted")
        _ = bench.node("a")
        #expect(bench.did().contains("cancel 1"))
        bench.report(1, .cancelled)
        #expect(bench.did() == ["unstore 1", "told 1 cancelled"])
        #expect(bench.submit(4) == "held by 3")
    }

    @Test("it holds its key for as long as it says, whether its node comes back or not") func cancelledAwayHolding() {
        let bench = Self.away(for: 60)
        #expect(bench.change { $0.cancel(Self.id(1)) } == true)
        #expect(bench.submit(2) == "held by 1")
        _ = bench.did()
        let next = bench.restarted()
        for bench in [bench, next] {
            #expect(bench.submit(2) == "held by 1")
            bench.advance(bySeconds: 61)
            bench.change { $0.expireKeys() }
            // Its record stays, as the node is to be told.
            #expect(!bench.did().contains("unstore 1"))
            #expect(bench.submit(3) == "accepted")
        }
    }

    @Test("its schedule does not wait for the node either") func cancelledTick() {
        let bench = Bench()
        let node = bench.node("a")
        var options = JobOptions()
        options.tick = JobTick(schedule: "beat", at: Timestamp(microseconds: 0))
        let job = Job(
            id: Self.id(1), name: "work", args: [:], options: options, createdAt: Timestamp(microseconds: 1))
        _ = bench.change { $0.submit(job, .none) }
        bench.change { $0.saved(Self.id(1)) }
        bench.own(node)
        bench.change { $0.disconnect(node, reason: nil, isStopping: false) }
        #expect(bench.change { $0.awayTick(of: "beat")?.node } == "a")
        _ = bench.did()
        #expect(bench.change { $0.cancel(Self.id(1)) } == true)
        #expect(bench.did().suffix(2) == ["released 1 at a", "tick 1 ended"])
        #expect(bench.ledger.ticks.isEmpty)
        #expect(bench.change { $0.awayTick(of: "beat") } == nil)
    }

    @Test("keys that are free are told where others share the place") func shared() {
        let bench = Bench()
        bench.change { $0.keys.isShared = true }
        #expect(bench.submit(1) == "accepted")
        #expect(bench.change { $0.keys.takeFreed().count } == 0)
        #expect(bench.change { $0.cancel(Self.id(1)) } == true)
        let freed = bench.change { $0.keys.takeFreed() }
        #expect(freed.map(\.job) == [Self.id(1)] && freed.map(\.key.key) == ["k"])
        // One that another distributor has is not accepted here.
        let job = Job(
            id: Self.id(2), name: "work", args: [:], options: JobOptions(unique: JobUnique("k")),
            createdAt: Timestamp(microseconds: 0))
        _ = bench.change { $0.submit(job, .none) }
        bench.change { $0.isHeldElsewhere(Self.id(2)) }
        #expect(bench.ledger.entries.isEmpty && bench.ledger.keys.isEmpty)
    }
}
