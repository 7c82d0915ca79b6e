import Foundation
import JobReactor
import JobReactorNode
import JobReactorTesting
import Testing

/// What the options of a job mean.
@Suite("Semantics: options of enqueue") struct OptionsOfEnqueueTests {
    private static let lua = """
        job('does', function(args) args.done = true end)
        job('where', function(args) args.node = args.job_itself.node end)
        job('blocks', function(args) progress(0) io.popen('while [ -e ' .. args.gate .. ' ]; do sleep 0.05; done'):close() end)
        job('fails_once', { retry_multiplier = 0 }, function(args)
          if not args.tried then error('no', 0) end
        end)
        job_errback('fails_once', function(args) args.tried = true end)
        """

    @Test("after: not before then, and fractions of a second count")
    func after() async throws {
        try await withNode(Self.lua) {
            $0.mergeJobItselfToArgs = true
        } _: { distributor in
            for wait in [0.35, 0] {
                let before = Timestamp.now.seconds
                let outcome = try await distributor.outcome("where", [:], JobOptions(after: wait))
                guard case .object(let itself) = outcome.args["job_itself"] else { throw Missing() }
                let runAt = try #require(itself["run_at"]?.double)
                #expect(runAt - before >= wait)
            }
        }
    }

    @Test("run_at: not before then; in the past it means now")
    func runAt() async throws {
        try await withNode(Self.lua) {
            $0.mergeJobItselfToArgs = true
        } _: { distributor in
            let due = Timestamp.now.advanced(bySeconds: 0.35)
            let outcome = try await distributor.outcome("where", [:], JobOptions(runAt: due))
            guard case .object(let itself) = outcome.args["job_itself"] else { throw Missing() }
            let runAt = try #require(itself["run_at"]?.double)
            // The distributor and the node may round the time between them by a microsecond.
            #expect(runAt >= due.seconds - 0.001)
            let past = try await distributor.outcome("does", [:], JobOptions(runAt: Timestamp(seconds: 1000)))
            #expect(past.isSuccess)
        }
    }

    @Test("period: again, each period after the previous run ended; with after or run_at, those set the first run")
    func period() async throws {
        let storage = MemoryStorage()
        try await withNode(Self.lua) {
            $0.storage = storage
        } _: { distributor in
            // Were the first run after the period, it would come in an hour.
            for options in [
                JobOptions(after: 0.1, period: 3600),
                JobOptions(runAt: Timestamp.now.advanced(bySeconds: 0.1), period: 3600), JobOptions(period: 3600),
            ] {
                let outcome = try await distributor.outcome("does", [:], options)
                let next = try #require(try await storage.record(outcome.id))
                #expect(next.status == .queued && next.makeAfter == 3600)
            }
            let outcomes = Outcomes()
            let id = try distributor.enqueue("does", [:], JobOptions(period: 0.02), feedback: outcomes.feedback)
            _ = try await outcomes.wait(for: 4)
            let isKnown = try await distributor.cancel(id)
            #expect(isKnown)
        }
    }

    /// A file; while it exists, a job that waits for its end runs.
    private struct Gate: ~Copyable {
        let path = FileManager.default.temporaryDirectory.appending(path: "gate-\(UUID().uuidString)").path
        init() { _ = FileManager.default.createFile(atPath: path, contents: nil) }
        func open() { try? FileManager.default.removeItem(atPath: path) }
        deinit { open() }
    }

    private static func withTwoNodes(
        strict: Bool, _ body: @Sendable (Cluster, Distributor) async throws -> Void
    ) async throws {
        try await Cluster.run(scripts: ["jobs.lua": lua]) { cluster in
            let distributor = try await cluster.startDistributor { $0.alwaysUseSpecifiedNode = strict }
            for name in ["n1", "n2"] {
                try await cluster.startNode(name, for: [distributor]) {
                    $0.mergeJobItselfToArgs = true
                    $0.window = 1
                }
            }
            try await waitForNodes(["n1", "n2"], at: distributor)
            try await body(cluster, distributor)
        }
    }

