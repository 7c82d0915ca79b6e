import Foundation
import JobReactor
import JobReactorCore
import JobReactorNode
import JobReactorRedis
import JobReactorSQLite
import JobReactorTesting
import JobReactorWire
import Testing

/// More jobs wait at a distributor than it keeps in memory.
@Suite("Many waiting jobs, most of them in the storage alone", .timeLimit(.minutes(5))) struct PagedOutTests {
    private enum Place: String, CaseIterable, Sendable { case sqlite, redis }

    /// Makes the storage; its files are in the folder.
    private static func storage(_ place: Place, in folder: URL) async throws -> @Sendable () -> any JobStorage {
        switch place {
        case .redis:
            let location = try await SharedRedis.location()
            return { location.storage() }
        case .sqlite:
            let path = folder.appending(path: "jobs.sqlite").path
            return { SQLiteStorage(file: path) }
        }
    }

    private static func pagedOut(_ client: RESPClient) async throws -> Int {
        let info = try await client.send(["INFO", "memory"]).text ?? ""
        let line = info.split(separator: "\r\n").first { $0.hasPrefix("paged_out:") }
        return line.flatMap { Int($0.dropFirst("paged_out:".count)) } ?? -1
    }

    @Test(
        "each runs once, over a restart, in spite of reads that fail; one can be shown and cancelled",
        arguments: Place.allCases)
    private func road(place: Place) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "paged-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (make, runs) = (try await Self.storage(place, in: folder), RunLog())
        let fails = Locked(0)
        let count = 600
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            @Sendable func start() async throws -> (Distributor, RESPClient) {
                let storage = FaultInjectingStorage(make()) { call in
                    guard call.kind == .load else { return nil }
                    return fails.withLock { left in
                        left -= 1
                        return left >= 0 ? StorageError("not now", code: .failed) : nil
                    }
                }
                var configuration = DistributorConfiguration(
                    name: "app", port: 0, grace: 0, storage: storage, logger: cluster.logger)
                configuration.maxMemory = 200_000
                let distributor = Distributor(configuration)
                try await distributor.start()
                let address = Address(host: "localhost", port: try #require(distributor.port))
                return (distributor, try await RESPClient.connect(to: address))
            }
            let (first, client) = try await start()
            var ids: [JobID] = []
            for number in 0..<count {
                let reply = try await client.send(["ENQUEUE", "note", #"{"text":\#(number)}"#])
                ids.append(try #require(reply.text.flatMap { JobID($0) }, "\(reply)"))
            }
            #expect(try await Self.pagedOut(client) > 300)
            let shown = try #require(try await first.job(ids[count - 2]))
            #expect(shown.args["text"] == .integer(Int64(count - 2)))
            #expect(try await client.send(["CANCEL", ids[count - 1].description]).integer == 1)
            try await eventually("it is cancelled") {
                try await client.send(["INFO", "jobs"]).text?.contains("unfinished:\(count - 1)\r\n") == true
            }
            let twice = try await client.send(["PERFORM", "note", "{}", "ID", ids[count - 2].description])
            #expect(twice.text?.contains("an unfinished job already has the id") == true)
            await client.close()
            await first.stop()

            let (second, other) = try await start()
            #expect(try await Self.pagedOut(other) > 300)
            #expect(try await second.waitingJobs().map(\.count) == [count - 1])
            fails.withLock { $0 = 40 }
            try await cluster.startNode("n1", for: [second])
            try await eventually("all have run") { runs.lines.count >= count - 1 }
            try await eventually("none waits") {
                try await other.send(["INFO", "jobs"]).text?.contains("unfinished:0\r\n") == true
            }
            #expect(Set(runs.lines) == Set((0..<count - 1).map { "\($0)" }))
            #expect(runs.lines.count == count - 1)
            #expect(try await Self.pagedOut(other) == 0)
            await other.close()
            await second.stop()
        }
    }
}
