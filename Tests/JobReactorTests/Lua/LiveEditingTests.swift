import Foundation
import JobReactor
import JobReactorCore
import JobReactorNode
import JobReactorTesting
import JobReactorWire
import Logging
import Testing

/// Scripts that are edited while a node runs.
@Suite("Live editing") struct LiveEditingTests {
    private static func write(_ cluster: Cluster, _ name: String, _ text: String) throws {
        let url = URL(filePath: cluster.jobDirectory + "/" + name)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url, options: .atomic)
    }

    private static func withCluster(
        _ scripts: [String: String], log: LogRecorder = LogRecorder(),
        _ configure: @Sendable (inout NodeConfiguration) -> Void = { _ in },
        _ body: @Sendable (Cluster, Distributor, Node) async throws -> Void
    ) async throws {
        try await Cluster.run(scripts: scripts, logger: log.logger) { cluster in
            let distributor = try await cluster.startDistributor()
            let node = try await cluster.startNode("n1", for: [distributor], configure)
            try await waitForNodes(["n1"], at: distributor)
            try await body(cluster, distributor, node)
        }
    }

    private static func value(_ name: String, at distributor: Distributor) async throws -> JSONValue? {
        try await distributor.perform(name, timeout: 60)["v"]
    }

    @Test("new runs use what was saved; the distributors hear of new and of deleted jobs")
    func changes() async throws {
        try await Self.withCluster(["a.lua": "job('a', function(args) args.v = 1 end)"]) { cluster, distributor, _ in
            #expect(try await Self.value("a", at: distributor) == 1)
            try Self.write(cluster, "a.lua", "job('a', function(args) args.v = 2 end)")
            try await eventually("the change") { try await Self.value("a", at: distributor) == 2 }
            // It waits at the distributor until a script defines it.
            let outcomes = Outcomes()
            try distributor.enqueue("b", feedback: outcomes.feedback)
            try Self.write(cluster, "sub/b.lua", "job('b', function(args) args.v = 3 end)")
            #expect(try await outcomes.wait(for: 1).first?.args["v"] == 3)
            try FileManager.default.removeItem(atPath: cluster.jobDirectory + "/a.lua")
            try await eventually("the job to be gone") { try await distributor.nodes().first?.jobs == ["b"] }
        }
    }

    @Test("a broken file keeps its last good version, and says so; others change with it")
    func broken() async throws {
        let log = LogRecorder()
        try await Self.withCluster(
            [
                "a.lua": "job('a', function(args) args.v = 1 end)",
                "lib/shared.lua": "return { v = 1 }",
                "c.lua": "local s = require 'lib.shared' job('c', function(args) args.v = s.v end)",
            ], log: log
        ) { cluster, distributor, node in
            try Self.write(cluster, "a.lua", "job('a', function(args) args.v = 2 end) error('not yet')")
            try Self.write(cluster, "lib/shared.lua", "return { v = 2 }")
            try await eventually("the module's change") { try await Self.value("c", at: distributor) == 2 }
            try await eventually("the error") { try await node.scripts()?.broken.isEmpty == false }
            #expect(try await Self.value("a", at: distributor) == 1)
            let broken = try #require(try await node.scripts()?.broken.first)
            #expect(broken.path == cluster.jobDirectory + "/a.lua" && broken.usedSince != nil)
            #expect(broken.reason.hasSuffix("a.lua:1: not yet"))
            #expect(
                log.lines.elements.contains {
                    $0.level == .error && $0.text.contains("a.lua:1: not yet") && $0.text.contains("stays in use")
                })
            try Self.write(cluster, "a.lua", "job('a', function(args) args.v = 3 end)")
            try await eventually("the good version") { try await Self.value("a", at: distributor) == 3 }
            try await eventually("no file to be broken") { try await node.scripts()?.broken.isEmpty == true }
        }
    }

    @Test("a run ends where it began, also one that pauses, and its errbacks are those of its time")
    func runsEndWhereTheyBegan() async throws {
        try await Self.withCluster([
            "a.lua": """
            local version = 1
            job('a', function(args)
              args.before = version
              progress(0.5)
              repeat sleep(0.01) until shared.get('go')
              args.after = version
            end)
            job_callback('a', function(args) args.callback = version end)
            job('go', function(args) shared.set('go', true) args.v = version end)
            """
        ]) { cluster, distributor, node in
            let outcomes = Outcomes()
            try distributor.enqueue("a", feedback: outcomes.feedback)
            try await outcomes.progress.wait(for: 1)
            let text = try String(contentsOfFile: cluster.jobDirectory + "/a.lua", encoding: .utf8)
            try Self.write(cluster, "a.lua", text.replacingOccurrences(of: "version = 1", with: "version = 2"))
            try await eventually("the change") { try await node.scripts()?.generation == 2 }
            #expect(try await Self.value("go", at: distributor) == 2)
            let args = try #require(try await outcomes.wait(for: 1).first?.args)
            #expect(args["before"] == 1 && args["after"] == 1 && args["callback"] == 1)
        }
    }

    @Test("RELOAD and reload() load at once; INFO says which generation runs")
    func onDemand() async throws {
        try await Self.withCluster(
            ["a.lua": "job('a', function(args) args.v = 1 end)"],
            {
                $0.watchesScripts = false
                $0.server = Address(host: "localhost", port: 0)
            }
        ) { cluster, distributor, node in
            try Self.write(cluster, "a.lua", "job('a', function(args) args.v = 2 end)")
            try Self.write(cluster, "b.lua", "job('b' oops")
            let port = try #require(try await node.port())
            let client = try await RESPClient.connect(to: Address(host: "localhost", port: port))
            let answer = try await client.send(["RELOAD"])
            #expect(answer.text == "generation 2: 2 files, 1 jobs, 1 problems")
            #expect(try await Self.value("a", at: distributor) == 2)
            let info = try #require(try await client.send(["INFO"]).text)
            #expect(info.contains("generation:2\r\n") && info.contains("watched:0\r\n"))
            #expect(info.contains("broken0:not in use: \(cluster.jobDirectory)/b.lua:1: "))
            #expect(try await node.reload() == "generation 3: 2 files, 1 jobs, 1 problems")
            try FileManager.default.removeItem(atPath: cluster.jobDirectory)
            let refused = try await client.send(["RELOAD"])
            guard case .error(let reason) = refused else {
                Issue.record("\(refused)")
                return
            }
            #expect(reason.hasPrefix("ERR no folder \(cluster.jobDirectory): create it"))
            #expect(try await Self.value("a", at: distributor) == 2)
            await client.close()
        }
    }

    @Test("a job that no script defines any more is parked by a node with a storage, and runs when one does")
    func parked() async throws {
        let (place, log) = (try await SharedRedis.location(), LogRecorder())
        try await Self.withCluster(
            ["a.lua": "job('a', function(args) args.v = 1 end)", "b.lua": "job('b', function() end)"], log: log,
            { $0.storage = place.storage() }
        ) { cluster, distributor, node in
            let outcomes = Outcomes()
            try distributor.enqueue("a", [:], JobOptions(after: 0.6), feedback: outcomes.feedback)
            try FileManager.default.removeItem(atPath: cluster.jobDirectory + "/a.lua")
            try await eventually("the job to be gone") { try await node.scripts()?.definitions.count == 1 }
            try await eventually("the job to be parked") {
                log.lines.elements.contains { $0.text == "no script defines the job any more" }
            }
            #expect(outcomes.all.isEmpty)
            try Self.write(cluster, "a.lua", "job('a', function(args) args.v = 2 end)")
            #expect(try await outcomes.wait(for: 1).first?.args["v"] == 2)
        }
    }

    @Test("a parked job is cancelled as any that waits")
    func parkedIsCancelled() async throws {
        let (place, log) = (try await SharedRedis.location(), LogRecorder())
        try await Self.withCluster(
            ["a.lua": "job('a', function(args) args.v = 1 end)", "b.lua": "job('b', function() end)"], log: log,
            { $0.storage = place.storage() }
        ) { cluster, distributor, node in
            let outcomes = Outcomes()
            let id = try distributor.enqueue("a", ["v": 0], JobOptions(after: 0.6), feedback: outcomes.feedback)
            try FileManager.default.removeItem(atPath: cluster.jobDirectory + "/a.lua")
            try await eventually("the job to be parked") {
                log.lines.elements.contains { $0.text == "no script defines the job any more" }
            }
            #expect(try await distributor.cancel(id))
            let outcome = try #require(try await outcomes.wait(for: 1).first)
            #expect(outcome.status == .cancelled)
            #expect(outcome.args == ["v": 0])
            let count = try await node.count()
            #expect(count == 0)
        }
    }

    @Test("1,000 reloads under load lose no job, and close what is not used any more")
    func manyReloads() async throws {
        try await Self.withCluster(
            [
                "a.lua": "job('a', function(args) sleep(0.001) args.v = require('lib') end)",
                "lib.lua": "return 7",
            ], { $0.server = Address(host: "localhost", port: 0) }
        ) { _, distributor, node in
            let outcomes = Outcomes()
            let isDone = Locked(false)
            let load = Task {
                while !isDone.withLock({ $0 }) {
                    let count = outcomes.all.count + 50
                    try distributor.enqueue(
                        contentsOf: (0..<50).map { _ in JobSubmission("a", feedback: outcomes.feedback) })
                    _ = try await outcomes.wait(for: count)
                }
            }
            for _ in 0..<1000 { try await node.reload() }
            isDone.withLock { $0 = true }
            try await load.value
            #expect(outcomes.all.allSatisfy { $0.args["v"] == 7 } && !outcomes.all.isEmpty)
            #expect(try await node.scripts()?.generation == 1001)
            let port = try #require(try await node.port())
            let client = try await RESPClient.connect(to: Address(host: "localhost", port: port))
            try await eventually("earlier states to be closed") {
                try await client.send(["INFO", "scripts"]).text?.contains("states:1\r\n") == true
            }
            await client.close()
        }
    }
}
