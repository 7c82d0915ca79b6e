import JobReactor
import JobReactorCore
import JobReactorNode
import JobReactorTesting
import Testing

/// Jobs that pause, in a node.
@Suite("Jobs that pause") struct PauseTests {
    @Test("others run while one sleeps")
    func othersRun() async throws {
        try await withNode(
            """
            job('sleeper', function(args) log.debug('sleeps') repeat sleep(0.01) until shared.get('open') args.woke = true end)
            job('opener', function(args) shared.set('open', true) end)
            """
        ) { distributor in
            let outcomes = Outcomes()
            try distributor.enqueue("sleeper", feedback: outcomes.feedback)
            try distributor.enqueue("opener", feedback: outcomes.feedback)
            let all = try await outcomes.wait(for: 2)
            #expect(all.map(\.isSuccess) == [true, true])
            #expect(all.last?.args["woke"] == true)
        }
    }

    @Test("thousands are suspended at once in one node, beyond its window, and each goes on")
    func thousands() async throws {
        try await withNode(
            """
            job('waits', function(args)
              shared.incr('asleep')
              repeat sleep(1) until shared.get('open')
              args.double = args.n * 2
            end)
            job('counts', function(args) args.asleep = shared.get('asleep') end)
            job('opens', function(args) shared.set('open', true) end)
            """, { $0.window = 100 }
        ) { distributor in
            let outcomes = Outcomes()
            let jobs = (0..<3000).map { JobSubmission("waits", ["n": .integer($0)], feedback: outcomes.feedback) }
            try distributor.enqueue(contentsOf: jobs)
            try await eventually("all to be asleep") {
                try await distributor.perform("counts", timeout: 60)["asleep"] == 3000
            }
            #expect(outcomes.all.isEmpty)
            _ = try await distributor.perform("opens", timeout: 60)
            let all = try await outcomes.wait(for: 3000)
            #expect(Set(all.map { $0.args["double"] }) == Set((0..<3000).map { .integer($0 * 2) }))
        }
    }

    @Test("jobs that wake all the time leave turns to those that come")
    func turns() async throws {
        try await withNode(
            """
            job('restless', function() repeat sleep(0) until shared.get('stop') end)
            job('quick', function(args) args.ran = true end)
            job('stop', function() shared.set('stop', true) end)
            """
        ) { distributor in
            let restless = Outcomes()
            try distributor.enqueue(
                contentsOf: (0..<100).map { _ in JobSubmission("restless", feedback: restless.feedback) })
            for _ in 0..<20 {
                let quick = try await distributor.perform("quick", timeout: 60)
                #expect(quick["ran"] == true)
            }
            #expect(restless.all.isEmpty)
            _ = try await distributor.perform("stop", timeout: 60)
            #expect(try await restless.wait(for: 100).count == 100)
        }
    }

    @Test("no more than max_suspended pause at once")
    func mostSuspended() async throws {
        try await withNode(
            """
            job('waits', function(args)
              local n = shared.incr('now')
              if n > (shared.get('most') or 0) then shared.set('most', n) end
              sleep(0.02)
              shared.incr('now', -1)
            end)
            job('most', function(args) args.most = shared.get('most') end)
            """, { $0.maxSuspended = 5 }
        ) { distributor in
            let outcomes = Outcomes()
            try distributor.enqueue(
                contentsOf: (0..<1000).map { _ in JobSubmission("waits", feedback: outcomes.feedback) })
            _ = try await outcomes.wait(for: 1000)
            let most = try #require(try await distributor.perform("most", timeout: 60)["most"]?.int)
            // Those that have begun when the fifth pauses may pause as well.
            #expect(most >= 5 && most < 600)
        }
    }

