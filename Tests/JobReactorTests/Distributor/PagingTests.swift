import JobReactorCore
import JobReactorWire
import Testing

@testable import JobReactor

/// The ledger of a distributor with a storage when more jobs wait than it keeps in memory.
@Suite("Jobs that wait in the storage alone") struct PagingTests {
    private static let now = Timestamp(microseconds: 1_000_000_000)

    private static func id(_ number: Int) -> JobID { JobID(high: 0, low: UInt64(number)) }

    private static func job(_ number: Int) -> Job {
        Job(id: id(number), name: "work", args: JobArguments(), createdAt: now)
    }

    /// A ledger that keeps four jobs in memory.
    private struct Bench {
        var ledger = DistributorLedger(
            isDurable: true, alwaysUseSpecifiedNode: false, takeoverTime: 30, memory: 5200,
            clock: { Moment(wall: now, steady: now) })

        /// Sends, loads and stored ends; all else is left out.
        mutating func did() -> [String] {
            var texts: [String] = []
            while let action = ledger.takeAction() {
                switch action {
                case .send(let entry, let node, _, _): texts.append("send \(entry.job?.id.low ?? 0) to \(node.index)")
                case .load(let number, let ids, let seconds):
                    let list = ids.map { "\($0.low)" }.joined(separator: ",")
                    texts.append("load \(list) as \(number)" + (seconds > 0 ? " later" : ""))
                case .store(.remove(let id, _)): texts.append("unstore \(id.low)")
                case .deliver(let report, _, _): texts.append("tell \(report.id.low) \(report.status)")
                case .log(.recordsGone(let count)): texts.append("\(count) gone")
                case .log(.unreadable(let count, _)): texts.append("\(count) unreadable")
                default: break
                }
            }
            return texts
        }

        mutating func submit(_ numbers: ClosedRange<Int>) {
            for number in numbers {
                _ = ledger.submit(job(number), .none)
                ledger.saved(id(number))
            }
        }

        mutating func node(_ name: String = "a", credit: Int) -> Dispatcher.NodeHandle {
            let node = ledger.connect(name, name, isDurable: false, place: nil)
            ledger.defines(node, ["work"])
            ledger.granted(node, credit: credit)
            return node
        }

        mutating func loaded(_ batch: Int, _ numbers: Int...) {
            ledger.loaded(batch, numbers.map { (id($0), .success(job($0))) })
        }

        mutating func report(_ number: Int, from node: Dispatcher.NodeHandle) -> Bool {
            ledger.settle(
                JobReport(
                    id: id(number), name: "work", feedback: Feedback(.success, args: JobArguments()),
                    status: .complete, run: 1), from: node) != nil
        }
    }

    @Test("they are in no other list, take little, and their turn comes behind those before them")
    func order() {
        var bench = Bench()
        bench.submit(1...10)
        #expect(bench.ledger.entries.count == 4 && bench.ledger.paged.count == 6 && bench.ledger.count == 10)
        #expect(bench.ledger.dispatcher.waitingCount == 10)
        #expect(bench.ledger.entries.memory.total == 4 * 306 + 6 * PagedJobs.bytes)
        let node = bench.node(credit: 6)
        expect(bench.did() == ["send 1 to 0", "send 2 to 0", "send 3 to 0", "send 4 to 0", "load 5,6 as 1"])
        bench.loaded(1, 5, 6)
        expect(bench.did() == ["send 5 to 0", "send 6 to 0"])
        bench.ledger.granted(node, credit: 100)
        expect(bench.did() == ["load 7,8,9,10 as 2"])
        // Nobody waits any more, and there is credit.
        bench.submit(11...11)
        expect(bench.did() == ["send 11 to 0"])
        bench.loaded(2, 7, 8, 9, 10)
        expect(bench.did() == ["send 7 to 0", "send 8 to 0", "send 9 to 0", "send 10 to 0"])
        #expect(bench.ledger.paged.isEmpty)
        for number in 1...11 { expect(bench.report(number, from: node)) }
        #expect(bench.ledger.count == 0 && bench.ledger.entries.memory.total == 0)
        #expect(bench.ledger.dispatcher.state(of: node).credit == 95)
    }

