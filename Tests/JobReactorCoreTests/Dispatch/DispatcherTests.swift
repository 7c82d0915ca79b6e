import JobReactorCore
import Testing

extension Dispatcher {
    /// A node connects, announces its jobs and grants credit.
    fileprivate mutating func join(_ name: String, jobs: Set<String> = ["resize"], credit: Int = 0) -> NodeHandle {
        let node = connect(name: name)
        announce(node, jobs: jobs)
        grant(node, credit: credit)
        return node
    }

    /// The numbers of all jobs the node takes now, in order.
    fileprivate mutating func takeAll(for node: NodeHandle) -> [UInt64] {
        var taken: [UInt64] = []
        while let id = takeNext(for: node) { taken.append(id.low) }
        return taken
    }

    /// `waitingByName` as text: "name count", and a question mark behind names no node defines.
    fileprivate var waiting: [String] {
        waitingByName().map { "\($0.name) \($0.count)\($0.isDefined ? "" : "?")" }
    }
}

@Suite struct DispatcherTests {
    // MARK: Which node

    @Test("with no node a job waits, and goes to the first that defines it and has credit")
    func waitsForANode() {
        var dispatcher = Dispatcher()
        #expect(dispatcher.enqueue(job(1)) == nil)
        #expect(dispatcher.enqueue(job(2)) == nil)
        #expect(dispatcher.waitingCount == 2)
        #expect(dispatcher.waiting == ["resize 2?"])

        let node = dispatcher.connect(name: "a")
        #expect(dispatcher.takeNext(for: node) == nil)
        dispatcher.grant(node, credit: 1)
        #expect(dispatcher.takeNext(for: node) == nil)
        dispatcher.announce(node, jobs: ["resize"])
        #expect(dispatcher.waiting == ["resize 2"])
        #expect(dispatcher.takeNext(for: node) == id(1))
        #expect(dispatcher.takeNext(for: node) == nil)
        dispatcher.grant(node, credit: 1)
        #expect(dispatcher.takeNext(for: node) == id(2))
        dispatcher.grant(node, credit: 5)
        #expect(dispatcher.takeNext(for: node) == nil)
        #expect(dispatcher.waitingCount == 0)
        #expect(dispatcher.waiting == [])
    }

    @Test("a job goes only to a node that defines it")
    func definedBy() {
        var dispatcher = Dispatcher()
        let a = dispatcher.join("a", jobs: ["resize"], credit: 9)
        let b = dispatcher.join("b", jobs: ["mail", "resize"], credit: 1)
        #expect(dispatcher.enqueue(job(1, "mail")) == b)
        #expect(dispatcher.enqueue(job(2, "mail")) == nil)
        #expect(dispatcher.enqueue(job(3, "unknown")) == nil)
        #expect(dispatcher.enqueue(job(4, "resize")) == a)
        #expect(dispatcher.waiting == ["mail 1", "unknown 1?"])

        dispatcher.announce(a, jobs: ["mail"])
        #expect(dispatcher.takeAll(for: a) == [2])
        #expect(dispatcher.enqueue(job(5, "resize")) == nil)
        dispatcher.announce(b, jobs: [])
        #expect(dispatcher.waiting == ["resize 1?", "unknown 1?"])
    }

    @Test("credit is used by each job sent and taken, and load is what is out")
    func credit() {
        var dispatcher = Dispatcher()
        let node = dispatcher.join("a", credit: 2)
        #expect(dispatcher.state(of: node).name == "a")
        #expect(dispatcher.state(of: node).jobs == ["resize"])
        #expect(dispatcher.state(of: node).window == 2)
        #expect(dispatcher.state(of: node).load == 0)

        #expect(dispatcher.enqueue(job(1)) == node)
        #expect(dispatcher.state(of: node).load == 1)
        #expect(dispatcher.enqueue(job(2)) == node)
        #expect(dispatcher.state(of: node).credit == 0)
        #expect(dispatcher.enqueue(job(3)) == nil)
        #expect(dispatcher.state(of: node).load == 2)

        dispatcher.grant(node, credit: 1)
        #expect(dispatcher.state(of: node).load == 1)
        #expect(dispatcher.takeAll(for: node) == [3])
        #expect(dispatcher.state(of: node).load == 2)
        dispatcher.grant(node, credit: 2)
        #expect(dispatcher.state(of: node).load == 0)
        #expect(dispatcher.state(of: node).window == 2)
    }

