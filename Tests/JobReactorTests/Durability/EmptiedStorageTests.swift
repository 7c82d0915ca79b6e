import Foundation
import JobReactor
import JobReactorNode
import JobReactorRedis
import JobReactorTesting
import JobReactorWire
import Logging
import Testing

/// A Redis server that somebody empties under a distributor or a node, and a storage that another takes over.
@Suite("An emptied storage") struct EmptiedStorageTests {
    private static func emptyAll(_ place: RedisLocation) async throws {
        let redis = try await RESPClient.connect(to: place.address)
        _ = try await redis.send([
            "EVAL", "for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do redis.call('DEL', key) end", "0",
            place.prefix,
        ])
        await redis.close()
    }

    @Test("gets from its distributor all that waits there once more, and the distributor goes on")
    func distributor() async throws {
        let (place, runs) = (try await SharedRedis.location(), RunLog())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let recorder = LogRecorder()
            func configuration(_ logger: Logger) -> DistributorConfiguration {
                DistributorConfiguration(
                    name: "app", port: 0, grace: 0, storage: place.storage(lease: 1), logger: logger)
            }
            let first = Distributor(configuration(recorder.logger))
            try await first.start()
            for number in 0..<20 { try first.enqueue("note", ["text": .integer(Int64(number))]) }
            try await first.flush()
            try await Self.emptyAll(place)
            // It finds out at its renewal, or at the next job.
            let client = try await RESPClient.connect(to: Address(host: "localhost", port: first.port ?? 0))
            let id = try await client.send(["ENQUEUE", "note", #"{"text":20}"#]).text.flatMap { JobID($0) }
            #expect(id != nil)
            await client.close()
            try await eventually("all is stored again") {
                recorder.lines.elements.contains { $0.text == "the jobs known here are stored again" }
            }
            try await first.flush()
            await first.stop()
            let second = Distributor(configuration(cluster.logger))
            try await second.start()
            let waiting = try await second.waitingJobs()
            #expect(waiting.map(\.count) == [21])
            try await cluster.startNode("n1", for: [second])
            try await eventually("all ran") { runs.lines.count == 21 }
            #expect(Set(runs.lines) == Set((0...20).map { "\($0)" }))
            await second.stop()
        }
    }

    @Test("that another distributor of the name has taken over ends the first, with the reason")
    func takenOver() async throws {
        let place = try await SharedRedis.location()
        try await Cluster.run(scripts: [:]) { cluster in
            let quiet = LogRecorder()
            let first = Distributor(
                DistributorConfiguration(
                    name: "app", port: 0, grace: 60, storage: place.storage(lease: 1), logger: quiet.logger))
            let running = Task { try await first.run() }
            try await eventually("it serves") { first.port != nil }
            try first.enqueue("note")
            try await first.flush()
            let redis = try await RESPClient.connect(to: place.address)
            let other = place.storage()
            try await eventually("another has it") {
                _ = try await redis.send(["DEL", "\(place.prefix)distributor:app:lease"])
                _ = try await redis.send(["HSET", "\(place.prefix)served", "since", "0"])
                return (try? await other.open(StorageOwner(role: .distributor, name: "app"))) != nil
            }
            await redis.close()
            let error = await #expect(throws: StorageError.self) { try await running.value }
            #expect(error?.code == .lost)
            #expect(error?.message.contains("has taken over") == true)
            try await eventually("it takes no more") { (try? first.enqueue("late")) == nil }
            // The other has the job, and nothing else.
            let jobs = try await other.jobs()
            #expect(jobs.map(\.name) == ["note"])
            await other.close()
        }
    }

    @Test("of a node: what waited has failed, what runs comes to its end, and the node goes on")
    func node() async throws {
        let (place, runs) = (try await SharedRedis.location(), RunLog())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let recorder = LogRecorder()
            let distributor = try await cluster.startDistributor()
            let gate = RunLog()
            let node = try await cluster.startNode("n1", for: [distributor]) {
                $0.storage = place.storage(lease: 1)
                $0.logger = recorder.logger
            }
            try await waitForNodes(["n1"], at: distributor)
            let (running, waiting, later) = (Outcomes(), Outcomes(), Outcomes())
            try distributor.enqueue(
                "gated", ["gate": .string(gate.path)], JobOptions(), feedback: running.feedback)
            let ids = try (0..<5).map { _ in
                try distributor.enqueue("note", [:], JobOptions(after: 3600), feedback: waiting.feedback)
            }
            try await eventually("the node has them") { try await node.count() == 6 && runs.lines == ["gated"] }
            try await Self.emptyAll(place)
            let failed = try await waiting.wait(for: 5)
            #expect(Set(failed.map(\.id)) == Set(ids))
            #expect(failed.allSatisfy { !$0.isSuccess && $0.status == .failed })
            #expect(failed.first?.args["error"]?.string?.contains("is gone") == true)
            try await eventually("it is open again") {
                recorder.lines.elements.contains { $0.text.contains("the storage is open again") }
            }
            try FileManager.default.removeItem(atPath: gate.path)
            let ended = try await running.wait(for: 1)
            #expect(ended.map(\.isSuccess) == [true])
            #expect(runs.lines == ["gated"])
            // New jobs come, also those that fail and run again.
            try distributor.enqueue(
                "fail", [:], JobOptions(maxAttempt: 2, retryMultiplier: 0), feedback: later.feedback)
            let last = try await later.wait(for: 1)
            #expect(last.map(\.status) == [.failed])
            #expect(runs.lines == ["gated", "fail", "fail"])
        }
    }

    @Test("of a node: a job that failed while its record was gone has its next attempt")
    func retried() async throws {
        let (place, runs) = (try await SharedRedis.location(), RunLog())
        let gate = RunLog()
        let once = """
            job('once', { max_attempt = 2, retry_multiplier = 0 }, function(args)
              note('once')
              repeat
                local gate = io.open('\(gate.path)')
                if gate then gate:close() progress(0.5) end
              until not gate
              if not args.again then error('no good') end
            end)
            job_errback('once', function(args) args.again = true end)
            """
        let lua = "\(runs.lua)\n\(once)"
        try await Cluster.run(scripts: ["jobs.lua": lua]) { cluster in
            let recorder = LogRecorder()
            let distributor = try await cluster.startDistributor()
            try await cluster.startNode("n1", for: [distributor]) {
                $0.storage = place.storage(lease: 1)
                $0.logger = recorder.logger
            }
            try await waitForNodes(["n1"], at: distributor)
            let outcomes = Outcomes()
            try distributor.enqueue("once", feedback: outcomes.feedback)
            try await eventually("it runs") { runs.lines == ["once"] }
            try await Self.emptyAll(place)
            try FileManager.default.removeItem(atPath: gate.path)
            let all = try await outcomes.wait(for: 1)
            #expect(all.map(\.isSuccess) == [true])
            #expect(runs.lines == ["once", "once"])
        }
    }
}
