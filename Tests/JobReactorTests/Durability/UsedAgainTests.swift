import Foundation
import JobReactor
import JobReactorCore
import JobReactorNode
import JobReactorRedis
import JobReactorSQLite
import JobReactorTesting
import Logging
import Testing

@testable import JobReactorWire

/// Ids that producers give to more than one job.
@Suite("The id of a finished job") struct UsedAgainTests {
    enum Kind: CaseIterable, Sendable {
        case memory, sqlite, redis

        func storage() async throws -> any JobStorage {
            switch self {
            case .memory: return MemoryStorage()
            case .sqlite:
                let file = FileManager.default.temporaryDirectory.appending(path: "again-\(UUID().uuidString).sqlite")
                return SQLiteStorage(file: file.path, durability: .process)
            case .redis: return try await SharedRedis.location().storage()
            }
        }
    }

    private static func scripts(_ runs: RunLog) -> [String: String] {
        let ends = """
            job('ends', { max_attempt = 1 }, function(args)
              note(args.text)
              if args.how == 'failed' then error('no', 0) end
              if args.how == 'cancelled' then cancel_job() end
            end)
            """
        return ["jobs.lua": runs.lua + "\n" + ends]
    }

    @Test(
        "is free again, whatever its end was and whatever the storage", arguments: Kind.allCases,
        [JobStatus.complete, .failed, .cancelled])
    func isFree(kind: Kind, how: JobStatus) async throws {
        let (storage, runs) = (try await kind.storage(), RunLog())
        try await Cluster.run(scripts: Self.scripts(runs)) { cluster in
            let distributor = try await cluster.startDistributor {
                $0.name = "app"
                $0.storage = MemoryStorage()
            }
            let node = try await cluster.startNode("n1", for: [distributor]) {
                $0.storage = storage
                $0.policy.removeDoneJobs = false
                $0.policy.removeCancelledJobs = false
                $0.logger.logLevel = .critical
            }
            try await waitForNodes(["n1"], at: distributor)
            let client = try await RESPClient.connect(to: Address(host: "localhost", port: distributor.port ?? 0))
            let id = JobID(high: 7, low: 7)
            func words(_ verb: String, _ text: String) -> [String] {
                [verb, "ends", #"{"how":"\#(how.rawValue)","text":"\#(text)"}"#, "ID", id.description]
            }
            func expectEnd(_ text: String) async throws {
                try await eventually("\(text) has ended") {
                    let record = try await node.record(id)
                    return record?.status == how && record?.args["text"]?.string == text
                }
                // The end is stored before it is told: until then it is the same job.
                try await eventually("the end of \(text) has been told") {
                    try await client.send(["INFO"]).text?.contains("unfinished:0") == true
                }
            }
            for text in ["first", "second"] {
                #expect(try await client.send(words("ENQUEUE", text)).text == id.description)
                try await expectEnd(text)
            }
            let reply = try await client.send(words("PERFORM", "third") + ["TIMEOUT", "30"])
            let expected = how == .failed ? "JOBFAILED {" : "{"
            #expect(reply.text?.hasPrefix(expected) == true)
            #expect(reply.text?.contains(#""text":"third""#) == true)
            try await expectEnd("third")
            #expect(runs.lines == ["first", "second", "third"])
            let count = try await node.count()
            #expect(count == 1)
            await client.close()
        }
    }

    private static func request(_ text: String) -> JobRequest {
        JobRequest(name: "ends", args: ["how": "failed", "text": .string(text)])
    }

    @Test("is not free for that job when it comes again, whose end is told once more", arguments: Kind.allCases)
    func comesAgain(kind: Kind) async throws {
        let (storage, runs) = (try await kind.storage(), RunLog())
        let distributor = try await ScriptedDistributor.start()
        try await Cluster.run(scripts: Self.scripts(runs)) { cluster in
            try await cluster.startNode("n1", for: []) {
                $0.storage = storage
                $0.distributors = [distributor.address]
                $0.logger.logLevel = .critical
            }
            try await distributor.welcome()
            let id = JobID(high: 1, low: 1)
            try await distributor.say { LinkMessage.writeJob(HandOver(1, id), Self.request("first"), to: &$0) }
            try await distributor.hear("RESULT")
            try await distributor.say {
                LinkMessage.writeTaken(1, to: &$0)
                LinkMessage.writeJob(HandOver(2, id), Self.request("again"), isAgain: true, to: &$0)
            }
            try await distributor.hear("RESULT", times: 2)
            #expect(runs.lines == ["first"])
            try await distributor.say {
                LinkMessage.writeTaken(2, to: &$0)
                LinkMessage.writeJob(HandOver(3, id), Self.request("second"), to: &$0)
            }
            try await distributor.hear("RESULT", times: 3)
            #expect(runs.lines == ["first", "second"])
            // Each was told with its own args.
            let heard = distributor.heard.elements.joined()
            #expect(heard.components(separatedBy: #""text":"first""#).count == 3)
            #expect(heard.components(separatedBy: #""text":"second""#).count == 2)
            #expect(heard.components(separatedBy: #""error":"no""#).count == 4)
            try await distributor.stop()
        }
    }

    @Test("a distributor with a storage has the new job of an id whose end came in the same moment")
    func atTheDistributor() async throws {
        let (storage, runs) = (MemoryStorage(), RunLog())
        try await Cluster.run(scripts: Self.scripts(runs)) { cluster in
            let id = JobID(high: 9, low: 9)
            let distributor = try await cluster.startDistributor {
                $0.name = "app"
                $0.storage = storage
            }
            // The feedback of the first enqueues the second, in the turn of the loop in which the first is removed.
            let enqueued = Collector<JobID>()
            var options = JobOptions()
            options.id = id
            let again = options
            distributor.onSuccess("ends") { _ in
                if let id = try? distributor.enqueue("later", ["text": "second"], again) { enqueued.append(id) }
            }
            try distributor.enqueue("ends", ["text": "first"], options)
            try await cluster.startNode("n1", for: [distributor])
            try await enqueued.wait(for: 1)
            try await distributor.flush()
            try await eventually("the second is stored, and the first gone") {
                let job = try await storage.load(id)
                return job?.name == "later"
            }
        }
        #expect(runs.lines == ["first"])
    }
}
