import JobReactorTesting
import Testing

@testable import JobReactorCore

/// Two nodes that are alike get about the same of everything, whatever comes by turns.
@Suite struct SpreadTests {
    /// The names of a pipeline, which comes again and again.
    private static let pipelines: [[String]] = [
        ["a"], ["a", "b"], ["a", "b", "c"], ["a", "b", "a", "c"], ["a", "a", "b"], ["a", "b", "c", "d", "e"],
        ["a", "b", "b", "c", "c", "c"], ["a", "b", "c", "a", "b"],
    ]

    @Test(
        "each name goes about half to either, also when all is done before the next pipeline comes",
        arguments: pipelines, [false, true])
    func halves(pipeline: [String], settles: Bool) {
        var dispatcher = Dispatcher()
        let nodes = ["n1", "n2"].map { name in
            let node = dispatcher.connect(name: name)
            dispatcher.announce(node, jobs: ["a", "b", "c", "d", "e"])
            dispatcher.grant(node, credit: 100_000)
            return node
        }
        var counts: [String: [Int]] = [:]
        var number = 0
        for _ in 0..<600 {
            var sent: [Dispatcher.NodeHandle] = []
            for name in pipeline {
                number += 1
                guard let node = dispatcher.enqueue(job(number, name)), let index = nodes.firstIndex(of: node) else {
                    Issue.record("it waits")
                    return
                }
                counts[name, default: [0, 0]][index] += 1
                sent.append(node)
            }
            if settles { for node in sent { dispatcher.grant(node, credit: 1) } }
        }
        for (name, count) in counts {
            let share = Double(count[0]) / Double(count[0] + count[1])
            #expect(0.4...0.6 ~= share, "\(name): \(count)")
        }
        let loads = nodes.map { dispatcher.state(of: $0).load }
        #expect(abs(loads[0] - loads[1]) <= 1)
    }

    @Test("a name that comes between others that come once each is spread, too")
    func between() {
        var dispatcher = Dispatcher()
        let names = (0..<500).map { "once\($0)" }
        let nodes = ["n1", "n2"].map { name in
            let node = dispatcher.connect(name: name)
            dispatcher.announce(node, jobs: Set(names + ["a"]))
            dispatcher.grant(node, credit: 100_000)
            return node
        }
        var first = 0
        for (number, name) in names.enumerated() {
            _ = dispatcher.enqueue(job(2 * number, name))
            if dispatcher.enqueue(job(2 * number + 1, "a")) == nodes[0] { first += 1 }
        }
        #expect(200...300 ~= first, "\(first)")
    }
}

/// What a job waits for, in words.
@Suite struct WaitReasonTests {
    @Test("each reason is told, with the nearest name where no node defines the job")
    func reasons() {
        var dispatcher = Dispatcher(alwaysUseSpecifiedNode: true)
        func reason(_ job: Job) -> String {
            var reasons = Dispatcher.WaitReasons()
            let first = dispatcher.reason(job, &reasons)
            #expect(dispatcher.reason(job, &reasons) == first)
            return first.description
        }
        #expect(reason(job(1)) == "no node is connected")
        let node = dispatcher.connect(name: "n1")
        #expect(reason(job(1)) == "no node defines it")
        dispatcher.announce(node, jobs: ["resise", "mail"])
        #expect(reason(job(1)) == "no node defines it: did you mean 'resise'?")
        dispatcher.announce(node, jobs: ["resize"])
        #expect(reason(job(1)) == "the node that defines it is full")
        #expect(reason(job(1, notNode: "n1")) == "only the node n1 defines it, which must not run it")
        #expect(
            reason(job(1, node: "n2")) == "the node n2, the only one that may run it, does not define it or is away")
        #expect(
            reason(job(1, node: "n2", notNode: "n3"))
                == "the node n2, the only one that may run it, does not define it or is away")
        let other = dispatcher.connect(name: "n2")
        dispatcher.announce(other, jobs: ["resize"])
        #expect(reason(job(1)) == "all 2 nodes that define it are full")
        dispatcher.grant(node, credit: 1)
        #expect(reason(job(1)) == "its turn")
        dispatcher.drain(node)
        #expect(reason(job(1)) == "the node that defines it is full")
        dispatcher.drain(other)
        #expect(reason(job(1)) == "all 2 nodes that define it are stopping")
        dispatcher.disconnect(node)
        #expect(reason(job(1)) == "the node that defines it is stopping")
        dispatcher.disconnect(other)
        #expect(reason(job(1)) == "no node is connected")
    }

    @Test("an answer about many jobs looks for names that are alike no longer than its budget lasts")
    func bounded() {
        var dispatcher = Dispatcher()
        let node = dispatcher.connect(name: "n1")
        dispatcher.announce(node, jobs: Set((0..<3000).map { "\(String(repeating: "x", count: 200))\($0)" }))
        var reasons = Dispatcher.WaitReasons()
        var found = 0
        for number in 0..<1000 {
            let job = job(number, "\(String(repeating: "x", count: 199))y\(number)")
            guard case .undefined(let nearest) = dispatcher.reason(job, &reasons) else {
                Issue.record("it is defined")
                return
            }
            if nearest != nil { found += 1 }
        }
        #expect(found < 100)
    }
}
