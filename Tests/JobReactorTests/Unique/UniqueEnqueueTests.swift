import Foundation
import JobReactor
import JobReactorCore
import JobReactorRedis
import JobReactorSQLite
import JobReactorTesting
import JobReactorWire
import Testing

/// What those who enqueue a job whose key another has are told.
@Suite("A key at a distributor", .timeLimit(.minutes(5))) struct UniqueEnqueueTests {
    private static func withClient(
        _ storage: (any JobStorage)? = nil, _ body: @escaping @Sendable (Distributor, RESPClient) async throws -> Void
    ) async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor {
                $0.name = "app"
                $0.storage = storage
            }
            let client = try await RESPClient.connect(to: Address(host: "localhost", port: distributor.port ?? 0))
            try await body(distributor, client)
            await client.close()
        }
    }

    @Test("ENQUEUE answers the job that stands, or UNIQUE and its id") func commands() async throws {
        try await Self.withClient { distributor, client in
            let id = try #require(try await client.send(["ENQUEUE", "digest", "{}", "UNIQUE", "k"]).text)
            #expect(try await client.send(["ENQUEUE", "digest", #"{"n":2}"#, "UNIQUE", "k"]).text == id)
            let raising = ["ENQUEUE", "digest", "{}", "UNIQUE", "k", "ON_CONFLICT", "raise"]
            #expect(try await client.send(raising).text == "UNIQUE \(id)")
            #expect(try await client.send(["PERFORM", "digest", "{}", "UNIQUE", "k"]).text == "UNIQUE \(id)")
            // Another name, or another key, is another job.
            #expect(try await client.send(["ENQUEUE", "report", "{}", "UNIQUE", "k"]).text != id)
            #expect(try await client.send(["ENQUEUE", "digest", "{}", "UNIQUE", "l"]).text != id)
            let replacing = ["ENQUEUE", "digest", #"{"n":3}"#, "UNIQUE", "k", "ON_CONFLICT", "REPLACE"]
            #expect(try await client.send(replacing).text == id)
            let standing = try #require(JobID(id))
            #expect(try await distributor.job(standing)?.args == ["n": 3])
            #expect(try await client.send(["CANCEL", id]).integer == 1)
            #expect(try await client.send(["ENQUEUE", "digest", "{}", "UNIQUE", "k"]).text != id)
        }
    }

    @Test("the application is told in its feedback which job stands") func feedback() async throws {
        try await Self.withClient { distributor, _ in
            let errors = Collector<JobArguments>()
            let told = JobFeedback(onSuccess: { _ in }, onError: { errors.append($0.args) })
            let options = JobOptions(unique: JobUnique())
            let id = try distributor.enqueue("digest", ["a": 1, "b": 2], options)
            try distributor.enqueue("digest", ["b": 2, "a": 1], options, feedback: told)
            try await errors.wait(for: 1)
            #expect(errors.elements.first?["unique"]?.string == id.description)
            #expect(
                errors.elements.first?["error"]?.string?.hasPrefix("not enqueued: the job \(id) holds the key") == true)
        }
    }

    @Test("keys are found again by the next process") func restart() async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "unique-\(UUID().uuidString).sqlite").path
        defer { for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) } }
        let first = Locked<String?>(nil)
        try await Self.withClient(SQLiteStorage(file: path, durability: .process)) { _, client in
            let id = try await client.send(["ENQUEUE", "digest", "{}", "UNIQUE", "k"]).text
            first.withLock { $0 = id }
        }
        try await Self.withClient(SQLiteStorage(file: path, durability: .process)) { _, client in
            let id = try #require(first.withLock { $0 })
            #expect(try await client.send(["ENQUEUE", "digest", "{}", "UNIQUE", "k"]).text == id)
        }
    }

    private static func connect(_ distributor: Distributor) async throws -> RESPClient {
        try await RESPClient.connect(to: Address(host: "localhost", port: distributor.port ?? 0))
    }

    @Test("nobody is told of a job that has the key before that is stored") func stored() async throws {
        let storage = HeldKeys()
        try await Self.withClient(storage) { distributor, client in
            storage.holding.withLock { $0 = .saveUnique }
            let words = ["ENQUEUE", "digest", "{}", "UNIQUE", "k"]
            async let first = client.send(words).text
            try await eventually("it is being stored") { storage.heldCount == 1 }
            let (other, third) = (try await Self.connect(distributor), try await Self.connect(distributor))
            let order = Collector<String>()
            let asked = Task {
                let id = try await other.send(words).text
                order.append("answered")
                return id
            }
            // Time enough for an answer that comes too soon.
            for _ in 0..<200 { _ = try await third.send(["PING"]) }
            order.append("stored")
            storage.release()
            let id = try await first
            #expect(try await asked.value == id)
            #expect(order.elements == ["stored", "answered"])
            await other.close()
            await third.close()
        }
    }

    @Test("who waits behind a job whose key turns out to be another's is told of that one")
    func elsewhere() async throws {
        let storage = HeldKeys()
        try await Self.withClient(storage) { distributor, client in
            storage.holding.withLock { $0 = .saveUnique }
            let words = ["ENQUEUE", "digest", "{}", "UNIQUE", "k"]
            async let first = client.send(words).text
            try await eventually("it is being stored") { storage.heldCount == 1 }
            let (other, third) = (try await Self.connect(distributor), try await Self.connect(distributor))
            async let second = other.send(words).text
            async let replacing = third.send(words + ["ON_CONFLICT", "REPLACE"]).text
            let fourth = try await Self.connect(distributor)
            for _ in 0..<200 { _ = try await fourth.send(["PING"]) }
            let holder = JobID(high: 9 << 16, low: 9)
            storage.elsewhere.withLock { $0 = holder }
            storage.release()
            #expect(try await first == "\(holder)")
            #expect(try await second == "\(holder)")
            #expect(try await replacing == "UNIQUE \(holder)")
            for client in [other, third, fourth] { await client.close() }
        }
    }

    @Test("the id of a job that has ended, and holds its key, is used again after its record is gone")
    func usedAgain() async throws {
        let storage = HeldKeys()
        let id = JobID(high: 1 << 16, low: 1)
        try await Self.withClient(storage) { distributor, client in
            let first = ["ENQUEUE", "digest", "{}", "ID", "\(id)", "UNIQUE", "a", "UNIQUE_FOR", "3600"]
            #expect(try await client.send(first).text == "\(id)")
            #expect(try await client.send(["CANCEL", "\(id)"]).integer == 1)
            storage.holding.withLock { $0 = .apply }
            async let again = client.send(["ENQUEUE", "digest", #"{"n":2}"#, "ID", "\(id)", "UNIQUE", "b"]).text
            try await eventually("the old record goes") { storage.heldCount == 1 }
            storage.release()
            #expect(try await again == "\(id)")
            try await eventually("the new one stays") {
                try await storage.memory.record(id)?.unique?.key == "b"
            }
        }
    }

    @Test("distributors that share a Redis have one job of a key, until it has ended") func shared() async throws {
        let location = try await SharedRedis.location()
        try await Cluster.run(scripts: [:]) { cluster in
            var clients: [RESPClient] = []
            for name in ["one", "other"] {
                let distributor = try await cluster.startDistributor {
                    $0.name = name
                    $0.storage = location.storage()
                }
                let address = Address(host: "localhost", port: distributor.port ?? 0)
                clients.append(try await RESPClient.connect(to: address))
            }
            let words = ["ENQUEUE", "digest", "{}", "UNIQUE", "k"]
            let id = try #require(try await clients[0].send(words).text)
            #expect(try await clients[1].send(words).text == id)
            #expect(try await clients[1].send(words + ["ON_CONFLICT", "REPLACE"]).text == "UNIQUE \(id)")
            #expect(try await clients[0].send(words + ["ON_CONFLICT", "REPLACE"]).text == id)
            #expect(try await clients[0].send(["CANCEL", id]).integer == 1)
            let next = try #require(try await clients[1].send(words).text)
            #expect(next != id)
            #expect(try await clients[0].send(words).text == next)
            for client in clients { await client.close() }
        }
    }
}