    @Test("only so many are read at once for a node")
    func batches() {
        var bench = Bench()
        bench.submit(1...400)
        _ = bench.node(credit: 1000)
        let loads = bench.did().filter { $0.hasPrefix("load") }
        #expect(loads.count == 1 && loads[0].split(separator: ",").count == PagedJobs.most)
        bench.ledger.loaded(1, (5..<5 + PagedJobs.most).map { (Self.id($0), .success(Self.job($0))) })
        expect(bench.did().filter { $0.hasPrefix("load") }.count == 1)
    }

    @Test("the same id is the same job, whether it waits there or is on its way from there")
    func known() {
        var bench = Bench()
        bench.submit(1...6)
        for _ in 0..<2 {
            guard case .known = bench.ledger.submit(Self.job(6), .none) else {
                Issue.record("it is taken for another")
                return
            }
            #expect(bench.ledger.isKnown(Self.id(6)))
            _ = bench.node(credit: 100)
        }
    }

    @Test("those that wait for a limit do so in the storage alone, too") func limited() {
        var bench = Bench()
        let node = bench.ledger.connect("a", "a", isDurable: false, place: nil)
        let definitions = NodeDefinitions(
            jobs: ["work": .init(limits: ["crm"])], limits: [Limit(name: "crm", concurrency: 1)])
        bench.ledger.defines(node, ["work"], definitions)
        bench.ledger.granted(node, credit: 100)
        bench.submit(1...10)
        expect(bench.did() == ["send 1 to 0"])
        #expect(bench.ledger.entries.count == 4 && bench.ledger.paged.count == 6)
        for number in 1...3 {
            expect(bench.report(number, from: node))
            bench.ledger.lookAtLimits()
            expect(bench.did() == ["unstore \(number)", "send \(number + 1) to 0"])
        }
        expect(bench.report(4, from: node))
        bench.ledger.lookAtLimits()
        expect(bench.did() == ["unstore 4", "load 5 as 1"])
        bench.loaded(1, 5)
        expect(bench.did() == ["send 5 to 0"])
        // One that is cancelled waits for nothing any more.
        expect(bench.ledger.cancelPaged(Self.id(6), Self.job(6)) == true)
        expect(bench.did() == ["unstore 6", "tell 6 cancelled"])
        expect(bench.report(5, from: node))
        bench.ledger.lookAtLimits()
        expect(bench.did() == ["unstore 5", "load 7 as 2"])
        // The place of one whose record is gone is free.
        bench.ledger.loaded(2, [(Self.id(7), .success(nil))])
        bench.ledger.lookAtLimits()
        expect(bench.did() == ["1 gone", "load 8 as 3"])
        #expect(bench.ledger.dispatcher.waitingCount == 0)
    }

    @Test(
        "a durable node that had one from an earlier process, and asks for a place, owns it",
        arguments: [false, true])
    func permitted(isDurable: Bool) {
        var bench = Bench()
        for number in 1...10 { bench.ledger.takeUp(Self.job(number), KeptFor(producer: ""), for: .none) }
        #expect(bench.ledger.paged.contains(Self.id(10)))
        let node = bench.ledger.connect("a", "a", isDurable: isDurable, place: nil)
        bench.ledger.permit(Self.id(10), priority: 5, [LimitNeed(limit: "crm")], at: node)
        // A volatile one keeps its copy to itself: the job goes to a node in its turn.
        #expect(bench.ledger.paged.contains(Self.id(10)) == !isDurable)
        #expect(bench.ledger.owned.node(of: Self.id(10)) == (isDurable ? "a" : nil))
        expect(bench.did() == (isDurable ? ["unstore 10"] : []))
        #expect(bench.ledger.dispatcher.waitingCount == (isDurable ? 9 : 10))
    }

