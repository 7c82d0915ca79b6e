import Foundation
import JobReactor
import JobReactorNode
import JobReactorTesting
import Testing

@testable import JobReactorWire

/// What a node does with jobs that nodes ended with.
@Suite("A node with suspects") struct SuspectsAtNodeTests {
    private static func id(_ number: Int) -> JobID { JobID(high: 1, low: UInt64(number)) }

    private static func suspect(
        _ name: String, _ args: JobArguments = [:], attempts: Int32 = 0, _ options: JobOptions = JobOptions()
    ) -> JobRequest {
        var request = JobRequest(name: name, args: args, options: options)
        request.suspect = attempts
        return request
    }

    /// A node whose distributor says what the test says.
    private static func withNode(
        _ lua: String, storage: (any JobStorage)? = nil,
        _ body: @Sendable (ScriptedDistributor) async throws -> Void
    ) async throws {
        let distributor = try await ScriptedDistributor.start()
        try await Cluster.run(scripts: ["jobs.lua": lua]) { cluster in
            try await cluster.startNode("n1", for: []) {
                $0.distributors = [distributor.address]
                if let storage { $0.storage = storage }
            }
            try await distributor.welcome()
            try await body(distributor)
            try await distributor.stop()
        }
    }

    /// The verbs that came for a job, in their order, with what follows the id.
    private static func said(of number: Int, _ distributor: ScriptedDistributor) -> [String] {
        let id = id(number).description
        return distributor.heard.elements.joined().split(separator: "*").compactMap { message in
            let words = message.components(separatedBy: "\r\n").enumerated().filter { $0.offset % 2 == 0 }.map(
                \.element)
            guard words.count > 3, words[3] == id else { return nil }
            return ([words[1]] + words.dropFirst(4)).filter { !$0.isEmpty }.joined(separator: " ")
        }
    }

    private static func hearEnd(of number: Int, _ distributor: ScriptedDistributor) async throws {
        try await eventually("the end of job \(number)") {
            // All of the message.
            said(of: number, distributor).last.map { $0.hasPrefix("RESULT") && $0.hasSuffix("}") } == true
        }
    }

    @Test("begins them one by one, each told before, while others run")
    func oneByOne() async throws {
        let (runs, gate) = (RunLog(), RunLog())
        try await Self.withNode(runs.lua) { distributor in
            try await distributor.say {
                LinkMessage.writeJob(
                    HandOver(1, Self.id(1)), Self.suspect("gated", ["gate": .string(gate.path)]), to: &$0)
                LinkMessage.writeJob(HandOver(2, Self.id(2)), Self.suspect("note", attempts: 4), to: &$0)
                LinkMessage.writeJob(
                    HandOver(3, Self.id(3)), JobRequest(name: "note", args: ["text": "other"]), to: &$0)
                LinkMessage.writeJob(
                    HandOver(4, Self.id(4)), Self.suspect("note", ["text": "beside"], JobOptions(isDeferred: true)),
                    to: &$0)
            }
            // That lane has suspects of its own.
            try await eventually("the job beside runs") { runs.lines.contains("beside") }
            try await eventually("the first runs") { runs.lines.contains("gated") }
            try await eventually("that is told") { Self.said(of: 1, distributor) == ["BEGUN 1 10"] }
            #expect(Self.said(of: 2, distributor) == [])
            try FileManager.default.removeItem(atPath: gate.path)
            for number in 1...4 { try await Self.hearEnd(of: number, distributor) }
            #expect(Self.said(of: 2, distributor).first == "BEGUN 5 10")
            #expect(Self.said(of: 3, distributor).map { $0.prefix(6) } == ["RESULT"])
            let all = distributor.heard.elements.joined()
            let ended = try #require(all.range(of: "\(Self.id(1))\r\n$5\r\ngated"))
            let next = try #require(all.range(of: "BEGUN\r\n$1\r\n2\r\n"))
            #expect(ended.lowerBound < next.lowerBound)
            #expect(Set(runs.lines) == ["gated", "ran", "other", "beside"])
        }
    }

    @Test("begins the next when a run pauses")
    func pausing() async throws {
        let (runs, gate) = (RunLog(), RunLog())
        let lua = """
            job('pauses', function(args)
              repeat
                sleep(0.01)
                local gate = io.open(args.gate)
                if gate then gate:close() end
              until not gate
            end)
            """
        try await Self.withNode(runs.lua + "\n" + lua) { distributor in
            try await distributor.say {
                LinkMessage.writeJob(
                    HandOver(1, Self.id(1)), Self.suspect("pauses", ["gate": .string(gate.path)]), to: &$0)
                LinkMessage.writeJob(HandOver(2, Self.id(2)), Self.suspect("note"), to: &$0)
            }
            try await Self.hearEnd(of: 2, distributor)
            #expect(Self.said(of: 1, distributor) == ["BEGUN 1 10", "PAUSED"])
            #expect(Self.said(of: 2, distributor).first == "BEGUN 1 10")
            try FileManager.default.removeItem(atPath: gate.path)
            try await Self.hearEnd(of: 1, distributor)
            #expect(Self.said(of: 1, distributor).count == 3)
        }
    }

    @Test("says that an attempt failed and the job waits, and begins the next with care, too")
    func retrying() async throws {
        let lua = "job('fails', { max_attempt = 2, retry_multiplier = 0 }, function(args) error('no good') end)"
        try await Self.withNode(lua) { distributor in
            try await distributor.say {
                LinkMessage.writeJob(HandOver(1, Self.id(1)), Self.suspect("fails"), to: &$0)
            }
            try await Self.hearEnd(of: 1, distributor)
            #expect(Self.said(of: 1, distributor).prefix(3) == ["BEGUN 1 2", "WAITS 1", "BEGUN 2 2"])
        }
    }

    @Test("fails one whose attempts are made, as its script counts them, without a run", arguments: [false, true])
    func exhausted(isDurable: Bool) async throws {
        let runs = RunLog()
        let lua = runs.lua + "\njob('twice', { max_attempt = 2 }, function(args) error('it ran') end)"
        let storage: any JobStorage = isDurable ? try await SharedRedis.location().storage() : MemoryStorage()
        try await Self.withNode(lua, storage: storage) { distributor in
            try await distributor.say {
                LinkMessage.writeJob(HandOver(1, Self.id(1)), Self.suspect("twice", attempts: 2), to: &$0)
            }
            try await Self.hearEnd(of: 1, distributor)
            let said = distributor.heard.elements.joined()
            #expect(said.contains("{\"error\":\"the node that ran it ended during attempt 2\"}"))
            #expect(said.contains("failed"))
            #expect(!said.contains("BEGUN"))
        }
    }

    @Test("counts by itself what its end cuts short, when its storage is durable")
    func durable() async throws {
        let runs = RunLog()
        try await Self.withNode(runs.lua, storage: try await SharedRedis.location().storage()) { distributor in
            try await distributor.say {
                LinkMessage.writeJob(HandOver(1, Self.id(1)), Self.suspect("note"), to: &$0)
            }
            try await Self.hearEnd(of: 1, distributor)
            #expect(runs.lines == ["ran"])
            #expect(!distributor.heard.elements.joined().contains("BEGUN"))
        }
    }
}
