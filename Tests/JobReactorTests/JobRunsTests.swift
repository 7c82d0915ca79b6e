import JobReactor
import JobReactorNode
import JobReactorTesting
import Logging
import Testing

/// What a job may say of its own runs, and what becomes of it.
@Suite struct JobRunsTests {
    static let scripts = [
        "jobs.lua": """
        job('thread', function(args) args.thread = tostring(_G) end)
        job('waits', function(args) io.popen('sleep ' .. args.seconds):close() args.thread = tostring(_G) end)
        job('too_long', { timeout = 0.1, max_attempt = 2, retry_multiplier = 0 }, function(args)
          while true do pcall(function() while true do end end) end
        end)
        job_errback('too_long', function(args) args.seen = (args.seen or 0) + 1 end)
        job('own_wait', { max_attempt = 3, retry_multiplier = 3600, backoff = function(attempt) return attempt / 100 end },
          function(args) error('no', 0) end)
        job('errback_waits', { max_attempt = 2, retry_multiplier = 3600 }, function(args) error('no', 0) end)
        job_errback('errback_waits', function() retry_in(0.01) end)
        job('never_again', { max_attempt = 1 }, function(args) error('no', 0) end)
        job('steps', function(args)
          progress(0.25, 'a quarter')
          io.popen('sleep 0.2'):close()
          progress(nil, 'soon')
          io.popen('sleep 0.2'):close()
          progress(1)
        end)
        job('parent', function(args)
          args.child = enqueue('child', { n = 1 })
          args.children = enqueue{ { 'child', { n = 2 } }, { name = 'child', args = { n = 3 } } }
        end)
        job('child', function(args) args.seen = args.n * 10 end)
        job('bad_parent', { max_attempt = 1 }, function(args) enqueue('child', {}, { after = 'soon' }) end)
        """
    ]

    private static func withNode(
        _ body: @Sendable (Cluster, Distributor) async throws -> Void
    ) async throws {
        try await Cluster.run(scripts: scripts) { cluster in
            let distributor = try await cluster.startDistributor()
            try await cluster.startNode("n1", for: [distributor])
            try await waitForNodes(["n1"], at: distributor)
            try await body(cluster, distributor)
        }
    }

    @Test func aDeferredJobRunsInAStateOfItsOwnAndDoesNotHoldUpTheOthers() async throws {
        try await Self.withNode { _, distributor in
            let results = Collector<JobResult>()
            let deferred = try distributor.enqueue("waits", ["seconds": 1], JobOptions(isDeferred: true)) {
                results.append($0)
            }
            let plain = try distributor.enqueue("thread") { results.append($0) }
            try await results.wait(for: 2)
            #expect(results.elements.map(\.id) == [plain, deferred])
            #expect(results.elements[0]["thread"] != results.elements[1]["thread"])
        }
    }