    private func awaited(_ number: Int, _ name: String = "resize") -> Job {
        var job = job(number, name)
        job.isAwaited = true
        return job
    }

    @Test("a job that a run waits for needs no credit, up to a window of them, and goes before all others")
    func awaited() {
        var dispatcher = Dispatcher()
        let node = dispatcher.join("a", jobs: ["resize", "mail"], credit: 2)
        let plain = [job(1), job(2), job(3), job(4, "mail")].map { dispatcher.enqueue($0) }
        #expect(plain == [node, node, nil, nil])
        let beyond = [awaited(5), awaited(6, "mail"), awaited(7), awaited(8, "mail"), awaited(9)].map {
            dispatcher.enqueue($0)
        }
        #expect(beyond == [node, node, nil, nil, nil])
        #expect(dispatcher.state(of: node).load == 4)
        dispatcher.withdraw(awaited(7))
        #expect(dispatcher.waitingCount == 4)
        #expect(dispatcher.takeNext(for: node) == nil)
        dispatcher.grant(node, credit: 1)
        #expect(dispatcher.takeAll(for: node) == [9])
        dispatcher.grant(node, credit: 3)
        #expect(dispatcher.takeAll(for: node) == [8])
        #expect(dispatcher.waiting == ["mail 1", "resize 1"])
        dispatcher.grant(node, credit: 2)
        #expect(Set(dispatcher.takeAll(for: node)) == [3, 4])
        #expect(dispatcher.waitingCount == 0)
    }

    @Test("one that no node can have yet goes to the first that can, also when one gave it back")
    func awaitedLater() {
        var dispatcher = Dispatcher()
        #expect(dispatcher.enqueue(job(1)) == nil)
        #expect(dispatcher.enqueue(awaited(2)) == nil)
        let node = dispatcher.join("a", credit: 1)
        #expect(dispatcher.takeAll(for: node) == [2])
        dispatcher.drain(node)
        #expect(dispatcher.giveBack(awaited(2)) == nil)
        #expect(dispatcher.takeNext(for: node) == nil)
        dispatcher.disconnect(node)
        let other = dispatcher.join("b", credit: 2)
        #expect(dispatcher.takeAll(for: other) == [2, 1])
    }

    @Test("of several nodes the least loaded gets the job; equally loaded ones take turns")
    func leastLoaded() {
        var dispatcher = Dispatcher()
        let a = dispatcher.join("a", credit: 10)
        let b = dispatcher.join("b", credit: 10)
        let c = dispatcher.join("c", credit: 10)
        // Three each after nine jobs.
        for number in 1...9 { _ = dispatcher.enqueue(job(number)) }
        #expect([a, b, c].map { dispatcher.state(of: $0).load } == [3, 3, 3])

        dispatcher.grant(b, credit: 2)
        #expect(dispatcher.enqueue(job(10)) == b)
        #expect(dispatcher.enqueue(job(11)) == b)
        dispatcher.grant(c, credit: 3)
        dispatcher.grant(a, credit: 1)
        #expect(dispatcher.enqueue(job(12)) == c)
        #expect(dispatcher.enqueue(job(13)) == c)
        #expect([a, b, c].map { dispatcher.state(of: $0).load } == [2, 3, 2])
    }

    @Test("a stream of jobs that are done at once is spread over idle nodes")
    func turns() {
        var dispatcher = Dispatcher()
        let nodes = ["a", "b", "c"].map { dispatcher.join($0, credit: 1) }
        var counts: [Dispatcher.NodeHandle: Int] = [:]
        for number in 1...30 {
            guard let node = dispatcher.enqueue(job(number)) else { continue }
            counts[node, default: 0] += 1
            dispatcher.grant(node, credit: 1)
        }
        #expect(nodes.map { counts[$0] } == [10, 10, 10])
    }

    // MARK: node and not_node

