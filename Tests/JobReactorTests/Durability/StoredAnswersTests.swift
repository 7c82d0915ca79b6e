import Foundation
import JobReactor
import JobReactorCore
import JobReactorNode
import JobReactorSQLite
import JobReactorTesting
import JobReactorWire
import Logging
import Testing

/// Commands that change what is stored: 1 says that a crash does not undo them.
@Suite("What is answered to a change of a job", .timeLimit(.minutes(5))) struct StoredAnswersTests {
    /// A storage whose changes are refused while told so.
    private struct Place: Sendable {
        let refuses = Locked(false)
        let path = FileManager.default.temporaryDirectory.appending(path: "answers-\(UUID().uuidString).sqlite").path

        func storage() -> any JobStorage {
            FaultInjectingStorage(SQLiteStorage(file: path, durability: .process)) { [refuses] call in
                call.kind == .apply && refuses.withLock { $0 } ? StorageError("no room", code: .full) : nil
            }
        }

        func remove() {
            for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) }
        }
    }

    /// Sends the command while changes are refused, lets them through, and returns what was answered, when.
    private static func held(
        _ place: Place, _ command: [String], _ client: RESPClient, isRefused: () async throws -> Bool
    ) async throws -> (early: Bool, reply: RESPValue?) {
        place.refuses.withLock { $0 = true }
        let replies = Collector<RESPValue>()
        let asked = Task { replies.append(try await client.send(command)) }
        try await eventually("the change is refused") { try await isRefused() }
        let early = !replies.elements.isEmpty
        place.refuses.withLock { $0 = false }
        try await asked.value
        return (early, replies.elements.first)
    }

    /// A distributor that keeps its jobs in that place, and a client of it.
    private static func withDistributor(
        _ place: Place, _ log: LogRecorder, _ body: @escaping @Sendable (Distributor, RESPClient) async throws -> Void
    ) async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor {
                $0.name = "app"
                $0.storage = place.storage()
                $0.logger = log.logger
            }
            let client = try await RESPClient.connect(to: Address(host: "localhost", port: distributor.port ?? 0))
            try await body(distributor, client)
            await client.close()
        }
    }

    private static func isRefused(_ log: LogRecorder) -> Bool {
        log.lines.elements.contains { $0.text.hasPrefix("changes could not be stored") }
    }

    @Test("a distributor answers CANCEL when the removal is stored") func distributor() async throws {
        let (place, log) = (Place(), LogRecorder())
        defer { place.remove() }
        try await Self.withDistributor(place, log) { _, client in
            let id = try #require(try await client.send(["ENQUEUE", "note"]).text)
            let answer = try await Self.held(place, ["CANCEL", id], client) { Self.isRefused(log) }
            #expect(!answer.early)
            #expect(answer.reply?.integer == 1)
            #expect(try await client.send(["CANCEL", id]).integer == 0)
        }
    }

    @Test("an id that is used again before its cancellation is stored is refused in words; then it is a new job")
    func usedAgain() async throws {
        let (place, log) = (Place(), LogRecorder())
        defer { place.remove() }
        try await Self.withDistributor(place, log) { distributor, client in
            let id = JobID(high: 1, low: 2).description
            let address = Address(host: "localhost", port: distributor.port ?? 0)
            #expect(try await client.send(["ENQUEUE", "note", "{}", "ID", id]).text == id)
            let other = try await RESPClient.connect(to: address)
            let again = ["ENQUEUE", "note", #"{"n":2}"#, "ID", id]
            // The application is told in its feedback.
            let errors = Collector<JobArguments>()
            let feedback = JobFeedback(onSuccess: { _ in }, onError: { errors.append($0.args) })
            let answer = try await Self.held(place, ["CANCEL", id], client) {
                guard Self.isRefused(log) else { return false }
                try distributor.enqueue("note", ["n": 3], JobOptions(id: JobID(high: 1, low: 2)), feedback: feedback)
                try await errors.wait(for: 1)
                #expect(errors.elements[0]["error"]?.string?.contains("the end of an earlier job") == true)
                let reply = try await other.send(again)
                #expect(reply.text?.hasPrefix("ERR the end of an earlier job with the id \(id)") == true, "\(reply)")
                return true
            }
            #expect(!answer.early && answer.reply?.integer == 1)
            #expect(try await other.send(again).text == id)
            #expect(try await distributor.job(JobID(high: 1, low: 2))?.args == ["n": 2])
            await other.close()
        }
    }

    @Test("who waits for that when the distributor stops is told, and the job is cancelled if it is stored")
    func stopped() async throws {
        let (place, log) = (Place(), LogRecorder())
        defer { place.remove() }
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor {
                $0.name = "app"
                $0.storage = place.storage()
                $0.grace = 0
                $0.logger = log.logger
            }
            let id = try distributor.enqueue("note")
            try await distributor.flush()
            place.refuses.withLock { $0 = true }
            let cancelled = Task { try await distributor.cancel(id) }
            try await eventually("the change is refused") {
                log.lines.elements.contains { $0.text.hasPrefix("changes could not be stored") }
            }
            await distributor.stop()
            let error = await #expect(throws: JobError.self) { try await cancelled.value }
            #expect(error?.code == .stopped)
            place.refuses.withLock { $0 = false }
            let storage = place.storage()
            try await storage.open(StorageOwner(role: .distributor, name: "app"))
            let left = try await storage.jobs()
            #expect(left.map(\.id) == [id])
            await storage.close()
        }
    }

    @Test("a durable node answers CANCEL of a job that waits when its end is stored") func node() async throws {
        let (place, log) = (Place(), LogRecorder())
        defer { place.remove() }
        try await Cluster.run(scripts: ["jobs.lua": "job('note', function() end)"]) { cluster in
            let distributor = try await cluster.startDistributor()
            let node = try await cluster.startNode("n1", for: [distributor]) {
                $0.storage = place.storage()
                $0.server = Address(host: "localhost", port: 0)
                $0.logger = log.logger
            }
            try await waitForNodes(["n1"], at: distributor)
            let address = try #require(try await distributor.nodes().first?.address)
            let id = try distributor.enqueue("note", [:], JobOptions(after: 3600))
            try await eventually("the node has it") { try await node.record(id) != nil }
            let client = try await RESPClient.connect(to: try #require(Address(address)))
            let answer = try await Self.held(place, ["CANCEL", id.description], client) {
                log.lines.elements.contains { $0.text.hasPrefix("the storage refuses") }
            }
            #expect(!answer.early)
            #expect(answer.reply?.integer == 1)
            #expect(try await node.record(id) == nil)
            #expect(try await client.send(["CANCEL", id.description]).integer == 0)
            await client.close()
        }
    }
}