    @Test func aJobThatTakesTooLongFailsAndIsTriedAgain() async throws {
        try await Self.withNode { _, distributor in
            let failure = await #expect(throws: JobFailure.self) {
                try await distributor.perform("too_long", timeout: 60)
            }
            #expect(failure?.args["seen"] == 2)
            #expect(failure?.message.contains("the job ran longer than its timeout of 0.1 s") == true)
        }
    }

    @Test func theJobItselfSaysWhenToTryAgain() async throws {
        try await Self.withNode { _, distributor in
            for name in ["own_wait", "errback_waits", "never_again"] {
                let failure = await #expect(throws: JobFailure.self) {
                    try await distributor.perform(name, timeout: 60)
                }
                #expect(failure?.message == "no", "\(name)")
            }
        }
    }

    @Test func theApplicationSeesHowFarAJobIs() async throws {
        try await Self.withNode { _, distributor in
            let port = try #require(distributor.port)
            let client = try await JobClient.connect(port: port)
            let named = Collector<JobProgress>()
            distributor.onProgress("steps") { named.append($0) }
            for producer in [distributor, client] as [any JobProducer] {
                let steps = Collector<JobProgress>()
                _ = try await producer.perform("steps", timeout: 60, onProgress: { steps.append($0) })
                #expect(steps.elements.map(\.fraction) == [0.25, nil, 1])
                #expect(steps.elements.map(\.text) == ["a quarter", "soon", ""])
                #expect(steps.elements.map(\.name) == ["steps", "steps", "steps"])
            }
            #expect(named.elements.count == 6)
            await client.stop()
        }
    }

    @Test func manyJobsGoInOneCallAllOrNone() async throws {
        try await Self.withNode { _, distributor in
            let results = Collector<JobResult>()
            let feedback = JobFeedback(onSuccess: { results.append($0) })
            let jobs = (1...500).map { JobSubmission("child", ["n": .integer($0)], feedback: feedback) }
            let ids = try distributor.enqueue(contentsOf: jobs)
            try await results.wait(for: 500)
            #expect(Set(results.elements.map(\.id)) == Set(ids))
            #expect(ids == ids.sorted())
            #expect(throws: JobError.self) {
                try distributor.enqueue(contentsOf: jobs + [JobSubmission("no spaces", feedback: feedback)])
            }
            #expect(throws: JobError.self) {
                try distributor.enqueue(
                    contentsOf: jobs + [JobSubmission("child", [:], JobOptions(after: -1), feedback: feedback)])
            }
            #expect(try distributor.enqueue(contentsOf: []) == [])
            _ = try await distributor.perform("child", ["n": 7], timeout: 30)
            #expect(results.elements.count == 500)
        }
    }

    @Test func aScriptEnqueuesOtherJobs() async throws {
        try await Self.withNode { _, distributor in
            let children = Collector<JobResult>()
            distributor.onSuccess("child") { children.append($0) }
            let parent = try await distributor.perform("parent", timeout: 60)
            try await children.wait(for: 3)
            let ids = [parent["child"]?.string] + (parent["children"]?.array ?? []).map(\.string)
            #expect(Set(children.elements.map(\.id.description)) == Set(ids.compactMap { $0 }))
            #expect(Set(children.elements.map { $0["seen"] }) == [10, 20, 30])
            let failure = await #expect(throws: JobFailure.self) {
                try await distributor.perform("bad_parent", timeout: 30)
            }
            #expect(failure?.message.contains("after takes seconds, not \"soon\"") == true)
        }
    }

    @Test func handlersByNameHearOfEveryJobOfThatName() async throws {
        try await Self.withNode { _, distributor in
            let results = Collector<JobResult>()
            let failures = Collector<JobFailure>()
            distributor.onSuccess("child") { results.append($0) }
            distributor.onSuccess("child") { results.append($0) }
            distributor.onError("never_again") { failures.append($0) }
            _ = try await distributor.perform("child", ["n": 1], timeout: 30)
            try distributor.enqueue("never_again")
            try await failures.wait(for: 1)
            #expect(results.elements.count == 2)
            #expect(failures.elements.map(\.message) == ["no"])
        }
    }

    @Test func handlersByNameGetWhatANodeKeptWhileTheDistributorWasAway() async throws {
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let first = try await cluster.startDistributor { $0.name = "app" }
            let port = try #require(first.port)
            try await cluster.startNode("n1", for: [first])
            try await waitForNodes(["n1"], at: first)
            let id = try first.enqueue("waits", ["seconds": 1])
            try await eventually("it runs") { try await first.job(id)?.status == .inProgress }
            await first.stop(grace: 0)

            let results = Collector<JobResult>()
            var configuration = DistributorConfiguration(name: "app", port: port, grace: 1)
            configuration.logger.logLevel = .error
            // A connection of another test may have the port for a moment.
            let second = try await Distributor.whenPortIsFree(configuration) { distributor in
                distributor.onSuccess("waits") { results.append($0) }
            }
            try await results.wait(for: 1, seconds: 60)
            #expect(results.elements.map(\.id) == [id])
            // Once, however often the link comes and goes.
            try await waitForNodes(["n1"], at: second)
            _ = try await second.perform("thread", timeout: 30)
            #expect(results.elements.count == 1)
            await second.stop()
        }
    }
}