    /// Each performs another, which pauses as well.
    private static let family = """
        job('parent', { max_attempt = 1 }, function(args)
          args.n = perform('child', { n = args.n }, args.options or {}).double
        end)
        job('child', { max_attempt = 1 }, function(args) sleep(0.01) args.double = args.n * 2 end)
        job('sum', { max_attempt = 1 }, function(args)
          args.total = args.n == 0 and 0 or args.n + perform('sum', { n = args.n - 1 }).total
        end)
        """

    @Test("jobs that perform others of their node do not wait for each other's places", arguments: [false, true])
    func performWhenFull(isDeferred: Bool) async throws {
        try await withNode(
            Self.family,
            {
                ($0.maxSuspended, $0.window) = (10, 20)
                $0.deferLanes = 3
            }
        ) { distributor in
            let outcomes = Outcomes()
            let options = JobOptions(isDeferred: isDeferred)
            let args: JSONValue = .object(["defer": .bool(isDeferred)])
            try distributor.enqueue(
                contentsOf: (0..<200).map {
                    JobSubmission("parent", ["n": .integer($0), "options": args], options, feedback: outcomes.feedback)
                })
            let all = try await outcomes.wait(for: 200)
            #expect(all.allSatisfy { $0.isSuccess })
            #expect(Set(all.map { $0.args["n"] }) == Set((0..<200).map { .integer($0 * 2) }))
        }
    }

    @Test("nor does one that performs itself, deeper than jobs may pause and than the window")
    func performsItself() async throws {
        try await withNode(Self.family, { ($0.maxSuspended, $0.window) = (2, 2) }) { distributor in
            let outcomes = Outcomes()
            try distributor.enqueue(
                contentsOf: (0..<10).map { _ in JobSubmission("sum", ["n": 20], feedback: outcomes.feedback) })
            #expect(try await outcomes.wait(for: 10).map { $0.args["total"] } == Array(repeating: 210, count: 10))
        }
    }

    @Test("nor do those of two nodes that are full of jobs which wait for jobs of the other")
    func performElsewhere() async throws {
        try await Cluster.run(scripts: ["jobs.lua": Self.family]) { cluster in
            let distributor = try await cluster.startDistributor()
            for name in ["n1", "n2"] {
                try await cluster.startNode(name, for: [distributor]) { ($0.maxSuspended, $0.window) = (3, 5) }
            }
            try await waitForNodes(["n1", "n2"], at: distributor)
            let outcomes = Outcomes()
            var jobs: [JobSubmission] = []
            for number in 0..<60 {
                let (here, there) = number % 2 == 0 ? ("n1", "n2") : ("n2", "n1")
                let options: JSONValue = .object(["not_node": .string(here)])
                jobs.append(
                    JobSubmission(
                        "parent", ["n": 1, "options": options], JobOptions(notNode: there), feedback: outcomes.feedback)
                )
            }
            try distributor.enqueue(contentsOf: jobs)
            #expect(try await outcomes.wait(for: 60).allSatisfy { $0.isSuccess && $0.args["n"] == 2 })
        }
    }

    @Test("one that sleeps is cancelled from outside, with its args as they stand, and closes what it has open")
    func cancelled() async throws {
        try await withNode(
            """
            job('sleeper', function(args)
              args.before = true
              local open <close> = setmetatable({}, { __close = function() args.closed = true end })
              progress(0.5)
              sleep(1000)
              args.after = true
            end)
            """
        ) { distributor in
            let outcomes = Outcomes()
            let id = try distributor.enqueue("sleeper", feedback: outcomes.feedback)
            try await outcomes.progress.wait(for: 1)
            let isKnown = try await distributor.cancel(id)
            #expect(isKnown)
            let outcome = try #require(try await outcomes.wait(for: 1).first)
            #expect(outcome.isSuccess && outcome.status == .cancelled)
            #expect(outcome.args["before"] == true && outcome.args["closed"] == true && outcome.args["after"] == nil)
        }
    }

