import Foundation
import JobReactor
import JobReactorCore
import JobReactorNode
import JobReactorRedis
import JobReactorTesting
import JobReactorWire
import Testing

/// Who changed what, as `AUDIT` tells it.
@Suite("The audit log", .timeLimit(.minutes(5))) struct AuditTests {
    private static func connect(_ port: Int?) async throws -> RESPClient {
        try await RESPClient.connect(to: Address(host: "localhost", port: try #require(port)))
    }

    /// Command, change and user of each entry, the newest first.
    private static func audit(_ client: RESPClient, _ words: [String] = []) async throws -> [String] {
        let rows = try #require(try await client.send(["AUDIT"] + words).elements)
        return try rows.map { row in
            let words = try #require(row.elements).compactMap(\.text)
            try #require(words.count == 10)
            #expect(try #require(Double(words[1])) > 1_700_000_000)
            #expect(words[5].hasPrefix("127.0.0.1:") || words[5].hasPrefix("[::1]:"))
            return "\(words[7]) \(words[9]) by \(words[3])"
        }
    }

    @Test("has what changed something at a distributor, and nothing else", arguments: [false, true])
    func distributor(isDurable: Bool) async throws {
        let place = try await SharedRedis.location()
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor {
                $0.name = "app"
                if isDurable { $0.storage = place.storage() }
            }
            let client = try await Self.connect(distributor.port)
            var ids: [String] = []
            for _ in 0..<3 {
                ids.append(try #require(try await client.send(["ENQUEUE", "j", "{}", "AFTER", "99"]).text))
            }
            #expect(try await Self.audit(client) == [])
            for id in ids { #expect(try await client.send(["CANCEL", id]) == .integer(1)) }
            #expect(try await client.send(["CANCEL", ids[0]]) == .integer(0))
            #expect(try await client.send(["DESTROY", ids[0]]).text?.hasPrefix("ERR ") == true)
            let lines = ids.reversed().map { "CANCEL the job \($0) is cancelled by default" }
            #expect(try await Self.audit(client) == lines)
            #expect(try await Self.audit(client, ["COUNT", "2"]) == Array(lines.prefix(2)))
            #expect(
                try await client.send(["AUDIT", "COUNT", "0"]).text
                    == "ERR COUNT takes a number from 1 to 1000, not '0'")
            #expect(
                try await client.send(["AUDIT", "2"]).text == "ERR AUDIT takes COUNT n, or nothing for the last 100")
            await client.close()
            await distributor.stop()
            guard isDurable else { return }

            let next = try await cluster.startDistributor {
                $0.name = "app"
                $0.storage = place.storage()
            }
            let again = try await Self.connect(next.port)
            #expect(try await Self.audit(again) == lines)
            await again.close()
        }
    }

    /// Calls `body` with a distributor and its node, the storage of each, and a client of the distributor.
    private static func withHeldAudits(
        _ body: @escaping @Sendable (Distributor, HeldAudit, Node, HeldAudit, RESPClient) async throws -> Void
    ) async throws {
        let (app, own) = (HeldAudit(), HeldAudit())
        try await Cluster.run(scripts: ["jobs.lua": "job('note', function() end)"]) { cluster in
            let distributor = try await cluster.startDistributor {
                $0.name = "app"
                $0.storage = app
            }
            let node = try await cluster.startNode("n1", for: [distributor]) {
                $0.server = Address(host: "localhost", port: 0)
                $0.storage = own
            }
            try await waitForNodes(["n1"], at: distributor)
            let client = try await connect(distributor.port)
            try await body(distributor, app, node, own, client)
            await client.close()
        }
    }

    @Test("has a change before its command is answered, at a distributor and at a node; others do not wait")
    func stored() async throws {
        try await Self.withHeldAudits { distributor, app, node, own, client in
            let waiting = try #require(try await client.send(["ENQUEUE", "nobody-runs-it"]).text)
            try await Self.expectHeld(app, ["CANCEL", waiting], at: distributor.port)
            let taken = try #require(try await client.send(["ENQUEUE", "note", "{}", "AFTER", "3600"]).text)
            let id = try #require(JobID(taken))
            try await eventually("the node has it") { try await distributor.job(id)?.node == "n1" }
            let port = try await node.port()
            try await Self.expectHeld(own, ["CANCEL", taken], at: port)
        }
    }

    /// The command is answered with 1 when its entry is stored, and those of others meanwhile.
    private static func expectHeld(_ storage: HeldAudit, _ command: [String], at port: Int?) async throws {
        let (client, other) = (try await connect(port), try await connect(port))
        let replies = Collector<RESPValue>()
        let asked = Task { replies.append(try await client.send(command)) }
        try await storage.held.wait(for: 1)
        #expect(storage.held.elements.map(\.command) == ["CANCEL"])
        #expect(try await other.send(["INFO"]).text?.isEmpty == false)
        #expect(replies.elements.isEmpty)
        storage.release()
        try await asked.value
        #expect(replies.elements == [.integer(1)])
        await client.close()
        await other.close()
    }

    @Test("has an order for many jobs before it changes any of them, at a distributor and at a node")
    func orders() async throws {
        try await Self.withHeldAudits { distributor, app, node, own, client in
            for _ in 0..<2 { _ = try await client.send(["ENQUEUE", "nobody-runs-it"]) }
            try await Self.expectHeldOrder(app, at: distributor.port)
            for _ in 0..<2 { _ = try await client.send(["ENQUEUE", "note", "{}", "AFTER", "3600"]) }
            try await Self.expectHeldOrder(own, at: try await node.port())
        }
    }

    /// Two jobs are cancelled when the first entry is stored, and the command is answered when the second is.
    private static func expectHeldOrder(_ storage: HeldAudit, at port: Int?) async throws {
        let (client, other) = (try await connect(port), try await connect(port))
        @Sendable func unfinished() async throws -> Int? { try await other.send(["CANCEL", "ALL", "DRY"]).integer }
        try await eventually("both are there") { try await unfinished() == 2 }
        let replies = Collector<RESPValue>()
        let asked = Task { replies.append(try await client.send(["CANCEL", "ALL"])) }
        try await storage.held.wait(for: 1)
        #expect(try await unfinished() == 2)
        storage.release()
        try await storage.held.wait(for: 2)
        #expect(try await unfinished() == 0)
        #expect(replies.elements.isEmpty)
        storage.release()
        try await asked.value
        #expect(replies.elements == [.integer(2)])
        #expect(storage.held.elements.map(\.change) == ["begins to cancel jobs (all)", "2 jobs are cancelled (all)"])
        await client.close()
        await other.close()
    }

    @Test("has what changed something at a node, and cancels of applications at the distributor")
    func node() async throws {
        try await Cluster.run(scripts: ["jobs.lua": "job('fails', { max_attempt = 1 }, function() error('no') end)"]) {
            cluster in
            let distributor = try await cluster.startDistributor()
            let node = try await cluster.startNode("n1", for: [distributor]) {
                $0.server = Address(host: "localhost", port: 0)
                $0.policy.removeFailedJobs = false
            }
            try await waitForNodes(["n1"], at: distributor)
            let application = try await JobClient.connect(port: try #require(distributor.port))
            let outcomes = Outcomes()
            let failed = try application.enqueue("fails", [:], JobOptions(), feedback: outcomes.feedback)
            _ = try await outcomes.wait(for: 1)
            let client = try await Self.connect(try await node.port())
            #expect(try await client.send(["RELOAD"]).text?.isEmpty == false)
            #expect(try await client.send(["DESTROY", failed.description]) == .integer(1))
            #expect(try await client.send(["DESTROY", failed.description]) == .integer(0))
            #expect(
                try await Self.audit(client) == [
                    "DESTROY the job \(failed) is gone by default", "RELOAD the scripts are reloaded by default",
                ])
            await client.close()
            let late = try application.enqueue("fails", [:], JobOptions(after: 99), feedback: outcomes.feedback)
            #expect(try await application.cancel(late))
            let own = try await Self.connect(distributor.port)
            try await eventually("the cancellation of the application is there") {
                try await Self.audit(own) == ["CANCEL the job \(late) is cancelled by default"]
            }
            await own.close()
            await application.stop()
        }
    }
}