    @Test("node: the preferred one; when it is absent or busy, another free node")
    func preferredNode() async throws {
        try await Self.withTwoNodes(strict: false) { _, distributor in
            for name in ["n1", "n2", "n1", "n2"] {
                let node = try await distributor.outcome("where", [:], JobOptions(node: name)).args["node"]?.string
                #expect(node == name)
            }
            let other = try await distributor.outcome("where", [:], JobOptions(node: "absent"))
            #expect(other.isSuccess)
            let gate = Gate()
            let outcomes = Outcomes()
            try distributor.enqueue(
                "blocks", ["gate": .string(gate.path)], JobOptions(node: "n1"), feedback: outcomes.feedback)
            try await outcomes.progress.wait(for: 1)
            let node = try await distributor.outcome("where", [:], JobOptions(node: "n1")).args["node"]
            #expect(node == "n2")
            gate.open()
            _ = try await outcomes.wait(for: 1)
        }
    }

    @Test("with always_use_specified_node it waits for just that node")
    func strictNode() async throws {
        try await Self.withTwoNodes(strict: true) { cluster, distributor in
            let gate = Gate()
            let outcomes = Outcomes()
            try distributor.enqueue(
                "blocks", ["gate": .string(gate.path)], JobOptions(node: "n1"), feedback: outcomes.feedback)
            try await outcomes.progress.wait(for: 1)
            let busy = Outcomes()
            try distributor.enqueue("where", [:], JobOptions(node: "n1"), feedback: busy.feedback)
            let absent = Outcomes()
            try distributor.enqueue("where", [:], JobOptions(node: "n3"), feedback: absent.feedback)
            // n2 is free, and has all that is for anybody.
            for _ in 0..<20 {
                let node = try await distributor.outcome("where").args["node"]
                #expect(node == "n2")
            }
            #expect(busy.all.isEmpty && absent.all.isEmpty)
            gate.open()
            let afterwards = try await busy.wait(for: 1)
            #expect(afterwards.map { $0.args["node"] } == ["n1"])
            try await cluster.startNode("n3", for: [distributor]) { $0.mergeJobItselfToArgs = true }
            let late = try await absent.wait(for: 1)
            #expect(late.map { $0.args["node"] } == ["n3"])
        }
    }

    @Test("not_node: never this node, also when it is the only one", arguments: [false, true])
    func notNode(strict: Bool) async throws {
        try await Cluster.run(scripts: ["jobs.lua": Self.lua]) { cluster in
            let distributor = try await cluster.startDistributor { $0.alwaysUseSpecifiedNode = strict }
            try await cluster.startNode("n1", for: [distributor]) { $0.mergeJobItselfToArgs = true }
            try await waitForNodes(["n1"], at: distributor)
            let outcomes = Outcomes()
            try distributor.enqueue("where", [:], JobOptions(notNode: "n1"), feedback: outcomes.feedback)
            let other = try await distributor.outcome("where").args["node"]
            #expect(other == "n1")
            #expect(outcomes.all.isEmpty)
            try await cluster.startNode("n2", for: [distributor]) { $0.mergeJobItselfToArgs = true }
            let late = try await outcomes.wait(for: 1)
            #expect(late.map { $0.args["node"] } == ["n2"])
        }
    }

    @Test("defer: on a background thread of the node, so that a heavy job does not hold up the reactor")
    func deferred() async throws {
        try await withNode(Self.lua) { distributor in
            let gate = Gate()
            let outcomes = Outcomes()
            try distributor.enqueue(
                "blocks", ["gate": .string(gate.path)], JobOptions(isDeferred: true), feedback: outcomes.feedback)
            try await outcomes.progress.wait(for: 1)
            for _ in 0..<20 {
                let done = try await distributor.outcome("does").args["done"]
                #expect(done == true)
            }
            #expect(outcomes.all.isEmpty)
            gate.open()
            _ = try await outcomes.wait(for: 1)
        }
    }

    @Test("the producer may say max_attempt and retry_multiplier for one job")
    func retriesOfOneJob() async throws {
        let storage = MemoryStorage()
        try await withNode("job('fails', function() error('no', 0) end)") {
            $0.storage = storage
        } _: { distributor in
            let outcome = try await distributor.outcome("fails", [:], JobOptions(maxAttempt: 1))
            #expect(outcome.status == .failed)
            let id = try distributor.enqueue("fails", [:], JobOptions(retryMultiplier: 1000))
            try await eventually("it waits") { try await storage.record(id)?.makeAfter == 1000 }
        }
    }

    private struct Missing: Error {}
}
