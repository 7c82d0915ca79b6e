import JobReactorCore
import Testing

/// Who goes first to a node: urgent jobs, and nothing that is paused.
@Suite struct DispatchTurnsTests {
    private static func job(_ number: Int, _ name: String = "resize", priority: Int? = nil) -> Job {
        Job(id: id(number), name: name, args: [:], options: JobOptions(priority: priority), createdAt: start)
    }

    /// The numbers of the jobs that the node takes, in order.
    private static func taken(_ dispatcher: inout Dispatcher, _ node: Dispatcher.NodeHandle) -> [UInt64] {
        var taken: [UInt64] = []
        while let id = dispatcher.takeNext(for: node) { taken.append(id.low) }
        return taken
    }

    @Test("the more urgent go first, of equals those that came first") func urgentFirst() {
        var dispatcher = Dispatcher()
        for (number, priority) in [nil, 9, 0, nil, 9, 5].enumerated() {
            #expect(dispatcher.enqueue(Self.job(number, priority: priority)) == nil)
        }
        let node = dispatcher.connect(name: "a")
        dispatcher.announce(node, jobs: ["resize"])
        dispatcher.grant(node, credit: 9)
        let taken = Self.taken(&dispatcher, node)
        #expect(Array(taken.prefix(2)) == [1, 4])
        // That priority 5 was said or not is another line of equals.
        #expect(Set(taken[2..<5]) == [0, 3, 5])
        #expect(taken.filter { [0, 3].contains($0) } == [0, 3])
        #expect(taken.last == 2)
        #expect(dispatcher.waitingCount == 0)
    }

    @Test("what is less urgent has one start in sixteen at least") func share() {
        var dispatcher = Dispatcher()
        for number in 0..<100 { _ = dispatcher.enqueue(Self.job(number, priority: 9)) }
        for number in 100..<110 { _ = dispatcher.enqueue(Self.job(number, priority: 0)) }
        let node = dispatcher.connect(name: "a")
        dispatcher.announce(node, jobs: ["resize"])
        dispatcher.grant(node, credit: 64)
        let taken = Self.taken(&dispatcher, node)
        #expect(taken.count == 64)
        #expect(taken.filter { $0 >= 100 }.count == 4)
        for start in stride(from: 0, to: 64, by: 16) {
            #expect(taken[start..<start + 16].filter { $0 >= 100 }.count == 1)
        }
    }

    @Test("a node's scripts say how urgent jobs of a name are, until a producer says otherwise, and may be edited")
    func scripts() {
        var dispatcher = Dispatcher()
        _ = dispatcher.enqueue(Self.job(1, "slow"))
        _ = dispatcher.enqueue(Self.job(2, "fast"))
        _ = dispatcher.enqueue(Self.job(3, "slow", priority: 9))
        let node = dispatcher.connect(name: "a")
        dispatcher.announce(node, jobs: ["slow", "fast"], priorities: ["slow": 2])
        dispatcher.grant(node, credit: 1)
        #expect(Self.taken(&dispatcher, node) == [3])
        dispatcher.announce(node, jobs: ["slow", "fast"], priorities: ["slow": 7])
        dispatcher.grant(node, credit: 2)
        #expect(Self.taken(&dispatcher, node) == [1, 2])
    }

    @Test("jobs of a paused name wait, and others pass them") func pausedJob() {
        var dispatcher = Dispatcher()
        let node = dispatcher.connect(name: "a")
        dispatcher.announce(node, jobs: ["resize", "mail"])
        dispatcher.pause(job: "resize", true)
        dispatcher.grant(node, credit: 5)
        #expect(dispatcher.enqueue(Self.job(1)) == nil)
        #expect(dispatcher.enqueue(Self.job(2, "mail")) == node)
        #expect(!dispatcher.canBeServed(Self.job(1)) && dispatcher.isDefined("resize"))
        var reasons = Dispatcher.WaitReasons()
        #expect(dispatcher.reason(Self.job(1), &reasons) == .paused)
        // Who comes meanwhile does not get them, either.
        let other = dispatcher.connect(name: "b")
        dispatcher.announce(other, jobs: ["resize"])
        dispatcher.grant(other, credit: 5)
        #expect(Self.taken(&dispatcher, other) == [])
        dispatcher.pause(job: "resize", false)
        #expect(Self.taken(&dispatcher, other) == [1])
    }

    @Test("a paused node gets nothing, also when it comes back") func pausedNode() {
        var dispatcher = Dispatcher()
        var node = dispatcher.connect(name: "a")
        dispatcher.announce(node, jobs: ["resize"])
        dispatcher.grant(node, credit: 5)
        dispatcher.pause(node: "a", true)
        #expect(dispatcher.enqueue(Self.job(1)) == nil)
        var reasons = Dispatcher.WaitReasons()
        #expect(dispatcher.reason(Self.job(1), &reasons) == .nodesPaused(nodes: 1))
        dispatcher.disconnect(node)
        node = dispatcher.connect(name: "a")
        dispatcher.announce(node, jobs: ["resize"])
        dispatcher.grant(node, credit: 5)
        #expect(dispatcher.state(of: node).isPaused)
        #expect(Self.taken(&dispatcher, node) == [])
        dispatcher.pause(node: "a", false)
        #expect(Self.taken(&dispatcher, node) == [1])
    }
}
