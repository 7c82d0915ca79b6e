import Foundation
import JobReactor
import JobReactorNode
import JobReactorRedis
import JobReactorSQLite
import JobReactorTesting
import JobReactorWire
import Testing

/// Jobs of Redis clients, for whose outcome nobody waits, at nodes that own them.
@Suite("A job that a durable node owns") struct FindingTests {
    enum Kind: CaseIterable, Sendable {
        case sqlite, redis
    }

    /// Makes the storage of each node.
    private static func storages(_ kind: Kind) async throws -> @Sendable (String) -> any JobStorage {
        switch kind {
        case .sqlite:
            let folder = FileManager.default.temporaryDirectory.appending(path: "finding-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            return { SQLiteStorage(file: folder.appending(path: "\($0).sqlite").path, durability: .process) }
        case .redis:
            let place = try await SharedRedis.location()
            return { _ in place.storage() }
        }
    }

    private static func client(of distributor: Distributor) async throws -> RESPClient {
        try await RESPClient.connect(to: Address(host: "localhost", port: distributor.port ?? 0))
    }

    /// Enqueues a job that is due in an hour, and waits until the node has it.
    private static func enqueue(_ client: RESPClient, at node: String) async throws -> String {
        let words = ["ENQUEUE", "note", "{}", "AFTER", "3600", "NODE", node]
        let id = try #require(try await client.send(words).text)
        try await eventually("\(node) has it") { try await Self.node(of: id, client) == node }
        return id
    }

    /// The node that `JOB` says has the job; nil when it knows none.
    private static func node(of id: String, _ client: RESPClient) async throws -> String? {
        let words = (try await client.send(["JOB", id]).elements ?? []).map(\.text)
        return words.firstIndex(of: "on_node").flatMap { words[$0 + 1] }
    }

    @Test(
        "is shown and cancelled at its node, and no other is asked", arguments: Kind.allCases)
    func atItsNode(kind: Kind) async throws {
        let (storage, runs, loads) = (try await Self.storages(kind), RunLog(), Locked(0))
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let distributor = try await cluster.startDistributor()
            try await cluster.startNode("n1", for: [distributor]) { $0.storage = storage("n1") }
            try await cluster.startNode("n2", for: [distributor]) {
                $0.storage = FaultInjectingStorage(storage("n2")) { call in
                    if call.kind == .load { loads.withLock { $0 += 1 } }
                    return nil
                }
            }
            try await waitForNodes(["n1", "n2"], at: distributor)
            let client = try await Self.client(of: distributor)
            let id = try await Self.enqueue(client, at: "n1")
            #expect(try await client.send(["CANCEL", id]).integer == 1)
            #expect(loads.withLock { $0 } == 0)
            try await eventually("it is gone") { try await Self.node(of: id, client) == nil }
            #expect(try await client.send(["CANCEL", id]).integer == 0)
            // Another process asks for it, too.
            let other = try await Self.enqueue(client, at: "n2")
            let stranger = try await JobClient.connect(port: try #require(distributor.port))
            let job = try #require(JobID(other))
            #expect(try await stranger.job(job)?.node == "n2")
            #expect(try await stranger.cancel(job))
            try await eventually("it is gone") { try await stranger.job(job) == nil }
            #expect(try await distributor.cancel(job) == false)
            await stranger.stop()
            await client.close()
        }
        #expect(runs.lines.isEmpty)
    }

    @Test(
        "is found by a distributor that has been started again, and by none that has never had it",
        arguments: Kind.allCases)
    func unknown(kind: Kind) async throws {
        let (storage, runs) = (try await Self.storages(kind), RunLog())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let first = try await cluster.startDistributor()
            let second = try await cluster.startDistributor()
            for name in ["n1", "n2"] {
                try await cluster.startNode(name, for: [first, second]) { $0.storage = storage(name) }
            }
            for distributor in [first, second] { try await waitForNodes(["n1", "n2"], at: distributor) }
            let (one, other) = (try await Self.client(of: first), try await Self.client(of: second))
            for node in ["n1", "n2"] {
                let id = try await Self.enqueue(one, at: node)
                #expect(try await Self.node(of: id, other) == nil)
                #expect(try await other.send(["CANCEL", id]).integer == 0)
                #expect(try await Self.node(of: id, one) == node)
                #expect(try await one.send(["CANCEL", id]).integer == 1)
                try await eventually("it is gone") { try await Self.node(of: id, one) == nil }
            }
            let kept = try await Self.enqueue(one, at: "n2")
            await one.close()
            await other.close()
            let port = try #require(first.port)
            await first.stop()
            let again = try await cluster.restartDistributor(port: port)
            try await waitForNodes(["n1", "n2"], at: again)
            let client = try await Self.client(of: again)
            #expect(try await Self.node(of: kept, client) == "n2")
            #expect(try await client.send(["CANCEL", kept]).integer == 1)
            try await eventually("it is gone") { try await Self.node(of: kept, client) == nil }
            #expect(try await client.send(["CANCEL", JobID(high: 1, low: 2).description]).integer == 0)
            await client.close()
        }
        #expect(runs.lines.isEmpty)
    }

