import JobReactor
import JobReactorNode
import JobReactorTesting
import JobReactorWire
import Testing

/// Jobs whose scripts limit how many of them run.
@Suite("Limited runs", .timeLimit(.minutes(5))) struct LimitedRunsTests {
    private static let scripts = [
        "jobs.lua": """
        limit('few', { concurrency = 2 })
        limit('first_three', { rate = 3, per = 3600 })
        local function work(args)
          args.began = now()
          sleep(0.02)
          args.ended = now()
        end
        job('one', { limit = 'few' }, work)
        job('other', { limit = { 'few' }, max_attempt = 2, retry_multiplier = 0.01 }, function(args)
          if job.attempt == 1 then error('once') end
          work(args)
        end)
        job('by_key', { limit = { key = 'account', concurrency = 1 } }, function(args)
          if args.stays then progress(0) sleep(3600) end
        end)
        job('some', { limit = 'first_three' }, function() end)
        job('discards', { limit = { concurrency = 1, when_full = 'discard' } }, function(args)
          if args.stays then progress(0) sleep(3600) end
        end)
        job('tries', { limit = { concurrency = 1 }, max_attempt = 2, retry_multiplier = 3600 }, function(args)
          if args.fails then progress(0) error('no') end
        end)
        """
    ]

    private static func withNodes(
        _ count: Int, _ body: @Sendable (Distributor, RESPClient) async throws -> Void
    ) async throws {
        try await Cluster.run(scripts: scripts) { cluster in
            let distributor = try await cluster.startDistributor()
            let names = (1...count).map { "n\($0)" }
            for name in names { try await cluster.startNode(name, for: [distributor]) }
            try await waitForNodes(names, at: distributor)
            let client = try await RESPClient.connect(to: Address(host: "localhost", port: distributor.port ?? 0))
            try await body(distributor, client)
            await client.close()
        }
    }

    /// What LIMITS says of a limit.
    private static func row(_ name: String, _ client: RESPClient) async throws -> [String: String] {
        guard case .array(let rows) = try await client.send(["LIMITS"]) else { return [:] }
        for case .array(let row) in rows {
            let words = row.compactMap(\.text)
            let pairs = stride(from: 0, to: words.count - 1, by: 2).map { (words[$0], words[$0 + 1]) }
            let row = Dictionary(pairs) { $1 }
            if row["name"] == name { return row }
        }
        return [:]
    }

    @Test("no more run at once than may, of two jobs with one limit, on two nodes and when they are tried again")
    func atOnce() async throws {
        try await Self.withNodes(2) { distributor, client in
            let outcomes = Outcomes()
            for _ in 0..<20 {
                try distributor.enqueue("one", feedback: outcomes.feedback)
                try distributor.enqueue("other", feedback: outcomes.feedback)
            }
            let all = try await outcomes.wait(for: 40)
            #expect(all.allSatisfy { $0.isSuccess && $0.status == .complete })
            // Ends go before beginnings of the same time.
            let began = all.compactMap { $0.args["began"]?.double }.map { ($0, 1) }
            let ended = all.compactMap { $0.args["ended"]?.double }.map { ($0, -1) }
            var (running, most) = (0, 0)
            for (_, change) in (began + ended).sorted(by: { $0 < $1 }) {
                running += change
                most = max(most, running)
            }
            #expect(began.count == 40 && ended.count == 40)
            #expect(most <= 2, "\(most) ran at once")
            try await eventually("all places are free") {
                let row = try await Self.row("few", client)
                return row["in_use"] == "0" && row["waiting"] == "0"
            }
        }
    }

    @Test("each key counts apart; who waits for one does not keep others from running, and goes on when it is free")
    func keys() async throws {
        try await Self.withNodes(1) { distributor, client in
            let outcomes = Outcomes()
            let first = try distributor.enqueue(
                "by_key", ["account": "a", "stays": true], JobOptions(), feedback: outcomes.feedback)
            try await outcomes.progress.wait(for: 1)
            let second = try distributor.enqueue("by_key", ["account": "a"], JobOptions(), feedback: outcomes.feedback)
            let third = try distributor.enqueue("by_key", ["account": "b"], JobOptions(), feedback: outcomes.feedback)
            #expect(try await outcomes.wait(for: 1).map(\.id) == [third])
            let row = try await Self.row("by_key", client)
            #expect(row["in_use"] == "1" && row["waiting"] == "1" && row["key"] == "account")
            #expect(try await distributor.cancel(first))
            #expect(try await outcomes.wait(for: 3).map(\.id) == [third, first, second])
        }
    }

    @Test("so many begin within a time; one more waits, and can be cancelled") func rate() async throws {
        try await Self.withNodes(2) { distributor, client in
            let outcomes = Outcomes()
            for _ in 0..<3 { try distributor.enqueue("some", feedback: outcomes.feedback) }
            _ = try await outcomes.wait(for: 3)
            let fourth = try distributor.enqueue("some", feedback: outcomes.feedback)
            try await eventually("the fourth waits") {
                try await Self.row("first_three", client)["waiting"] == "1"
            }
            #expect(try await Self.row("first_three", client)["next_free"]?.isEmpty == false)
            #expect(try await distributor.cancel(fourth))
            let last = try #require(try await outcomes.wait(for: 4).last)
            #expect(last.id == fourth && last.status == .cancelled)
            #expect(try await Self.row("first_three", client)["waiting"] == "0")
        }
    }

    @Test("where it says so, one that may not run ends as cancelled") func discarded() async throws {
        try await Self.withNodes(1) { distributor, _ in
            let outcomes = Outcomes()
            try distributor.enqueue("discards", ["stays": true], JobOptions(), feedback: outcomes.feedback)
            try await outcomes.progress.wait(for: 1)
            #expect(try await distributor.outcome("discards").status == .cancelled)
            #expect(try await distributor.outcome("discards", [:], JobOptions(after: 0.05)).status == .cancelled)
        }
    }

    @Test("who waits to be tried again has no place") func retry() async throws {
        try await Self.withNodes(1) { distributor, _ in
            let outcomes = Outcomes()
            try distributor.enqueue("tries", ["fails": true], JobOptions(), feedback: outcomes.feedback)
            try await outcomes.progress.wait(for: 1)
            #expect(try await distributor.outcome("tries").status == .complete)
        }
    }

    @Test("who waits for a place that a distributor gives which is away says so") func away() async throws {
        let place = try await SharedRedis.location()
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let distributor = try await cluster.startDistributor { $0.name = "app" }
            let node = try await cluster.startNode("n1", for: [distributor]) {
                $0.storage = place.storage()
                $0.server = Address(host: "localhost", port: 0)
            }
            try await waitForNodes(["n1"], at: distributor)
            let outcomes = Outcomes()
            try distributor.enqueue(
                "by_key", ["account": "a", "stays": true], JobOptions(), feedback: outcomes.feedback)
            try await outcomes.progress.wait(for: 1)
            let second = try distributor.enqueue("by_key", ["account": "a"], JobOptions(after: 0.05))
            let client = try await RESPClient.connect(
                to: Address(host: "localhost", port: try #require(try await node.port())))
            func doing() async throws -> String? {
                let words = try await client.send(["JOB", second.description]).elements?.map { $0.text ?? "" } ?? []
                return words.firstIndex(of: "doing").map { words[$0 + 1] }
            }
            try await eventually("it asks for its place") { try await doing() == "waiting for a place in a limit" }
            #expect(try await client.send(["INFO"]).text?.contains("waiting_for_away:\r\n") == true)
            await distributor.stop(grace: 0)
            try await eventually("its distributor is away") {
                try await doing()
                    == "waiting for a place in a limit, which its distributor app gives, and that is away"
            }
            #expect(try await client.send(["INFO"]).text?.contains("waiting_for_away:app=1\r\n") == true)
            await client.close()
        }
    }

    @Test("a place of a node that is gone is free") func lost() async throws {
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let distributor = try await cluster.startDistributor()
            let node = try await cluster.startNode("n1", for: [distributor])
            try await waitForNodes(["n1"], at: distributor)
            let outcomes = Outcomes()
            let first = try distributor.enqueue(
                "by_key", ["account": "a", "stays": true], JobOptions(), feedback: outcomes.feedback)
            try await outcomes.progress.wait(for: 1)
            let second = try distributor.enqueue("by_key", ["account": "a"], JobOptions(), feedback: outcomes.feedback)
            await node.stop(grace: 0)
            try await cluster.startNode("n2", for: [distributor])
            try await eventually("the second has its turn") {
                // It may be tried again there, and stay.
                _ = try await distributor.cancel(first)
                return outcomes.all.contains { $0.id == second && $0.isSuccess }
            }
        }
    }
}
