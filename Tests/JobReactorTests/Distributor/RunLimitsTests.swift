import JobReactorCore
import JobReactorWire
import Testing

@testable import JobReactor

/// The ledger alone: which jobs go to nodes that have limits, and when the others follow.
@Suite("Limits in a distributor's ledger") struct RunLimitsTests {
    private static func id(_ number: Int) -> JobID { JobID(high: 0, low: UInt64(number)) }

    private final class Bench {
        private let clock = Locked(Timestamp(microseconds: 1_000_000_000))
        private(set) var ledger: DistributorLedger

        init(isDurable: Bool = false) {
            ledger = DistributorLedger(
                isDurable: isDurable, alwaysUseSpecifiedNode: false, takeoverTime: 30,
                clock: { [clock] in
                    let now = clock.withLock { $0 }
                    return Moment(wall: now, steady: now)
                })
        }

        func advance(bySeconds seconds: Double) { clock.withLock { $0 = $0.advanced(bySeconds: seconds) } }

        func change<Result>(_ body: (inout DistributorLedger) -> Result) -> Result { body(&ledger) }

        func node(
            _ name: String, isDurable: Bool = false, credit: Int = 100, limit: Limit, held: [Int] = []
        ) -> Dispatcher.NodeHandle {
            let node = ledger.connect(name, "1", isDurable: isDurable, place: nil)
            for number in held {
                ledger.holds(RunLimitsTests.id(number), secondsAgo: 0, [LimitNeed(limit: limit.name)], at: node)
            }
            ledger.defines(
                node, ["call", "other"], NodeDefinitions(jobs: ["call": .init(limits: [limit.name])], limits: [limit]))
            ledger.granted(node, credit: credit)
            return node
        }

        func submit(_ number: Int, _ name: String = "call", account: String = "a", after: Double? = nil) {
            let job = Job(
                id: RunLimitsTests.id(number), name: name, args: ["account": .string(account)],
                options: JobOptions(after: after), createdAt: clock.withLock { $0 })
            if case .new(let record?) = ledger.submit(job, .none) { ledger.saved(record.id) }
        }

        func report(_ number: Int, run: Int32 = 1, _ status: JobStatus = .complete) {
            let feedback = Feedback(.success, args: JobArguments())
            ledger.reported(
                JobReport(id: RunLimitsTests.id(number), name: "call", feedback: feedback, status: status, run: run))
        }

        /// What is to be done; places are looked at as soon as they may be, and the times of others are told.
        func did() -> [String] {
            var texts: [String] = []
            while let action = ledger.takeAction() {
                switch action {
                case .send(let entry, let node, _, _):
                    let mark = entry.isPermitted ? " permitted" : ""
                    texts.append("send \(entry.job?.id.low ?? 0) to \(node.index)\(mark)")
                case .permit(let id, let node): texts.append("permit \(id.low) at \(node.index)")
                case .cancel(let id, let node): texts.append("cancel \(id.low) at \(node.index)")
                case .discard(let id, let limit, _): texts.append("discard \(id.low) as \(limit) is full")
                case .lookAtLimits(0): ledger.lookAtLimits()
                case .lookAtLimits(let seconds): texts.append("look after \(seconds)")
                case .deliver(let report, _, _): texts.append("told \(report.id.low) \(report.status)")
                default: break
                }
            }
            return texts
        }
    }

    private static let two = Limit(name: "crm", concurrency: 2)

