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