    @Test("a timeout counts pauses, and the errbacks have as long again")
    func timeout() async throws {
        try await withNode(
            """
            job('slow', { timeout = 0.2, max_attempt = 1 }, function() sleep(1000) end)
            job_errback('slow', function(args) sleep(0.05) args.errback = true end)
            """
        ) { distributor in
            let outcome = try await distributor.outcome("slow")
            #expect(!outcome.isSuccess && outcome.args["errback"] == true)
            let message = outcome.args["error"]?.string ?? ""
            #expect(message.hasSuffix("jobs.lua:1: the job ran longer than its timeout of 0.2 s"), "\(message)")
        }
    }

    @Test("each step may pause; callbacks and errbacks keep their order")
    func steps() async throws {
        try await withNode(
            """
            job('steps', { max_attempt = 1 }, function(args) sleep(0.01) args.order = { 1 } end)
            job_callback('steps', function(args) sleep(0.01) table.insert(args.order, 2) end)
            job_callback('steps', 'breaks', function(args) sleep(0.01) error { order = args.order } end)
            job_errback('steps', function(args) sleep(0.01) args.seen = #args.error.order end)
            job_errback('steps', function(args) sleep(0.01) args.seen = args.seen + 10 end)
            """
        ) { distributor in
            let outcome = try await distributor.outcome("steps")
            #expect(!outcome.isSuccess && outcome.args["seen"] == 12)
        }
    }

    @Test("a job performs others, which may do so themselves, and is told of their failure")
    func perform() async throws {
        try await withNode(
            """
            job('sum', function(args)
              if args.n == 0 then args.total = 0 return end
              args.total = args.n + perform('sum', { n = args.n - 1 }).total
            end)
            job('fails', { max_attempt = 1 }, function() error({ code = 7 }) end)
            job('asks', function(args)
              local good, e = pcall(perform, 'fails')
              args.code = not good and e.code
              local a, b = spawn(perform, 'sum', { n = 1 }), spawn(perform, 'sum', { n = 2 })
              local left, right = wait(a, b)
              args.both = left.total + right.total
            end)
            job('tells', function(args)
              local heard = {}
              local id = enqueue('sum', { n = 3 }, {}, function(result) args.success = result.total end)
              enqueue('fails', nil, nil, nil, function(result) args.failure = result.error.code end)
              args.id = #id
            end)
            """
        ) { distributor in
            #expect(try await distributor.perform("sum", ["n": 5], timeout: 60)["total"] == 15)
            let asked = try await distributor.perform("asks", timeout: 60)
            #expect(asked["code"] == 7 && asked["both"] == 4)
            let told = try await distributor.perform("tells", timeout: 60)
            #expect(told["success"] == 6 && told["failure"] == 7 && told["id"] == 32)
        }
    }

    @Test("what it waits for at a stop is waited for, no longer than the grace")
    func stopping() async throws {
        let log = LogRecorder()
        try await Cluster.run(
            scripts: [
                "jobs.lua": """
                job('asks', function(args) repeat sleep(0.01) until job.stopping() args.heard = true end)
                job('deaf', function(args) sleep(1000) end)
                """
            ], logger: log.logger
        ) { cluster in
            let distributor = try await cluster.startDistributor()
            let node = try await cluster.startNode("n1", for: [distributor])
            try await waitForNodes(["n1"], at: distributor)
            let outcomes = Outcomes()
            try distributor.enqueue("asks", feedback: outcomes.feedback)
            try await eventually("the job to run") { try await distributor.nodes().first?.load == 0 }
            await node.stop(grace: 60)
            #expect(outcomes.all.map { $0.args["heard"] } == [true])
            let other = try await cluster.startNode("n2", for: [distributor])
            try await waitForNodes(["n2"], at: distributor)
            try distributor.enqueue("deaf")
            try await eventually("the job to pause") { try await distributor.nodes().first?.load == 0 }
            await other.stop(grace: 0.2)
            #expect(log.lines.elements.contains { $0.text.hasPrefix("stopping while jobs run") })
        }
    }
}
