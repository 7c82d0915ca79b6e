import JobReactor
import JobReactorNode
import JobReactorTesting
import Testing

/// Cancelling from outside, wherever the job is at that moment.
@Suite struct CancellingTests {
    static let scripts = [
        "jobs.lua": """
        job('echo', function(args) args.ran = true end)
        job('hangs', function(args) args.stands = 1 progress(0) while true do pcall(function() while true do end end) end end)
        job('errback_hangs', function(args) error('first', 0) end)
        job_errback('errback_hangs', function(args) args.kept = 1 progress(0) while true do end end)
        job('fails', { retry_multiplier = 3600 }, function() progress(0) error('no') end)
        """
    ]

    /// What came of a job, and whether it has begun.
    private struct Told: Sendable {
        let results = Collector<JobResult>()
        let failures = Collector<JobFailure>()
        let begun = Collector<JobProgress>()
        var feedback: JobFeedback {
            JobFeedback(
                onSuccess: { [results] in results.append($0) }, onError: { [failures] in failures.append($0) },
                onProgress: { [begun] in begun.append($0) })
        }
    }

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

    @Test func aJobThatWaitsAtTheDistributorNeverRuns() async throws {
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let distributor = try await cluster.startDistributor()
            let told = Told()
            let id = try distributor.enqueue("echo", ["a": 1], JobOptions(), feedback: told.feedback)
            let other = try distributor.enqueue("echo", ["a": 2], JobOptions(), feedback: told.feedback)
            #expect(try await distributor.cancel(id))
            try await told.results.wait(for: 1)
            #expect(told.results.elements.map(\.args) == [["a": 1]])
            #expect(told.results.elements.map(\.status) == [.cancelled])
            #expect(try await distributor.cancel(id) == false)
            try await cluster.startNode("n1", for: [distributor])
            try await told.results.wait(for: 2)
            #expect(told.results.elements.last?.id == other)
        }
    }

    @Test func aJobThatWaitsForItsTimeOnANodeNeverRuns() async throws {
        try await Self.withNode { _, distributor in
            let told = Told()
            let id = try distributor.enqueue("echo", ["a": 1], JobOptions(after: 3600), feedback: told.feedback)
            try await eventually("the node has it") { try await distributor.job(id)?.node == "n1" }
            #expect(try await distributor.cancel(id))
            try await told.results.wait(for: 1)
            #expect(told.results.elements.map(\.args) == [["a": 1]])
            #expect(told.results.elements.map(\.status) == [.cancelled])
            #expect(try await distributor.job(id) == nil)
        }
    }

    @Test func aJobCancelledRightAfterItWasEnqueuedEndsOnce() async throws {
        try await Self.withNode { _, distributor in
            let told = Told()
            for _ in 1...200 {
                let id = try distributor.enqueue("echo", [:], JobOptions(), feedback: told.feedback)
                _ = try await distributor.cancel(id)
            }
            try await told.results.wait(for: 200)
            #expect(told.failures.elements.isEmpty)
            #expect(Set(told.results.elements.map(\.id)).count == 200)
            for result in told.results.elements {
                // One that is interrupted in its last step reports its args as they stand.
                #expect(result.args == ["ran": true] || result.status == .cancelled && result.args == [:])
            }
        }
    }

    @Test func aRunningJobIsInterruptedThoughItCatchesErrors() async throws {
        try await Self.withNode { _, distributor in
            let told = Told()
            let id = try distributor.enqueue("hangs", ["a": 1], JobOptions(), feedback: told.feedback)
            try await told.begun.wait(for: 1)
            #expect(try await distributor.job(id)?.status == .inProgress)
            #expect(try await distributor.cancel(id))
            try await told.results.wait(for: 1)
            #expect(told.results.elements.map(\.args.value) == [["a": 1, "stands": 1]])
            #expect(told.results.elements.map(\.status) == [.cancelled])
            // The lane is free again.
            #expect(try await distributor.perform("echo", timeout: 30)["ran"] == true)
        }
    }

    @Test func aJobInterruptedInAnErrbackReportsToTheErrorFeedback() async throws {
        try await Self.withNode { _, distributor in
            let told = Told()
            let id = try distributor.enqueue("errback_hangs", [:], JobOptions(), feedback: told.feedback)
            try await told.begun.wait(for: 1)
            #expect(try await distributor.cancel(id))
            try await told.failures.wait(for: 1)
            #expect(told.failures.elements.map(\.args.value) == [["kept": 1, "error": "first"]])
            #expect(told.failures.elements.map(\.status) == [.cancelled])
        }
    }

    @Test func aJobThatWaitsForItsNextAttemptIsNotTriedAgain() async throws {
        try await Self.withNode { _, distributor in
            let told = Told()
            let id = try distributor.enqueue("fails", [:], JobOptions(), feedback: told.feedback)
            try await eventually("it has failed once") { try await distributor.job(id)?.failedAt != nil }
            let record = try #require(try await distributor.job(id))
            #expect(record.attempt == 1)
            #expect(record.status == .queued)
            #expect(record.lastError?.hasSuffix("no") == true)
            #expect(record.makeAfter == 3600)
            #expect(try await distributor.cancel(id))
            try await told.results.wait(for: 1)
            #expect(told.results.elements.map(\.status) == [.cancelled])
        }
    }

    @Test func aClientCancelsItsJobsAndThoseOfOthers() async throws {
        try await Self.withNode { _, distributor in
            let port = try #require(distributor.port)
            let client = try await JobClient.connect(port: port)
            let told = Told()
            let own = try client.enqueue("hangs", [:], JobOptions(), feedback: told.feedback)
            try await told.begun.wait(for: 1)
            #expect(try await client.cancel(own))
            try await told.results.wait(for: 1)
            let foreign = try distributor.enqueue("echo", [:], JobOptions(after: 3600))
            try await eventually("the node has it") { try await client.job(foreign)?.node == "n1" }
            #expect(try await client.cancel(foreign))
            try await eventually("it is gone") { try await client.job(foreign) == nil }
            #expect(try await client.cancel(foreign) == false)
            await client.stop()
        }
    }
}