    @Test("a preferred node gets its jobs however loaded; when it is busy, gone or does not define them, others do")
    func preferred() {
        var dispatcher = Dispatcher()
        let a = dispatcher.join("a", credit: 9)
        let b = dispatcher.join("b", credit: 2)
        #expect(dispatcher.enqueue(job(1, node: "b")) == b)
        #expect(dispatcher.enqueue(job(2, node: "b")) == b)
        #expect(dispatcher.enqueue(job(3, node: "b")) == a)
        #expect(dispatcher.enqueue(job(4, node: "absent")) == a)
        dispatcher.grant(b, credit: 1)
        dispatcher.announce(b, jobs: ["mail"])
        #expect(dispatcher.enqueue(job(5, node: "b")) == a)
        dispatcher.disconnect(b)
        #expect(dispatcher.enqueue(job(6, node: "b")) == a)
    }

    @Test("a job that waits with a preferred node goes to whoever is free first")
    func preferredWaits() {
        var dispatcher = Dispatcher()
        let a = dispatcher.join("a")
        let b = dispatcher.join("b")
        #expect(dispatcher.enqueue(job(1, node: "b")) == nil)
        #expect(dispatcher.enqueue(job(2, node: "b")) == nil)
        dispatcher.grant(a, credit: 1)
        #expect(dispatcher.takeAll(for: a) == [1])
        dispatcher.grant(b, credit: 1)
        #expect(dispatcher.takeAll(for: b) == [2])
    }

    @Test("of two connections of the preferred node, as when it comes back before the old one is noticed, the free one")
    func preferredTwice() {
        var dispatcher = Dispatcher()
        let old = dispatcher.join("a", credit: 1)
        _ = dispatcher.join("b", credit: 9)
        let new = dispatcher.join("a", credit: 1)
        #expect(dispatcher.enqueue(job(1, node: "a")) == old)
        #expect(dispatcher.enqueue(job(2, node: "a")) == new)
    }

    @Test("strictly, a job with a node waits for it")
    func strict() {
        var dispatcher = Dispatcher(alwaysUseSpecifiedNode: true)
        #expect(dispatcher.alwaysUseSpecifiedNode)
        let a = dispatcher.join("a", credit: 9)
        #expect(dispatcher.enqueue(job(1, node: "b")) == nil)
        #expect(dispatcher.enqueue(job(2)) == a)
        #expect(dispatcher.enqueue(job(3, node: "a")) == a)
        #expect(dispatcher.takeAll(for: a) == [])

        let b = dispatcher.join("b", credit: 1)
        #expect(dispatcher.takeAll(for: b) == [1])
        #expect(dispatcher.enqueue(job(4, node: "b")) == nil)
        #expect(dispatcher.takeAll(for: a) == [])
        // Another connection under the same name will do.
        let again = dispatcher.join("b", credit: 1)
        #expect(dispatcher.takeAll(for: again) == [4])
    }

    @Test("never to the node the job excludes", arguments: [false, true])
    func notNode(strict: Bool) {
        var dispatcher = Dispatcher(alwaysUseSpecifiedNode: strict)
        let a = dispatcher.join("a", credit: 9)
        #expect(dispatcher.enqueue(job(1, notNode: "a")) == nil)
        #expect(dispatcher.takeAll(for: a) == [])
        // A node both wanted and excluded is excluded.
        #expect(dispatcher.enqueue(job(2, node: "a", notNode: "a")) == nil)
        dispatcher.grant(a, credit: 1)
        #expect(dispatcher.takeAll(for: a) == [])
        // The name counts, not the connection.
        let again = dispatcher.join("a", credit: 9)
        #expect(dispatcher.takeAll(for: again) == [])
        let b = dispatcher.join("b", credit: 9)
        #expect(dispatcher.takeAll(for: b) == (strict ? [1] : [1, 2]))
        #expect(dispatcher.enqueue(job(3, notNode: "a")) == b)
        let chosen = dispatcher.enqueue(job(4, notNode: "b"))
        #expect(chosen == a || chosen == again)
    }

    // MARK: Waiting