    @Test("as many run as may, others pass them, and the next follows each end", arguments: [false, true])
    func concurrency(isDurable: Bool) {
        let bench = Bench(isDurable: isDurable)
        _ = bench.node("a", isDurable: isDurable, limit: Self.two)
        for number in 1...4 { bench.submit(number) }
        #expect(bench.did() == ["send 1 to 0 permitted", "send 2 to 0 permitted"])
        bench.submit(9, "other")
        if isDurable { #expect(bench.did() == ["send 9 to 0"]) } else { _ = bench.did() }
        bench.report(1)
        #expect(bench.did().filter { !$0.hasPrefix("told") } == ["send 3 to 0 permitted"])
        bench.report(2)
        bench.report(3)
        #expect(bench.did().filter { !$0.hasPrefix("told") } == ["send 4 to 0 permitted"])
        bench.report(4)
        bench.report(9)
        _ = bench.did()
        #expect(bench.ledger.entries.isEmpty)
        #expect(bench.ledger.limits.rows(at: Timestamp(microseconds: 0)).map(\.inUse) == [0])
        // What waited used no credit.
        #expect(bench.ledger.dispatcher.state(of: bench.ledger.nodes.handles[0]).credit == 100 - 5)
    }

    @Test("of many keys each has its own places") func keys() {
        let bench = Bench()
        _ = bench.node("a", limit: Limit(name: "crm", concurrency: 1, key: "account"))
        bench.submit(1)
        bench.submit(2)
        bench.submit(3, account: "b")
        #expect(bench.did() == ["send 1 to 0 permitted", "send 3 to 0 permitted"])
        let row = bench.ledger.limits.rows(at: Timestamp(microseconds: 1_000_000_000)).first
        #expect(row?.inUse == 2 && row?.waiting == 1 && row?.keys == 2)
    }

    @Test("a rate lets the next follow in time") func rate() {
        let bench = Bench()
        _ = bench.node("a", limit: Limit(name: "crm", rate: 1, per: 10))
        bench.submit(1)
        bench.submit(2)
        #expect(bench.did() == ["send 1 to 0 permitted", "look after 10.0"])
        bench.report(1)
        #expect(bench.did() == ["told 1 complete"])
        bench.advance(bySeconds: 10)
        bench.change { $0.lookAtLimits() }
        #expect(bench.did().first == "send 2 to 0 permitted")
    }

    @Test("what waits for longer than a timer may be set is not forgotten") func longRate() {
        let bench = Bench()
        _ = bench.node("a", limit: Limit(name: "crm", rate: 1, per: 100_000))
        bench.submit(1)
        bench.submit(2)
        #expect(bench.did() == ["send 1 to 0 permitted", "look after 86400.0"])
        bench.report(1)
        #expect(bench.did() == ["told 1 complete"])
        bench.advance(bySeconds: 86_400)
        bench.change { $0.lookAtLimits() }
        #expect(bench.did() == ["look after 13600.0"])
        bench.advance(bySeconds: 13_600)
        bench.change { $0.lookAtLimits() }
        #expect(bench.did().first == "send 2 to 0 permitted")
    }

    @Test("the next process counts what began in the window, by key") func restart() {
        let limit = Limit(name: "crm", rate: 1, per: 10, key: "account")
        let bench = Bench(isDurable: true)
        _ = bench.node("a", isDurable: true, limit: limit)
        bench.submit(1)
        _ = bench.did()
        #expect(bench.ledger.keepsStarts)
        bench.advance(bySeconds: 4)
        let kept = bench.change { $0.takeStarts() }
        #expect(kept.map(\.limit) == ["crm"])

        let next = Bench(isDurable: true)
        next.advance(bySeconds: 4)
        for (limit, json) in kept { next.change { $0.limits.takeUpStarts(of: limit, json) } }
        _ = next.node("a", isDurable: true, limit: limit)
        next.submit(2)
        next.submit(3, account: "b")
        #expect(next.did() == ["send 3 to 0 permitted", "look after 6.0"])
        next.advance(bySeconds: 6)
        next.change { $0.lookAtLimits() }
        #expect(next.did().first == "send 2 to 0 permitted")
    }

    @Test("a full limit that discards cancels what comes") func discard() {
        let bench = Bench()
        let node = bench.node("a", limit: Limit(name: "crm", concurrency: 1, whenFull: .discard))
        bench.submit(1)
        bench.submit(2)
        #expect(bench.did() == ["send 1 to 0 permitted", "told 2 cancelled"])
        bench.change { $0.permit(Self.id(7), priority: 5, [LimitNeed(limit: "crm")], at: node) }
        #expect(bench.did() == ["discard 7 as crm is full"])
    }

    @Test("runs at nodes ask, wait and give back as jobs here do") func permits() {
        let bench = Bench()
        let node = bench.node("a", limit: Limit(name: "crm", concurrency: 1))
        let needs = [LimitNeed(limit: "crm")]
        // One that is not due yet asks at the node.
        bench.submit(1, after: 60)
        #expect(bench.did() == ["send 1 to 0"])
        bench.change { $0.permit(Self.id(1), priority: 5, needs, at: node) }
        bench.change { $0.permit(Self.id(2), priority: 5, needs, at: node) }
        #expect(bench.did() == ["permit 1 at 0"])
        bench.submit(3)
        #expect(bench.did() == [])
        bench.change { $0.released(Self.id(1), by: node) }
        #expect(bench.did() == ["permit 2 at 0"])
        // The node gives up a run that waits no more.
        bench.change { $0.permit(Self.id(1), priority: 5, needs, at: node) }
        bench.change { $0.released(Self.id(1), by: node) }
        bench.change { $0.released(Self.id(2), by: node) }
        #expect(bench.did() == ["send 3 to 0 permitted"])
    }

    @Test("a volatile node that is back and goes on with a job has it again, and its loss gives it to others")
    func orphan() {
        let bench = Bench()
        let limit = Limit(name: "crm", concurrency: 1)
        func lose(_ node: Dispatcher.NodeHandle) {
            bench.change { $0.drains(node) }
            bench.change { $0.disconnect(node, reason: nil, isStopping: false) }
        }
        func ask(_ node: Dispatcher.NodeHandle) {
            bench.change { $0.permit(Self.id(1), priority: 5, [LimitNeed(limit: "crm")], at: node) }
        }
        let node = bench.node("a", limit: limit)
        bench.submit(1)
        #expect(bench.did() == ["send 1 to \(node.index) permitted"])
        let other = bench.node("b", credit: 2, limit: limit)
        bench.submit(2)
        lose(node)
        // The second has the place, and the first waits for it, when the node comes back, where the first is to be retried.
        #expect(bench.did().filter { $0.hasPrefix("send") } == ["send 2 to \(other.index) permitted"])
        let again = bench.change { $0.connect("a", "1", isDurable: false, place: nil) }
        ask(again)
        #expect(bench.did().filter { $0.hasPrefix("send") || $0.hasPrefix("permit") } == [])
        lose(again)
        _ = bench.did()
        bench.report(2)
        #expect(bench.did().filter { $0.hasPrefix("send") } == ["send 1 to \(other.index) permitted"])
        // Back once more, what it goes on with is another's: it takes nobody's place.
        let late = bench.change { $0.connect("a", "1", isDurable: false, place: nil) }
        ask(late)
        #expect(bench.did().filter { !$0.hasPrefix("look") } == ["cancel 1 at \(late.index)"])
        bench.report(1)
        #expect(bench.did().contains("told 1 complete"))
        #expect(bench.ledger.limits.rows(at: Timestamp(microseconds: 0)).map(\.inUse) == [0])
    }

    @Test("a node that asks for a job that is not its own does not keep it from running", arguments: [false, true])
    func foreign(isLost: Bool) {
        let bench = Bench()
        let limit = Limit(name: "crm", concurrency: 1)
        let node = bench.node("a", limit: limit)
        let other = bench.change { $0.connect("b", "1", isDurable: false, place: nil) }
        bench.submit(1)
        bench.submit(2)
        #expect(bench.did() == ["send 1 to \(node.index) permitted"])
        for number in [1, 2] {
            bench.change { $0.permit(Self.id(number), priority: 5, [LimitNeed(limit: "crm")], at: other) }
        }
        // The one is at a node: a copy elsewhere ends.
        #expect(bench.did() == ["cancel 1 at \(other.index)"])
        if isLost { bench.change { $0.disconnect(other, reason: nil, isStopping: false) } }
        bench.report(1)
        #expect(bench.did().filter { $0.hasPrefix("send") } == ["send 2 to \(node.index) permitted"])
        bench.report(2)
        _ = bench.did()
        #expect(bench.ledger.entries.isEmpty)
        #expect(bench.ledger.limits.rows(at: Timestamp(microseconds: 0)).map(\.inUse) == [0])
    }

    @Test("a node gives back no place that is not its own") func strangePlace() {
        let bench = Bench()
        _ = bench.node("a", limit: Limit(name: "crm", concurrency: 1))
        let other = bench.change { $0.connect("b", "1", isDurable: false, place: nil) }
        bench.submit(1)
        bench.submit(2)
        #expect(bench.did() == ["send 1 to 0 permitted"])
        // It had them once, and says so late.
        bench.change { $0.released(Self.id(1), by: other) }
        bench.change { $0.released(Self.id(2), by: other) }
        #expect(bench.did() == [])
        bench.report(1)
        #expect(bench.did().filter { !$0.hasPrefix("told") } == ["send 2 to 0 permitted"])
    }

    @Test("a volatile node that is lost frees its places, with what it had") func lost() {
        let bench = Bench()
        let node = bench.node("a", limit: Self.two)
        for number in 1...3 { bench.submit(number) }
        _ = bench.did()
        // It stops, and what it had did not end it.
        bench.change { $0.drains(node) }
        bench.change { $0.disconnect(node, reason: nil, isStopping: false) }
        _ = bench.did()
        _ = bench.node("b", limit: Self.two)
        #expect(bench.did().filter { $0.hasPrefix("send") }.count == 2)
        #expect(bench.ledger.limits.rows(at: Timestamp(microseconds: 0)).map(\.inUse) == [2])
    }

    @Test("a durable node keeps its places while it is away, and those that it still uses when it is back")
    func durable() {
        let bench = Bench(isDurable: true)
        let node = bench.node("a", isDurable: true, limit: Self.two)
        for number in 1...3 { bench.submit(number) }
        #expect(bench.did() == ["send 1 to 0 permitted", "send 2 to 0 permitted"])
        bench.change { $0.saved(1, through: 2, by: node) }
        bench.change { $0.disconnect(node, reason: nil, isStopping: false) }
        _ = bench.did()
        let other = bench.node("b", isDurable: true, limit: Self.two)
        #expect(bench.did().filter { $0.hasPrefix("send") } == [])
        // Of its two runs one goes on: the other's place is free.
        _ = bench.node("a", isDurable: true, limit: Self.two, held: [1])
        #expect(bench.did().filter { $0.hasPrefix("send 3") }.count == 1)
        bench.change { $0.released(Self.id(3), by: other) }
    }

    @Test("a durable node that has stopped keeps no place, however long it is away") func stopped() {
        let bench = Bench(isDurable: true)
        let node = bench.node("a", isDurable: true, limit: Limit(name: "crm", concurrency: 1))
        bench.submit(1)
        bench.submit(2)
        #expect(bench.did() == ["send 1 to 0 permitted"])
        bench.change { $0.saved(1, through: 1, by: node) }
        bench.change { $0.drains(node) }
        bench.change { $0.disconnect(node, reason: nil, isStopping: false) }
        _ = bench.did()
        _ = bench.node("b", isDurable: true, limit: Limit(name: "crm", concurrency: 1))
        #expect(bench.did().filter { $0.hasPrefix("send 2") }.count == 1)
    }

    @Test("what may never have reached a durable node has no place when it is sent again: it asks there")
    func doubtful() {
        let bench = Bench(isDurable: true)
        let node = bench.node("a", isDurable: true, limit: Self.two)
        for number in 1...2 { bench.submit(number) }
        #expect(bench.did() == ["send 1 to 0 permitted", "send 2 to 0 permitted"])
        bench.change { $0.disconnect(node, reason: nil, isStopping: false) }
        _ = bench.did()
        let again = bench.node("a", isDurable: true, limit: Self.two)
        let sent = Set(bench.did().filter { $0.hasPrefix("send") })
        #expect(sent == ["send 1 to \(again.index)", "send 2 to \(again.index)"])
        #expect(bench.ledger.limits.rows(at: Timestamp(microseconds: 0)).map(\.inUse) == [0])
    }

    @Test("a job that comes again goes to the durable node that has it, however full its limit is") func comesAgain() {
        let bench = Bench(isDurable: true)
        let node = bench.node("a", isDurable: true, limit: Limit(name: "crm", concurrency: 1))
        bench.submit(1)
        _ = bench.did()
        bench.change { $0.saved(1, through: 1, by: node) }
        // It waits there for its next attempt, and another has the place.
        bench.change { $0.released(Self.id(1), by: node) }
        bench.submit(2)
        #expect(bench.did() == ["send 2 to 0 permitted"])
        bench.submit(1)
        #expect(bench.did() == ["send 1 to 0"])
    }

    @Test("a job that is paused before a node has taken it leaves its place to others") func pausedUnsent() {
        let bench = Bench()
        let limit = Limit(name: "crm", concurrency: 1)
        let node = bench.node("a", credit: 2, limit: limit)
        let definitions = NodeDefinitions(
            jobs: ["call": .init(limits: ["crm"]), "other": .init(limits: ["crm"])], limits: [limit])
        bench.change { $0.defines(node, ["call", "other", "free"], definitions) }
        bench.submit(1, "other")
        bench.submit(2)
        bench.submit(3, "other")
        bench.submit(4, "free")
        _ = bench.did()
        // The node has no room: the next has its place, and waits.
        bench.report(1)
        #expect(bench.did().filter { $0.hasPrefix("send") } == [])
        bench.change { $0.pause(.job("call"), true) }
        _ = bench.did()
        bench.change { $0.granted(node, credit: 1) }
        #expect(bench.did().filter { $0.hasPrefix("send") } == ["send 3 to 0 permitted"])
    }

    @Test("a job that no node defines any more leaves its place to others, until one does", arguments: [false, true])
    func parkedUnsent(isLost: Bool) {
        let bench = Bench()
        let limit = Limit(name: "crm", concurrency: 1)
        func definitions(_ names: [String]) -> NodeDefinitions {
            NodeDefinitions(
                jobs: Dictionary(uniqueKeysWithValues: names.map { ($0, .init(limits: ["crm"])) }), limits: [limit])
        }
        let node = bench.node("a", credit: 1, limit: limit)
        let other = bench.change { $0.connect("b", "1", isDurable: false, place: nil) }
        bench.change { $0.defines(node, ["other"], definitions(["call", "other"])) }
        bench.change { $0.defines(other, ["call", "free"], definitions(["call", "other"])) }
        bench.change { $0.granted(other, credit: 1) }
        bench.submit(1, "other")
        bench.submit(2)
        bench.submit(3, "other")
        bench.submit(4, "free")
        #expect(bench.did() == ["send 1 to \(node.index) permitted", "send 4 to \(other.index)"])
        // The node that runs it has no room: the next has its place, and waits.
        bench.report(1)
        #expect(bench.did().filter { $0.hasPrefix("send") } == [])
        if isLost {
            bench.change { $0.disconnect(other, reason: nil, isStopping: false) }
        } else {
            bench.change { $0.defines(other, [], definitions([])) }
        }
        _ = bench.did()
        bench.change { $0.granted(node, credit: 1) }
        #expect(bench.did().filter { $0.hasPrefix("send") } == ["send 3 to \(node.index) permitted"])
        bench.change { $0.defines(node, ["call", "other"], definitions(["call", "other"])) }
        bench.change { $0.granted(node, credit: 1) }
        bench.report(3)
        #expect(bench.did().filter { $0.hasPrefix("send") } == ["send 2 to \(node.index) permitted"])
    }

    @Test("a limit that is edited counts from the next start on") func edited() {
        let bench = Bench()
        let node = bench.node("a", limit: Limit(name: "crm", concurrency: 1))
        for number in 1...4 { bench.submit(number) }
        #expect(bench.did() == ["send 1 to 0 permitted"])
        let wider = NodeDefinitions(
            jobs: ["call": .init(limits: ["crm"])], limits: [Limit(name: "crm", concurrency: 3)])
        bench.change { $0.defines(node, ["call", "other"], wider) }
        #expect(bench.did() == ["send 2 to 0 permitted", "send 3 to 0 permitted"])
        // None at all: nothing waits for it.
        bench.change { $0.defines(node, ["call", "other"]) }
        #expect(bench.did().first?.hasPrefix("send 4 to 0") == true)
    }

    @Test("what waits for a limit can be cancelled, and says what it waits for") func cancelled() {
        let bench = Bench()
        _ = bench.node("a", limit: Limit(name: "crm", concurrency: 1))
        bench.submit(1)
        bench.submit(2)
        _ = bench.did()
        var reasons = Dispatcher.WaitReasons()
        let listed = bench.ledger.listed(Self.id(2))
        #expect(listed.flatMap { bench.ledger.reason($0, &reasons) } == .limit)
        #expect(bench.change { $0.cancel(Self.id(2)) } == true)
        #expect(bench.did() == ["told 2 cancelled"])
        bench.report(1)
        #expect(bench.did() == ["told 1 complete"])
        #expect(bench.ledger.entries.isEmpty)
    }
}
