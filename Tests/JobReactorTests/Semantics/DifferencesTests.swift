import Foundation
import JobReactor
import JobReactorNode
import JobReactorTesting
import Testing

/// Where JobReactor differs from the gem on purpose. What needs a durable storage is tested with those.
@Suite("Semantics: differences from the gem") struct DifferencesTests {
    @Test("a periodic job's attempt returns to 0 after a good run, so that failures between do not end it")
    func periodicAttempts() async throws {
        let lua = """
            turn = 0
            job('now_and_then', { max_attempt = 2 }, function(args)
              turn = turn + 1
              if turn % 2 == 0 then error('even', 0) end
            end)
            """
        try await withNode(lua) { distributor in
            let outcomes = Outcomes()
            let id = try distributor.enqueue(
                "now_and_then", [:], JobOptions(period: 0.01), feedback: outcomes.feedback)
            let all = try await outcomes.wait(for: 6)
            // Were the attempts summed up, the job would have failed at its second turn.
            #expect(all.filter(\.isSuccess).count == all.count)
            let isKnown = try await distributor.cancel(id)
            #expect(isKnown)
        }
    }

    @Test("the due time is stored as an absolute time")
    func absoluteDueTime() async throws {
        let storage = MemoryStorage()
        try await withNode("job('waits', function() end)") {
            $0.storage = storage
        } _: { distributor in
            let due = Timestamp.now.advanced(bySeconds: 3600)
            let id = try distributor.enqueue("waits", [:], JobOptions(runAt: due))
            try await eventually("the node has it") { try await storage.record(id) != nil }
            let record = try #require(try await storage.record(id))
            // What is lost and gained on the way from clock to clock of one machine.
            #expect(abs(record.dueAt.seconds - due.seconds) < 60)
        }
    }

    @Test("cancelling inside a job reports the args as they stand")
    func cancelReportsArgs() async throws {
        try await withNode("job('stops', function(args) args.n = 2 cancel_job() end)") { distributor in
            let args = try await distributor.outcome("stops", ["n": 1]).args
            #expect(args.value == ["n": 2])
        }
    }

    @Test("a job that no script defines is parked, visibly, until a script defines it: never dropped, never failed")
    func parked() async throws {
        try await Cluster.run(scripts: ["jobs.lua": "job('known', function() end)"]) { cluster in
            let distributor = try await cluster.startDistributor()
            try await cluster.startNode("n1", for: [distributor])
            try await waitForNodes(["n1"], at: distributor)
            let outcomes = Outcomes()
            let id = try distributor.enqueue("unknown", ["a": 1], JobOptions(), feedback: outcomes.feedback)
            _ = try await distributor.outcome("known")
            let waiting = try await distributor.waitingJobs()
            #expect(waiting == [WaitingJobs(name: "unknown", count: 1, isParked: true)])
            let shown = try #require(try await distributor.job(id))
            #expect(shown.status == .new && shown.node == nil && shown.attempt == 0)
            let file = cluster.jobDirectory + "/more.lua"
            try "job('unknown', function(args) args.ran = true end)".write(
                toFile: file, atomically: true, encoding: .utf8)
            try await cluster.startNode("n2", for: [distributor])
            let all = try await outcomes.wait(for: 1)
            #expect(all.map(\.args.value) == [["a": 1, "ran": true]])
        }
    }
}