    @Test("is cancelled when its node comes back", arguments: Kind.allCases)
    func away(kind: Kind) async throws {
        let (storage, runs) = (try await Self.storages(kind), RunLog())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let distributor = try await cluster.startDistributor()
            let node = try await cluster.startNode("n1", for: [distributor]) { $0.storage = storage("n1") }
            try await waitForNodes(["n1"], at: distributor)
            let client = try await Self.client(of: distributor)
            let id = try await Self.enqueue(client, at: "n1")
            await node.stop()
            try await eventually("it is gone") { try await distributor.nodes().isEmpty }
            #expect(try await client.send(["CANCEL", id]).integer == 1)
            let again = try await cluster.startNode("n1", for: [distributor]) { $0.storage = storage("n1") }
            try await waitForNodes(["n1"], at: distributor)
            try await eventually("it is cancelled") { try await Self.node(of: id, client) == nil }
            let count = try await again.count()
            #expect(count == 0)
            await client.close()
        }
        #expect(runs.lines.isEmpty)
    }

    @Test("is found at the node that has taken over from its own")
    func adopted() async throws {
        let (storage, runs) = (try await Self.storages(.redis), RunLog())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let distributor = try await cluster.startDistributor { $0.takeoverTime = 0.2 }
            let gone = try await cluster.startNode("gone", for: [distributor]) { $0.storage = storage("gone") }
            try await waitForNodes(["gone"], at: distributor)
            let client = try await Self.client(of: distributor)
            let ids = [
                try await Self.enqueue(client, at: "gone"), try await Self.enqueue(client, at: "gone"),
            ]
            await gone.stop()
            try await eventually("it is gone") { try await distributor.nodes().isEmpty }
            // Cancelled while nobody has it.
            #expect(try await client.send(["CANCEL", ids[1]]).integer == 1)
            try await cluster.startNode("heir", for: [distributor]) { $0.storage = storage("heir") }
            try await eventually("the heir has the first") { try await Self.node(of: ids[0], client) == "heir" }
            try await eventually("the second is cancelled") { try await Self.node(of: ids[1], client) == nil }
            #expect(try await client.send(["CANCEL", ids[0]]).integer == 1)
            try await eventually("it is gone") { try await Self.node(of: ids[0], client) == nil }
            await client.close()
        }
        #expect(runs.lines.isEmpty)
    }

    @Test("is shown as the distributor knows it when the node that it was sent to does not answer")
    func silent() async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor()
            let node = try await ScriptedNode.connect(to: distributor, "silent", jobs: ["note"])
            let id = try distributor.enqueue("note", ["n": 1])
            _ = try await node.job(id)
            let shown = try #require(try await distributor.job(id))
            #expect(shown.name == "note" && shown.node == "silent" && shown.args["n"] == 1)
            try await node.end()
        }
    }

    @Test("one that somebody waits for is shown with its name and its node when that does not answer, or is away")
    func silentOwner() async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor()
            let node = try await ScriptedNode.connect(to: distributor, "silent", isDurable: true, jobs: ["note"])
            let client = try await Self.client(of: distributor)
            let id = JobID(high: 1, low: 2)
            let performed = Task { try await client.send(["PERFORM", "note", #"{"n":1}"#, "ID", id.description]) }
            let number = try await node.job(id).handOver.number
            try await node.say {
                LinkMessage.writeSaved(number, through: number, to: &$0)
                LinkMessage.writeStorageError("said behind it", to: &$0)
            }
            try await eventually("the distributor has heard it") {
                try await distributor.nodes().first?.storageError == "said behind it"
            }
            for isAway in [false, true] {
                if isAway {
                    try await node.end()
                    try await eventually("it is gone") { try await distributor.nodes().isEmpty }
                }
                let other = try await Self.client(of: distributor)
                let words = try await other.send(["JOB", id.description]).elements?.map { $0.text ?? "" }
                await other.close()
                let port = try #require(distributor.port)
                let shown = try #require(words)
                try #require(shown.count == (isAway ? 12 : 10))
                #expect(shown.starts(with: ["id", id.description, "name", "note", "status", "queued", "distributor"]))
                #expect(shown[7].hasSuffix(":\(port)"))
                #expect(shown[8...9] == ["on_node", "silent"])
                if isAway {
                    #expect(shown[10] == "waits_for")
                    #expect(shown[11].contains("silent"))
                }
                #expect(try await distributor.job(id)?.node == "silent")
            }
            await client.close()
            _ = try? await performed.value
        }
    }
}
