import Foundation
import JobReactor
import JobReactorCore
import JobReactorNode
import JobReactorSQLite
import JobReactorTesting
import JobReactorWire
import Testing

@Suite("Pausing at a distributor", .timeLimit(.minutes(5))) struct PausingTests {
    private static let scripts = ["jobs.lua": "job('note', function(args) args.ran = true end)"]

    private static func elements(of reply: RESPValue) -> [RESPValue] {
        if case .array(let elements) = reply { elements } else { [] }
    }

    private static func rows(_ reply: RESPValue) -> [[String: String]] {
        elements(of: reply).map { row in
            let words = elements(of: row).compactMap(\.text)
            return Dictionary(
                stride(from: 0, to: words.count - 1, by: 2).map { (words[$0], words[$0 + 1]) }, uniquingKeysWith: { $1 }
            )
        }
    }

    private static func client(_ distributor: Distributor) async throws -> RESPClient {
        try await RESPClient.connect(to: Address(host: "localhost", port: distributor.port ?? 0))
    }

    @Test("jobs of a paused name start when it is resumed, and others go on", arguments: ["JOB note", "NODE n1"])
    func pause(_ target: String) async throws {
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let distributor = try await cluster.startDistributor()
            _ = try await cluster.startNode("n1", for: [distributor])
            let client = try await Self.client(distributor)
            let words = target.split(separator: " ").map(String.init)
            #expect(try await client.send(["PAUSE"] + words).integer == 1)
            #expect(try await client.send(["PAUSE"] + words).integer == 0)
            let rows = Self.rows(try await client.send(["PAUSES"]))
            #expect(rows.count == 1)
            #expect(rows.first?["kind"] == words[0].lowercased() && rows.first?["name"] == words[1])
            #expect(rows.first?["by"] == "default" && rows.first?["at"].flatMap(Double.init) ?? 0 > 0)
            let ended = Collector<JobArguments>()
            let feedback = JobFeedback(onSuccess: { ended.append($0.args) })
            let id = try distributor.enqueue("note", [:], JobOptions(), feedback: feedback)
            try await eventually("the job waits as it is paused") {
                let fields = Self.elements(of: try await client.send(["JOB", id.description])).compactMap(\.text)
                return fields.contains { $0.hasSuffix(" paused") }
            }
            #expect(ended.elements.isEmpty)
            #expect(try await client.send(["RESUME"] + words).integer == 1)
            try await ended.wait(for: 1)
            #expect(try await client.send(["RESUME"] + words).integer == 0)
            #expect(Self.rows(try await client.send(["PAUSES"])).isEmpty)
            await client.close()
        }
    }

    @Test("a pause outlives the process") func restart() async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "pauses-\(UUID().uuidString).sqlite").path
        defer { for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) } }
        for isFirst in [true, false] {
            try await Cluster.run(scripts: Self.scripts) { cluster in
                let distributor = try await cluster.startDistributor {
                    $0.name = "app"
                    $0.storage = SQLiteStorage(file: path, durability: .process)
                }
                let client = try await Self.client(distributor)
                if isFirst {
                    #expect(try await client.send(["PAUSE", "JOB", "note"]).integer == 1)
                } else {
                    #expect(Self.rows(try await client.send(["PAUSES"])).map { $0["name"] } == ["note"])
                    #expect(try await client.send(["PAUSE", "JOB", "note"]).integer == 0)
                }
                await client.close()
            }
        }
    }
}