    @Test("one that is cancelled ends when its record is read, wherever it is", arguments: [false, true])
    func cancelled(isLoading: Bool) {
        var bench = Bench()
        bench.submit(1...6)
        var node: Dispatcher.NodeHandle?
        if isLoading {
            node = bench.node(credit: 100)
            expect(bench.did().last == "load 5,6 as 1")
        }
        expect(bench.ledger.cancel(Self.id(6)) == nil)
        expect(bench.ledger.cancelPaged(Self.id(6), Self.job(6)) == true)
        expect(bench.did() == ["unstore 6", "tell 6 cancelled"])
        expect(bench.ledger.cancelPaged(Self.id(6), nil) == nil)
        if isLoading {
            bench.loaded(1, 5, 6)
            expect(bench.did() == ["send 5 to 0"])
        }
        #expect(bench.ledger.count == 5 && !bench.ledger.isKnown(Self.id(6)))
        if let node { #expect(bench.ledger.dispatcher.state(of: node).credit == 95) }
        expect(bench.ledger.cancelling.isEmpty)
    }

    @Test("one that went to a node while its record was read is to be cancelled there") func cancelledLate() {
        var bench = Bench()
        bench.submit(1...5)
        _ = bench.node(credit: 100)
        bench.loaded(1, 5)
        expect(bench.did().last == "send 5 to 0")
        expect(bench.ledger.cancelPaged(Self.id(5), Self.job(5)) == nil)
        expect(bench.ledger.cancel(Self.id(5)) == true)
    }

    @Test("one whose record is gone is not cancelled, and is known no more") func cancelledGone() {
        var bench = Bench()
        bench.submit(1...6)
        expect(bench.ledger.cancelPaged(Self.id(6), nil) == false)
        expect(bench.did() == ["1 gone"])
        #expect(!bench.ledger.isKnown(Self.id(6)))
        #expect(bench.ledger.dispatcher.waitingCount == 5)
    }

    @Test("a record that cannot be read is tried again, and keeps back no other")
    func unreadable() {
        var bench = Bench()
        bench.submit(1...7)
        let node = bench.node(credit: 6)
        expect(bench.did().last == "load 5,6 as 1")
        let error = StorageError("damaged", code: .unusable)
        bench.ledger.loaded(1, [(Self.id(5), .failure(error)), (Self.id(6), .success(Self.job(6)))])
        expect(bench.did() == ["send 6 to 0", "1 unreadable", "load 5 as 2 later"])
        bench.ledger.granted(node, credit: 1)
        expect(bench.did() == ["load 7 as 3"])
        // Said once.
        bench.ledger.loaded(2, [(Self.id(5), .failure(error))])
        expect(bench.did() == ["load 5 as 4 later"])
        bench.loaded(4, 5)
        expect(bench.did() == ["send 5 to 0"])
    }

    @Test("one whose record is gone gives its credit back, and all that was there goes with an emptied storage")
    func gone() {
        var bench = Bench()
        bench.submit(1...8)
        let node = bench.node(credit: 6)
        _ = bench.did()
        bench.ledger.loaded(1, [(Self.id(5), .success(nil)), (Self.id(6), .success(Self.job(6)))])
        expect(bench.did() == ["send 6 to 0", "1 gone", "load 7 as 2"])
        let records = bench.ledger.emptied()
        #expect(Set(records.map(\.id.low)) == [1, 2, 3, 4, 6])
        expect(bench.did() == ["1 gone"])
        bench.ledger.loaded(2, [(Self.id(7), .success(nil))])
        expect(bench.did() == ["1 gone"])
        #expect(bench.ledger.count == 5 && bench.ledger.dispatcher.waitingCount == 0)
        #expect(bench.ledger.dispatcher.state(of: node).credit == 1)
    }

    @Test("what was read for a node that is gone goes to another")
    func nodeLost() {
        var bench = Bench()
        bench.submit(1...6)
        let node = bench.node(credit: 6)
        expect(bench.did().last == "load 5,6 as 1")
        bench.ledger.disconnect(node, reason: nil, isStopping: false)
        _ = bench.node("b", credit: 3)
        _ = bench.did()
        bench.loaded(1, 5, 6)
        expect(bench.did() == [])
        #expect(bench.ledger.count == 6 && bench.ledger.dispatcher.waitingCount == 3)
    }

    @Test("what an earlier process left waits there as well; a node that had it may be first with its end")
    func takenUp() {
        var bench = Bench()
        for number in 1...6 { bench.ledger.takeUp(Self.job(number), KeptFor(producer: ""), for: .none) }
        bench.ledger.tookUp()
        #expect(bench.ledger.entries.count == 4 && bench.ledger.paged.count == 2)
        let node = bench.node(credit: 0)
        expect(bench.report(6, from: node))
        expect(!bench.report(6, from: node))
        bench.ledger.granted(node, credit: 5)
        expect(bench.did().contains("unstore 6") && bench.ledger.dispatcher.waitingCount == 0)
        expect(bench.report(5, from: node))
        bench.loaded(1, 5)
        #expect(bench.ledger.count == 4 && bench.ledger.dispatcher.state(of: node).credit == 1)
    }

    /// All pieces of two places. `then` is called before each, with its number.
    private func goThrough(_ bench: inout Bench, _ then: (Int, inout Bench) -> Void) -> [UInt64] {
        let scan = bench.ledger.beginScan()
        var met: [UInt64] = []
        var piece = 0
        while !scan.isOver, piece < 100 {
            then(piece, &bench)
            scan.next(2, of: bench.ledger) { met.append($0.job.id.low) }
            piece += 1
        }
        bench.ledger.endScan(scan)
        #expect(scan.isOver && bench.ledger.scans.isEmpty)
        return met
    }

    @Test(
        "who goes through all jobs meets each, also one that is read for a node meanwhile, or goes to the storage",
        arguments: -1..<8)
    func goneThrough(begins: Int) {
        for ends in max(0, begins)..<9 {
            var bench = Bench()
            bench.submit(1...10)
            _ = bench.ledger.submit(Self.job(11), .none)
            if begins < 0 { _ = bench.node(credit: 6) }
            let met = goThrough(&bench) { piece, bench in
                if piece == begins { _ = bench.node(credit: 6) }
                guard piece == ends else { return }
                bench.loaded(1, 5, 6)
                bench.ledger.saved(Self.id(11))
                _ = bench.node("b", credit: 2)
            }
            #expect(Set(met) == Set(1...11), "\(begins), \(ends): \(met)")
            // One that is accepted meanwhile may be met again.
            #expect(met.count { $0 != 11 } == 10, "\(begins), \(ends): \(met)")
        }
    }

    @Test("who goes through all jobs meets one that had failed and is run again meanwhile", arguments: 0..<8)
    func runAgainMeanwhile(at runs: Int) {
        var bench = Bench()
        bench.submit(1...4)
        var failed = Self.job(5)
        failed.status = .failed
        _ = bench.ledger.kept.insert(failed)
        let met = goThrough(&bench) { piece, bench in
            if piece == runs { expect(bench.ledger.retry(failed.id)) }
        }
        #expect(met.sorted() == Array(1...5), "\(met)")
    }

    @Test("what somebody waits for, has its time to come, or recurs, stays in memory")
    func others() {
        var bench = Bench()
        bench.submit(1...4)
        let told = Self.job(5)
        _ = bench.ledger.submit(told, .application(JobFeedback(onSuccess: { _ in })))
        bench.ledger.saved(told.id)
        for (number, options) in [(6, JobOptions(after: 60)), (7, JobOptions(period: 60))] {
            _ = bench.ledger.submit(
                Job(id: Self.id(number), name: "work", args: JobArguments(), options: options, createdAt: Self.now),
                .none)
            bench.ledger.saved(Self.id(number))
        }
        #expect(bench.ledger.paged.isEmpty && bench.ledger.entries.count == 7)
    }
}