    @Test("jobs of one route are taken in the order they came, also when another node has credit meanwhile")
    func inOrder() {
        var dispatcher = Dispatcher()
        let a = dispatcher.join("a")
        for number in 1...5 { #expect(dispatcher.enqueue(job(number)) == nil) }
        dispatcher.grant(a, credit: 2)
        #expect(dispatcher.takeNext(for: a) == id(1))
        // The node has credit, but others wait.
        #expect(dispatcher.enqueue(job(6)) == nil)
        #expect(dispatcher.takeNext(for: a) == id(2))
        dispatcher.grant(a, credit: 9)
        #expect(dispatcher.takeAll(for: a) == [3, 4, 5, 6])
        #expect(dispatcher.enqueue(job(7)) == a)
    }

    @Test("routes take turns")
    func roundRobin() {
        var dispatcher = Dispatcher()
        let node = dispatcher.join("a", jobs: ["x", "y", "z"])
        for number in 1...4 { _ = dispatcher.enqueue(job(number, "x")) }
        for number in 11...12 { _ = dispatcher.enqueue(job(number, "y")) }
        for number in 21...23 { _ = dispatcher.enqueue(job(number, "z")) }
        _ = dispatcher.enqueue(job(31, "x", notNode: "b"))
        dispatcher.grant(node, credit: 100)
        #expect(dispatcher.takeAll(for: node) == [1, 11, 21, 31, 2, 12, 22, 3, 23, 4])
    }

    @Test("a long queue is emptied in order, taken and added to by turns")
    func longQueue() {
        var dispatcher = Dispatcher()
        let node = dispatcher.join("a")
        var (added, taken) = (0, 0)
        for round in 0..<40 {
            for _ in 0..<200 {
                #expect(dispatcher.enqueue(job(added)) == nil)
                added += 1
            }
            dispatcher.grant(node, credit: round < 20 ? 150 : 250)
            while let next = dispatcher.takeNext(for: node) {
                #expect(next == id(taken))
                taken += 1
            }
            #expect(dispatcher.waitingCount == added - taken)
        }
        #expect(taken == 8000)
        #expect(dispatcher.waitingCount == 0)
    }

    @Test("a waiting job is taken by one node only")
    func once() {
        var dispatcher = Dispatcher()
        _ = dispatcher.enqueue(job(1))
        let a = dispatcher.join("a", credit: 5)
        let b = dispatcher.join("b", credit: 5)
        #expect(dispatcher.takeAll(for: b) == [1])
        #expect(dispatcher.takeAll(for: a) == [])
    }

    @Test("a job announced, withdrawn and announced again is taken up")
    func announcedAgain() {
        var dispatcher = Dispatcher()
        let node = dispatcher.join("a", jobs: ["resize"])
        _ = dispatcher.enqueue(job(1))
        _ = dispatcher.enqueue(job(2))
        dispatcher.announce(node, jobs: [])
        dispatcher.grant(node, credit: 1)
        #expect(dispatcher.takeAll(for: node) == [])
        dispatcher.announce(node, jobs: ["resize", "mail"])
        #expect(dispatcher.takeAll(for: node) == [1])
        dispatcher.announce(node, jobs: ["resize"])
        dispatcher.grant(node, credit: 1)
        #expect(dispatcher.takeAll(for: node) == [2])
    }

    @Test("credit without end is a number, and is used as any other")
    func muchCredit() {
        var dispatcher = Dispatcher()
        let node = dispatcher.join("a", jobs: ["x"])
        for _ in 0..<3000 { dispatcher.grant(node, credit: .max) }
        dispatcher.grant(node, credit: -5)
        #expect(dispatcher.enqueue(job(1, "x")) == node)
        #expect(dispatcher.state(of: node).load >= 0)
    }

    @Test("what waits is counted by name, over its routes; names no connected node defines are parked")
    func waitingByName() {
        var dispatcher = Dispatcher(alwaysUseSpecifiedNode: true)
        let node = dispatcher.join("a", jobs: ["x"])
        _ = dispatcher.enqueue(job(1, "x"))
        _ = dispatcher.enqueue(job(2, "x", node: "b"))
        _ = dispatcher.enqueue(job(3, "x", notNode: "a"))
        _ = dispatcher.enqueue(job(4, "parked"))
        #expect(dispatcher.waiting == ["parked 1?", "x 3"])
        dispatcher.grant(node, credit: 9)
        #expect(dispatcher.takeAll(for: node) == [1])
        #expect(dispatcher.waiting == ["parked 1?", "x 2"])
        dispatcher.announce(node, jobs: ["x", "parked"])
        #expect(dispatcher.takeAll(for: node) == [4])
        dispatcher.disconnect(node)
        #expect(dispatcher.waiting == ["x 2?"])
        #expect(dispatcher.waitingCount == 2)
    }

    // MARK: Given back

    @Test("a name is defined as long as a connected node defines it, however many do")
    func definedNames() {
        var dispatcher = Dispatcher()
        let a = dispatcher.join("a", jobs: ["mail", "resize"])
        let b = dispatcher.join("b", jobs: ["resize"])
        #expect(dispatcher.definedNames == ["mail", "resize"])
        dispatcher.announce(a, jobs: ["tally"])
        #expect(dispatcher.definedNames == ["resize", "tally"])
        #expect(dispatcher.enqueue(job(1)) == nil)
        #expect(dispatcher.isDefined("resize") && dispatcher.isWaiting("resize") && !dispatcher.isWaiting("tally"))
        dispatcher.disconnect(b)
        #expect(!dispatcher.isDefined("resize") && dispatcher.isWaiting("resize"))
        dispatcher.withdraw(job(1))
        #expect(!dispatcher.isWaiting("resize") && dispatcher.definedNames == ["tally"])
    }

    @Test("a job given back goes to another node at once, or waits before those that came later")
    func giveBack() {
        var dispatcher = Dispatcher()
        let a = dispatcher.join("a", credit: 2)
        #expect(dispatcher.enqueue(job(1)) == a)
        #expect(dispatcher.enqueue(job(2)) == a)
        #expect(dispatcher.enqueue(job(3)) == nil)
        #expect(dispatcher.giveBack(job(1)) == nil)
        #expect(dispatcher.giveBack(job(2)) == nil)
        #expect(dispatcher.waitingCount == 3)

        let b = dispatcher.join("b", credit: 9)
        #expect(dispatcher.takeAll(for: b) == [1, 2, 3])
        #expect(dispatcher.giveBack(job(2)) == b)
        #expect(dispatcher.waitingCount == 0)
        #expect(dispatcher.state(of: b).load == 4)
    }

    @Test("a job given back by a node that has no more credit and does not define it waits for another")
    func giveBackUndefined() {
        var dispatcher = Dispatcher()
        let a = dispatcher.join("a", credit: 5)
        #expect(dispatcher.enqueue(job(1)) == a)
        dispatcher.announce(a, jobs: [])
        #expect(dispatcher.giveBack(job(1)) == nil)
        #expect(dispatcher.waiting == ["resize 1?"])
        dispatcher.announce(a, jobs: ["resize"])
        #expect(dispatcher.takeAll(for: a) == [1])
    }

    // MARK: Nodes that go

    @Test("a draining node gets no more jobs; what waits goes to others")
    func drain() {
        var dispatcher = Dispatcher()
        let a = dispatcher.join("a", credit: 5)
        dispatcher.drain(a)
        #expect(dispatcher.state(of: a).isDraining)
        #expect(dispatcher.enqueue(job(1)) == nil)
        #expect(dispatcher.enqueue(job(2, node: "a")) == nil)
        #expect(dispatcher.takeNext(for: a) == nil)
        dispatcher.grant(a, credit: 5)
        dispatcher.announce(a, jobs: ["resize", "mail"])
        #expect(dispatcher.takeNext(for: a) == nil)
        #expect(dispatcher.giveBack(job(3)) == nil)
        let b = dispatcher.join("b", credit: 5)
        // The one given back first; then the route with the preference has its turn.
        #expect(dispatcher.takeAll(for: b) == [3, 2, 1])
        #expect(dispatcher.state(of: b).load == 3)
        #expect(dispatcher.enqueue(job(4)) == b)
    }

    @Test("jobs of a lost node, given back, go before what waits; the node itself gets nothing more")
    func disconnect() {
        var dispatcher = Dispatcher()
        let a = dispatcher.join("a", credit: 2)
        let b = dispatcher.join("b")
        #expect(dispatcher.enqueue(job(1)) == a)
        #expect(dispatcher.enqueue(job(2)) == a)
        #expect(dispatcher.enqueue(job(3)) == nil)
        dispatcher.disconnect(a)
        #expect(dispatcher.giveBack(job(1)) == nil)
        #expect(dispatcher.giveBack(job(2)) == nil)
        dispatcher.grant(b, credit: 9)
        #expect(dispatcher.takeAll(for: b) == [1, 2, 3])
        #expect(dispatcher.enqueue(job(4)) == b)
    }

    @Test("a connection in the place of a lost one begins anew")
    func reuse() {
        var dispatcher = Dispatcher()
        let a = dispatcher.join("a", jobs: ["resize", "mail"], credit: 5)
        let other = dispatcher.join("other", jobs: ["mail"], credit: 1)
        #expect(dispatcher.enqueue(job(1)) == a)
        dispatcher.drain(a)
        _ = dispatcher.enqueue(job(2))
        dispatcher.disconnect(a)
        #expect(dispatcher.waiting == ["resize 1?"])

        let b = dispatcher.connect(name: "b")
        #expect(b == a)
        let state = dispatcher.state(of: b)
        #expect(state.name == "b")
        #expect(state.jobs == [])
        #expect((state.credit, state.window, state.load) == (0, 0, 0))
        #expect(!state.isDraining)
        dispatcher.grant(b, credit: 5)
        #expect(dispatcher.takeNext(for: b) == nil)
        // It is not among those that define mail, as the one before it was.
        #expect(dispatcher.enqueue(job(3, "mail")) == other)
        #expect(dispatcher.enqueue(job(4, "mail")) == nil)
        dispatcher.announce(b, jobs: ["resize"])
        #expect(dispatcher.takeAll(for: b) == [2])
        #expect(dispatcher.connect(name: "c") != b)
        #expect(dispatcher.waiting == ["mail 1"])
    }

    @Test("nodes come and go a thousand times; each time what waits is taken once")
    func churn() {
        var dispatcher = Dispatcher()
        for round in 0..<1000 {
            #expect(dispatcher.enqueue(job(round)) == nil)
            let node = dispatcher.join("node \(round)", credit: 1)
            #expect(dispatcher.takeAll(for: node) == [UInt64(round)])
            dispatcher.disconnect(node)
        }
        #expect(dispatcher.waitingCount == 0)
    }

    // MARK: Many names

    @Test("names that come and go leave no trace beyond a bound")
    func boundedRoutes() {
        var dispatcher = Dispatcher()
        let names = (0..<25_000).map { "job\($0)" }
        let node = dispatcher.join("a", jobs: Set(names), credit: names.count)
        for (number, name) in names.enumerated() { #expect(dispatcher.enqueue(job(number, name)) == node) }
        #expect(dispatcher.routeCount <= 10_000)
        for number in 0..<25_000 { _ = dispatcher.enqueue(job(number, node: "n\(number)")) }
        #expect(dispatcher.routeCount <= 35_000)
        #expect(dispatcher.waitingCount == 25_000)
    }

    @Test("of many names that wait, none is lost while idle ones make room")
    func manyWaiting() {
        var dispatcher = Dispatcher()
        let idle = (0..<15_000).map { "idle\($0)" }
        let a = dispatcher.join("a", jobs: Set(idle), credit: idle.count)
        for number in 0..<15_000 {
            #expect(dispatcher.enqueue(job(2 * number, "waiting\(number)")) == nil)
            #expect(dispatcher.enqueue(job(2 * number + 1, idle[number])) == a)
        }
        #expect(dispatcher.waitingCount == 15_000)
        #expect(dispatcher.waitingByName().count == 15_000)
        #expect(dispatcher.waitingByName(most: 10).map(\.count) == Array(repeating: 1, count: 10))
        #expect(dispatcher.waitingByName().allSatisfy { $0.count == 1 && !$0.isDefined })

        let b = dispatcher.join("b", jobs: Set((0..<15_000).map { "waiting\($0)" }), credit: 20_000)
        #expect(dispatcher.takeAll(for: b).sorted() == (0..<15_000).map { UInt64(2 * $0) })
        #expect(dispatcher.waitingCount == 0)
        // Now that all are idle, the next names push them out.
        for number in 0..<40_000 { _ = dispatcher.enqueue(job(number, "idle\(number % 15_000)", node: "n\(number)")) }
        #expect(dispatcher.routeCount <= 10_000 + dispatcher.waitingCount)
    }
}
