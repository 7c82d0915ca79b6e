import JobReactor
import JobReactorTesting
import Testing

@testable import JobReactorWire

/// Jobs with which volatile nodes end, as their distributor sees it.
@Suite("A job with which nodes end") struct LostNodeTests {
    private static let jobs = ["job"]

    private static func begin(_ id: JobID, attempt: Int32, of most: Int32 = 10, at node: ScriptedNode) async throws {
        let handOver = try await node.job(id).handOver
        try await node.say { LinkMessage.writeBegun(handOver, attempt: attempt, of: most, to: &$0) }
    }

    private static func finish(_ id: JobID, report: Int, at node: ScriptedNode) async throws {
        try await node.say {
            LinkMessage.writeResult(
                report,
                JobReport(
                    id: id, name: "job", feedback: Feedback(.success, args: ["done": true]), status: .complete, run: 1),
                to: &$0)
        }
    }

    @Test("is not ended by a node that was not given it")
    func foreign() async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor()
            let honest = try await ScriptedNode.connect(to: distributor, "honest", jobs: Self.jobs)
            let forger = try await ScriptedNode.connect(to: distributor, "forger", jobs: [])
            let outcomes = Outcomes()
            let id = try distributor.enqueue("job", [:], JobOptions(), feedback: outcomes.feedback)
            _ = try await honest.job(id)
            try await forger.say {
                let failed = JobReport(
                    id: id, name: "job", feedback: Feedback(.error, args: ["error": "forged"]), status: .failed, run: 9)
                LinkMessage.writeResult(1, failed, to: &$0)
            }
            // It has arrived, whatever it was worth.
            try await forger.hear("TAKEN")
            try await Self.finish(id, report: 1, at: honest)
            let outcome = try #require(try await outcomes.wait(for: 1).first)
            #expect(outcome.isSuccess && outcome.args == ["done": true])
            let client = try await RESPClient.connect(to: Address(host: "localhost", port: distributor.port ?? 0))
            #expect(try await client.send(["INFO", "jobs"]).text?.contains("refused_reports:1\r\n") == true)
            await client.close()
            try await honest.end()
            try await forger.end()
        }
    }

    @Test("fails after its last attempt, is kept, runs again when asked to, and those beside it are not counted")
    func fails() async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor()
            let (outcomes, others) = (Outcomes(), Outcomes())
            let poison = try distributor.enqueue("job", ["n": 1], JobOptions(), feedback: outcomes.feedback)
            let innocent = try distributor.enqueue("job", [:], JobOptions(), feedback: others.feedback)
            // Nobody knows yet which it was.
            let first = try await ScriptedNode.connect(to: distributor, "n1", jobs: Self.jobs)
            #expect(try await first.job(poison).suspect == nil)
            #expect(try await first.job(innocent).suspect == nil)
            try await first.end()

            let second = try await ScriptedNode.connect(to: distributor, "n2", jobs: Self.jobs)
            #expect(try await second.job(innocent).suspect == 0)
            #expect(try await second.job(poison).suspect == 0)
            try await Self.begin(poison, attempt: 1, of: 2, at: second)
            try await second.end()

            let third = try await ScriptedNode.connect(to: distributor, "n3", jobs: Self.jobs)
            #expect(try await third.job(poison).suspect == 1)
            // It is alone.
            #expect(third.sent(innocent) == nil)
            try await Self.begin(poison, attempt: 2, of: 2, at: third)
            try await third.end()

            let outcome = try #require(try await outcomes.wait(for: 1).first)
            #expect(!outcome.isSuccess && outcome.status == .failed)
            #expect(outcome.args == ["n": 1, "error": "the node n3 ended during attempt 2"])
            let failed = try #require(try await distributor.job(poison))
            #expect(failed.status == .failed && failed.attempt == 2)
            #expect(failed.lastError == "the node n3 ended during attempt 2")

            let client = try await RESPClient.connect(to: Address(host: "localhost", port: distributor.port ?? 0))
            @Sendable func said(_ words: String...) async throws -> RESPValue { try await client.send(words) }
            let next = try await ScriptedNode.connect(to: distributor, "next", jobs: Self.jobs)
            #expect(try await next.job(innocent).suspect == 0)
            try await Self.finish(innocent, report: 1, at: next)
            #expect(try await others.wait(for: 1).first?.isSuccess == true)
            try await next.end()
            try await eventually("it is gone") { try await distributor.nodes().isEmpty }

            #expect(try await said("INFO").text?.contains("kept_failed:1") == true)
            #expect(try await said("CANCEL", poison.description).integer == 0)
            #expect(
                try await said("RETRY", innocent.description).text?.contains("no job with that id has failed here")
                    == true)

            let monitor = JobMonitor(node: Address(host: "localhost", port: distributor.port ?? 0))
            let kept = try await monitor.jobs()
            #expect(kept.map(\.job.id) == [poison] && kept.map(\.owner.role) == [.distributor])
            #expect(kept.first?.job.lastError == "the node n3 ended during attempt 2")
            let other = try await monitor.load(innocent)
            #expect(other == nil)
            #expect(try await monitor.retry(poison))
            #expect(
                try await said("RETRY", poison.description).text?.contains("no job with that id has failed here")
                    == true)
            let again = try await distributor.job(poison)
            #expect(again?.status == .queued && again?.attempt == 0)
            let fourth = try await ScriptedNode.connect(to: distributor, "n4", jobs: Self.jobs)
            #expect(try await fourth.job(poison).suspect == nil)
            try await Self.finish(poison, report: 1, at: fourth)
            try await fourth.end()
            try await eventually("it is done") { try await distributor.job(poison) == nil }
            await client.close()
        }
    }

    @Test("fails as well when it breaks the link before it has begun, and is then alone")
    func unread() async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor()
            let outcomes = Outcomes()
            let options = JobOptions(maxAttempt: 2)
            let innocent = try distributor.enqueue("job", [:], options, feedback: outcomes.feedback)
            let poison = try distributor.enqueue("job", [:], options, feedback: outcomes.feedback)
            // Once as any job, twice among suspects.
            for (number, suspect) in [nil, 0, 0].enumerated() {
                let node = try await ScriptedNode.connect(to: distributor, "n\(number)", jobs: Self.jobs)
                #expect(try await node.job(poison).suspect == suspect)
                #expect(try await node.job(innocent).suspect == suspect)
                try await node.end()
            }
            // Then one by one.
            var (number, attempts, isDone) = (3, 0, false)
            while outcomes.all.count < 2, number < 10 {
                let node = try await ScriptedNode.connect(to: distributor, "n\(number)", jobs: Self.jobs)
                if !isDone {
                    #expect(try await node.job(innocent).suspect == 0)
                    #expect(node.sent(poison) == nil)
                    try await Self.finish(innocent, report: 1, at: node)
                    isDone = true
                }
                #expect(try await node.job(poison).suspect == attempts)
                attempts += 1
                try await node.end()
                if attempts == 2 { _ = try await outcomes.wait(for: 2) }
                number += 1
            }
            #expect(attempts == 2)
            #expect(outcomes.all.map(\.isSuccess) == [true, false])
            #expect(
                outcomes.all.last?.args["error"] == "the content of the job broke the link to the node n4, attempt 2")
        }
    }

    @Test("has nothing counted for a cut connection whose node comes back, nor for a node that said that it stops")
    func notCounted() async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor()
            let job = try distributor.enqueue("job")
            let first = try await ScriptedNode.connect(to: distributor, "n1", jobs: Self.jobs)
            _ = try await first.job(job)
            try await first.end()
            let second = try await ScriptedNode.connect(to: distributor, "n2", instance: "lives", jobs: Self.jobs)
            try await Self.begin(job, attempt: 1, at: second)
            try await second.end()
            let back = try await ScriptedNode.connect(to: distributor, "n2", instance: "lives", jobs: Self.jobs)
            #expect(try await back.job(job).suspect == 0)
            try await Self.begin(job, attempt: 1, at: back)
            try await back.say { LinkMessage.writeDrain(to: &$0) }
            try await back.end()
            let other = try await ScriptedNode.connect(to: distributor, "n3", jobs: Self.jobs)
            #expect(try await other.job(job).suspect == 0)
            try await Self.begin(job, attempt: 1, at: other)
            try await other.end()
            try await eventually("it is gone") { try await distributor.nodes().isEmpty }
            // Another process of that name.
            let last = try await ScriptedNode.connect(to: distributor, "n3", instance: "another", jobs: Self.jobs)
            #expect(try await last.job(job).suspect == 1)
            try await last.end()
        }
    }

    @Test("keeps the attempts that failed at a node, when that is lost while the job waits for the next")
    func waits() async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor()
            let job = try distributor.enqueue("job")
            let first = try await ScriptedNode.connect(to: distributor, "n1", jobs: Self.jobs)
            _ = try await first.job(job)
            try await first.end()
            let second = try await ScriptedNode.connect(to: distributor, "n2", jobs: Self.jobs)
            try await Self.begin(job, attempt: 1, at: second)
            let handOver = try await second.job(job).handOver
            try await second.say { LinkMessage.writeWaits(handOver, attempt: 1, to: &$0) }
            try await second.end()
            let third = try await ScriptedNode.connect(to: distributor, "n3", jobs: Self.jobs)
            #expect(try await third.job(job).suspect == 1)
            try await third.end()
        }
    }

    @Test("can be cancelled while it is held for another")
    func cancelledWhileHeld() async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor()
            let outcomes = Outcomes()
            let jobs = try (0..<3).map { _ in
                try distributor.enqueue("job", [:], JobOptions(), feedback: outcomes.feedback)
            }
            for number in 0..<3 {
                let node = try await ScriptedNode.connect(to: distributor, "n\(number)", jobs: Self.jobs)
                for job in jobs { _ = try await node.job(job) }
                try await node.end()
            }
            let node = try await ScriptedNode.connect(to: distributor, "last", jobs: Self.jobs)
            _ = try await node.job(jobs[0])
            // All three are at the node, as far as its credit is concerned.
            try await eventually("they are placed") { try await distributor.nodes().first?.load == 3 }
            let isCancelled = try await distributor.cancel(jobs[1])
            #expect(isCancelled)
            #expect(try await outcomes.wait(for: 1).first?.status == .cancelled)
            let load = try await distributor.nodes().first?.load
            #expect(load == 2)
            #expect(node.sent(jobs[2]) == nil)
            try await Self.finish(jobs[0], report: 1, at: node)
            _ = try await node.job(jobs[2])
            #expect(node.sent(jobs[1]) == nil)
            try await Self.finish(jobs[2], report: 2, at: node)
            _ = try await outcomes.wait(for: 3)
            try await node.end()
        }
    }

    @Test("is kept by a distributor with a storage when it starts again, as are the attempts of one that goes on")
    func stored() async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let place = MemoryStorage()
            let configuration = DistributorConfiguration(
                name: "app", port: 0, grace: 0, storage: place, logger: cluster.logger)
            let first = Distributor(configuration)
            try await first.start()
            let outcomes = Outcomes()
            let failing = try first.enqueue("job", [:], JobOptions(maxAttempt: 1), feedback: outcomes.feedback)
            try await first.flush()
            var node = try await ScriptedNode.connect(to: first, "n1", jobs: Self.jobs)
            _ = try await node.job(failing)
            try await node.end()
            node = try await ScriptedNode.connect(to: first, "n2", jobs: Self.jobs)
            try await Self.begin(failing, attempt: 1, of: 1, at: node)
            try await node.end()
            _ = try await outcomes.wait(for: 1)
            let going = try first.enqueue("job")
            try await first.flush()
            for number in 3...4 {
                node = try await ScriptedNode.connect(to: first, "n\(number)", jobs: Self.jobs)
                try await Self.begin(going, attempt: 1, of: 5, at: node)
                try await node.end()
            }
            try await eventually("it is counted") { try await first.nodes().isEmpty }
            let counted = try await first.job(going)
            #expect(counted?.attempt == 1 && counted?.lastError == "the node n4 ended during attempt 1")
            await first.stop()

            let second = Distributor(configuration)
            try await second.start()
            let record = try await second.job(failing)
            #expect(record?.status == .failed && record?.lastError == "the node n2 ended during attempt 1")
            node = try await ScriptedNode.connect(to: second, "n5", jobs: Self.jobs)
            #expect(try await node.job(going).suspect == 1)
            try await Self.finish(going, report: 1, at: node)
            let client = try await RESPClient.connect(to: Address(host: "localhost", port: second.port ?? 0))
            #expect(try await client.send(["RETRY", failing.description]).integer == 1)
            #expect(try await node.job(failing).suspect == nil)
            try await node.end()
            try await eventually("the node is gone") { try await second.nodes().isEmpty }
            await second.stop()

            let third = Distributor(configuration)
            try await third.start()
            let again = try await third.job(failing)
            #expect(again?.status == .queued)
            await third.stop()
            await client.close()
        }
    }

    @Test("makes nobody wait for the end of another: those that had bad luck three times run beside each other")
    func meeting() async throws {
        let runs = RunLog()
        let lua = """
            \(runs.lua)
            job('job', function(args)
              note('here')
              repeat
                sleep(0.01)
                local lines = 0
                for _ in io.lines(args.file) do lines = lines + 1 end
              until lines >= 5
            end)
            """
        try await Cluster.run(scripts: ["jobs.lua": lua]) { cluster in
            let distributor = try await cluster.startDistributor()
            let outcomes = Outcomes()
            let ids = try (0..<5).map { _ in
                try distributor.enqueue(
                    "job", ["file": .string(runs.path)], JobOptions(), feedback: outcomes.feedback)
            }
            for number in 1...3 {
                let node = try await ScriptedNode.connect(to: distributor, "n\(number)", jobs: Self.jobs)
                for id in ids { _ = try await node.job(id) }
                try await node.end()
            }
            try await cluster.startNode("real", for: [distributor])
            let all = try await outcomes.wait(for: 5)
            #expect(all.map(\.isSuccess) == Array(repeating: true, count: 5))
            #expect(runs.lines == Array(repeating: "here", count: 5))
        }
    }

    @Test("has no strike for cut connections whose node comes back, however often", arguments: [1, 12])
    func cutOften(_ cuts: Int) async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor()
            let outcomes = Outcomes()
            let ids = try (0..<3).map { _ in
                try distributor.enqueue("job", [:], JobOptions(maxAttempt: 1), feedback: outcomes.feedback)
            }
            for _ in 0..<cuts {
                let node = try await ScriptedNode.connect(to: distributor, "n1", instance: "same", jobs: Self.jobs)
                // Were one alone, the others would not come.
                for id in ids { #expect(try await node.job(id).suspect == nil) }
                try await node.end()
            }
            let node = try await ScriptedNode.connect(to: distributor, "n1", instance: "same", jobs: Self.jobs)
            for (number, id) in ids.enumerated() {
                _ = try await node.job(id)
                try await Self.finish(id, report: number + 1, at: node)
            }
            #expect(try await outcomes.wait(for: 3).map(\.isSuccess) == [true, true, true])
            try await node.end()
        }
    }

    @Test("is forgotten when asked to, by a distributor with a storage, too")
    func destroyed() async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let place = MemoryStorage()
            let distributor = try await cluster.startDistributor {
                $0.name = "app"
                $0.storage = place
            }
            let outcomes = Outcomes()
            let job = try distributor.enqueue("job", [:], JobOptions(maxAttempt: 1), feedback: outcomes.feedback)
            for number in 1...2 {
                let node = try await ScriptedNode.connect(to: distributor, "n\(number)", jobs: Self.jobs)
                _ = try await node.job(job)
                if number == 2 { try await Self.begin(job, attempt: 1, of: 1, at: node) }
                try await node.end()
            }
            _ = try await outcomes.wait(for: 1)
            try await eventually("its record says so") { try await place.record(job)?.status == .failed }
            let client = try await RESPClient.connect(to: Address(host: "localhost", port: distributor.port ?? 0))
            #expect(try await client.send(["DESTROY", job.description]).integer == 1)
            #expect(try await client.send(["DESTROY", job.description]).integer == nil)
            #expect(try await client.send(["JOB", job.description]) == .null)
            try await eventually("its record is gone") { try await place.record(job) == nil }
            await client.close()
        }
    }
}
