import Foundation
import JobReactor
import JobReactorNode
import JobReactorSQLite
import JobReactorTesting
import JobReactorWire
import Testing

/// What the stop of a distributor waits for, and what it does not.
@Suite("A distributor that stops") struct DrainTests {
    private static let scripts = [
        "jobs.lua": """
        job('gated', function(args)
          progress(0.5)
          while true do
            local gate = io.open(args.gate)
            if not gate then break end
            gate:close()
            sleep(0.01)
          end
          args.done = true
        end)
        job('quick', function(args) end)
        """
    ]

    enum Kind: CaseIterable, Sendable {
        case memory, durable

        func configure(_ configuration: inout NodeConfiguration, _ folder: String) {
            if self == .durable { configuration.storage = SQLiteStorage(file: folder + "/jobs.sqlite") }
        }
    }

    @Test("waits for what its application and its clients wait for", arguments: Kind.allCases)
    func waits(kind: Kind) async throws {
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let gate = try GateFile()
            let distributor = try await cluster.startDistributor { $0.grace = 60 }
            try await cluster.startNode("n1", for: [distributor]) { kind.configure(&$0, cluster.jobDirectory) }
            try await waitForNodes(["n1"], at: distributor)
            let address = Address(host: "localhost", port: try #require(distributor.port))
            let begun = Collector<JobProgress>()
            distributor.onProgress("gated") { begun.append($0) }
            let outcome = Task { try await distributor.perform("gated", ["gate": .string(gate.path)]) }
            let client = try await RESPClient.connect(to: address)
            let words = ["PERFORM", "gated", #"{"gate":"\#(gate.path)"}"#]
            let replies = (0..<5).map { _ in Task { try await client.send(words) } }
            try await begun.wait(for: 6)
            async let stopped: Void = distributor.stop()
            try await eventually("the stop has begun") { distributor.port == nil }
            try await eventually("no connection is accepted any more") {
                do { await (try await RESPClient.connect(to: address)).close() } catch is WireError { return true }
                return false
            }
            gate.open()
            await stopped
            #expect(try await outcome.value["done"] == true)
            for reply in replies { #expect(try await reply.value.text?.contains(#""done":true"#) == true) }
        }
    }

    @Test("does not wait for jobs that no node can run, nor for those due later, and says so to who waits")
    func doesNotWait() async throws {
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let distributor = try await cluster.startDistributor { $0.grace = 1e9 }
            try await cluster.startNode("n1", for: [distributor])
            try await waitForNodes(["n1"], at: distributor)
            let parked = Task { try await distributor.perform("nobody_defines_it") }
            let later = Task { try await distributor.perform("quick", [:], JobOptions(after: 1e9)) }
            let client = try await RESPClient.connect(
                to: Address(host: "localhost", port: try #require(distributor.port)))
            let reply = Task { try await client.send(["PERFORM", "nobody_defines_it"]) }
            try await eventually("all are there") {
                try await distributor.waitingJobs().map(\.count) == [2]
            }
            await distributor.stop(grace: 1e6)
            #expect(
                try await reply.value == .error("ERR the distributor stopped before the outcome was known"))
            for outcome in [parked, later] {
                let error = await #expect(throws: JobError.self) { try await outcome.value }
                #expect(error?.code == .stopped)
            }
        }
    }

    @Test("takes no more jobs from connected clients, and ends though they go on")
    func clientsGoOn() async throws {
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let (first, second) = (try GateFile(), try GateFile())
            let distributor = try await cluster.startDistributor()
            try await cluster.startNode("n1", for: [distributor])
            try await waitForNodes(["n1"], at: distributor)
            let client = try await JobClient.connect(host: "localhost", port: try #require(distributor.port))
            let outcomes = Collector<Bool>()
            let begun = Collector<JobProgress>()
            distributor.onProgress("gated") { begun.append($0) }
            try client.enqueue(
                "gated", ["gate": .string(first.path)], onSuccess: { _ in outcomes.append(true) },
                onError: { _ in outcomes.append(false) })
            try await begun.wait(for: 1)
            async let stopped: Void = distributor.stop(grace: 1e6)
            try await eventually("the stop has begun") { distributor.port == nil }
            // The stop would wait for each of these for ever.
            let sent = Locked(0)
            let load = Task {
                while !Task.isCancelled {
                    try client.enqueue("gated", ["gate": .string(second.path)])
                    sent.withLock { $0 += 1 }
                    try await Task.sleep(for: .milliseconds(1))
                }
            }
            try await eventually("the client goes on") { sent.withLock { $0 } > 100 }
            first.open()
            await stopped
            load.cancel()
            try await outcomes.wait(for: 1)
            #expect(outcomes.elements == [true])
            await client.stop()
        }
    }

    @Test("ends its wait when the last node has gone")
    func nodesGone() async throws {
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let gate = try GateFile()
            let distributor = try await cluster.startDistributor()
            let node = try await cluster.startNode("n1", for: [distributor])
            try await waitForNodes(["n1"], at: distributor)
            let begun = Collector<JobProgress>()
            distributor.onProgress("gated") { begun.append($0) }
            let outcome = Task { try await distributor.perform("gated", ["gate": .string(gate.path)]) }
            try await begun.wait(for: 1)
            async let stopped: Void = distributor.stop(grace: 1e6)
            try await eventually("the stop has begun") { distributor.port == nil }
            await node.stop(grace: 0)
            await stopped
            let error = await #expect(throws: JobError.self) { try await outcome.value }
            #expect(error?.code == .stopped)
        }
    }

    @Test("counts each job that a durable node has told once, whoever waits for it")
    func countedOnce() async throws {
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let distributor = try await cluster.startDistributor()
            try await cluster.startNode("n1", for: [distributor]) { Kind.durable.configure(&$0, cluster.jobDirectory) }
            try await waitForNodes(["n1"], at: distributor)
            let client = try await RESPClient.connect(
                to: Address(host: "localhost", port: try #require(distributor.port)))
            let id = JobID(high: 3, low: 4).description
            for _ in 0..<2 {
                for _ in 0..<50 { _ = try await client.send(["ENQUEUE", "quick", "{}"]) }
                // An id that is used again, after its end, is that of another job.
                _ = try await client.send(["ENQUEUE", "quick", "{}", "ID", id])
                _ = try await client.send(["PERFORM", "quick", "{}"])
                try await eventually("the node has none left") { try await distributor.nodes().first?.load == 0 }
            }
            try await eventually("all are told") {
                let info = try await client.send(["INFO", "jobs"]).text ?? ""
                return info.contains("succeeded:104\r\n") && info.contains("repeated_reports:0\r\n")
            }
            await client.close()
        }
    }
}

/// A file that holds up jobs for as long as it is there.
private final class GateFile: Sendable {
    let path = FileManager.default.temporaryDirectory.appending(path: "gate-\(UUID().uuidString)").path

    init() throws { try Data().write(to: URL(filePath: path)) }

    deinit { open() }

    func open() { try? FileManager.default.removeItem(atPath: path) }
}
