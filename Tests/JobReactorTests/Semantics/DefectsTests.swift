import Foundation
import JobReactor
import JobReactorNode
import JobReactorTesting
import JobReactorWire
import NIOCore
import NIOPosix
import Testing

/// The defects of the gem that must not come back, in the order of the list.
@Suite("Semantics: defects of the gem") struct DefectsTests {
    private static let lua = """
        job('echo', function(args) end)
        job('gated', function(args) progress(0) io.popen('while [ -e ' .. args.gate .. ' ]; do sleep 0.05; done'):close() end)
        """

    /// A connection that sends just these bytes, and collects what comes back until it is closed.
    private static func exchange(_ pieces: [[UInt8]], port: Int, until count: Int) async throws -> String {
        let replies = Collector<UInt8>()
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ByteCollector(replies))
                }
            }
            .connect(host: "localhost", port: port).get()
        for piece in pieces { try await channel.writeAndFlush(ByteBuffer(bytes: piece)) }
        try await replies.wait(for: count)
        try await channel.close()
        return String(decoding: replies.elements, as: UTF8.self)
    }

    private final class ByteCollector: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        let bytes: Collector<UInt8>
        init(_ bytes: Collector<UInt8>) { self.bytes = bytes }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            for byte in unwrapInboundIn(data).readableBytesView { bytes.append(byte) }
        }
    }

    @Test("1: messages that arrive together are read one by one, and one that arrives in pieces as one")
    func framing() async throws {
        try await withNode(Self.lua) { distributor in
            let port = try #require(distributor.port)
            let one = Array("*3\r\n$7\r\nPERFORM\r\n$4\r\necho\r\n$7\r\n{\"a\":1}\r\n".utf8)
            let reply = "$7\r\n{\"a\":1}\r\n"
            let together = try await Self.exchange(
                [Array(repeatElement(one, count: 50).joined())], port: port, until: 50 * reply.utf8.count)
            #expect(together == String(repeating: reply, count: 50))
            let inPieces = try await Self.exchange(one.map { [$0] }, port: port, until: reply.utf8.count)
            #expect(inPieces == reply)
        }
    }

    @Test("2: what comes from the network is data: bytes that are not a JSON object are refused, and run nothing")
    func noUnmarshalling() async throws {
        try await withNode(Self.lua) { distributor in
            let port = try #require(distributor.port)
            // A marshalled Ruby object, a Lua chunk, Lua code, a JSON document that is no object.
            let hostile: [[UInt8]] = [
                [4, 8, 111, 58, 8, 71, 101, 109], Array("\u{1b}Lua".utf8), Array("os.execute('x')".utf8),
                Array("[1]".utf8),
            ]
            for args in hostile {
                let command =
                    Array("*3\r\n$7\r\nENQUEUE\r\n$4\r\necho\r\n$\(args.count)\r\n".utf8) + args + Array("\r\n".utf8)
                let reply = try await Self.exchange([command], port: port, until: 8)
                #expect(reply.hasPrefix("-ERR"), "\(reply)")
            }
            // As args they are text, to the end.
            let text = JSONValue.string("\u{4}\u{8}o:\u{8}Gem")
            let args = try await distributor.outcome("echo", ["text": text]).args
            #expect(args["text"] == text)
        }
    }

    @Test("3: ids of jobs enqueued in the same microsecond, from many threads, are all different")
    func uniqueIDs() async throws {
        try await Cluster.run(scripts: ["jobs.lua": Self.lua]) { cluster in
            let distributor = try await cluster.startDistributor()
            let ids = try await withThrowingTaskGroup(of: [JobID].self) { group in
                for _ in 0..<4 {
                    group.addTask { try (0..<1000).map { _ in try distributor.enqueue("echo", [:]) } }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(ids.count == 4000 && Set(ids).count == 4000)
        }
    }

    @Test("4: a node acknowledges a job only when it is saved; one that cannot be saved goes back and runs elsewhere")
    func acknowledgedWhenSaved() async throws {
        let storage = WatchedStorage(delay: 0.1)
        storage.failSaves(StorageError("the disk is full: make room"))
        try await Cluster.run(scripts: ["jobs.lua": Self.lua]) { cluster in
            let distributor = try await cluster.startDistributor()
            try await cluster.startNode("n1", for: [distributor]) { $0.storage = storage }
            try await waitForNodes(["n1"], at: distributor)
            let outcomes = Outcomes()
            let id = try distributor.enqueue("echo", ["a": 1], JobOptions(), feedback: outcomes.feedback)
            // Nothing is lost: the distributor still has it, and another node runs it.
            try await cluster.startNode("n2", for: [distributor])
            let all = try await outcomes.wait(for: 1)
            #expect(all.map(\.id) == [id])
            #expect(storage.events.elements.isEmpty)
        }
    }

    @Test("5: listing a storage yields its unfinished jobs as well, page by page, without those of another")
    func listing() async throws {
        let storage = MemoryStorage()
        try await withNode(Self.lua) {
            $0.storage = storage
            $0.policy.removeDoneJobs = false
        } _: { distributor in
            _ = try await distributor.outcome("echo")
            for _ in 0..<3 { try distributor.enqueue("echo", [:], JobOptions(after: 3600)) }
            try await eventually("all are stored") { try await storage.count() == 4 }
            let other = MemoryStorage()
            try await other.open(StorageOwner(name: "n2"))
            let count = try await other.count()
            #expect(count == 0)
        }
    }

    @Test("7: many jobs are unacknowledged on one connection at once, up to the window")
    func manyInFlight() async throws {
        let gate = FileManager.default.temporaryDirectory.appending(path: "gate-\(UUID().uuidString)").path
        _ = FileManager.default.createFile(atPath: gate, contents: nil)
        defer { try? FileManager.default.removeItem(atPath: gate) }
        try await withNode(Self.lua) {
            $0.window = 500
        } _: { distributor in
            let outcomes = Outcomes()
            try distributor.enqueue("gated", ["gate": .string(gate)], JobOptions(), feedback: outcomes.feedback)
            try await outcomes.progress.wait(for: 1)
            for _ in 0..<499 { try distributor.enqueue("echo", feedback: outcomes.feedback) }
            try await eventually("the node has all") { try await distributor.nodes().first?.load == 500 }
            #expect(outcomes.all.isEmpty)
            try FileManager.default.removeItem(atPath: gate)
            _ = try await outcomes.wait(for: 500)
        }
    }

    @Test("8: an outcome for a distributor that is away is kept, and delivered once when it is back")
    func keptForTheAbsent() async throws {
        let gate = FileManager.default.temporaryDirectory.appending(path: "gate-\(UUID().uuidString)").path
        _ = FileManager.default.createFile(atPath: gate, contents: nil)
        defer { try? FileManager.default.removeItem(atPath: gate) }
        try await Cluster.run(scripts: ["jobs.lua": Self.lua]) { cluster in
            let first = try await cluster.startDistributor { $0.name = "app" }
            let port = try #require(first.port)
            try await cluster.startNode("n1", for: [first])
            try await waitForNodes(["n1"], at: first)
            let begun = Outcomes()
            try first.enqueue("gated", ["gate": .string(gate)], JobOptions(), feedback: begun.feedback)
            try await begun.progress.wait(for: 1)
            await first.stop(grace: 0)
            try FileManager.default.removeItem(atPath: gate)
            let results = Collector<JobResult>()
            let configuration = DistributorConfiguration(name: "app", port: port, logger: cluster.logger)
            let again = try await Distributor.whenPortIsFree(configuration) { distributor in
                distributor.onSuccess("gated") { results.append($0) }
            }
            try await results.wait(for: 1, seconds: 60)
            let echo = try await again.outcome("echo")
            #expect(echo.isSuccess)
            #expect(results.elements.map { $0.args["gate"]?.string } == [gate])
            await again.stop()
        }
    }

    @Test("9: feedbacks find their distributor whatever its address is called", arguments: ["localhost", "127.0.0.1"])
    func addressNames(host: String) async throws {
        try await Cluster.run(scripts: ["jobs.lua": Self.lua]) { cluster in
            let distributor = try await cluster.startDistributor { $0.address.host = "127.0.0.1" }
            let port = try #require(distributor.port)
            try await cluster.startNode("n1", for: []) { $0.distributors = [Address(host: host, port: port)] }
            let outcome = try await distributor.outcome("echo", ["host": .string(host)])
            #expect(outcome.isSuccess && outcome.args["host"]?.string == host)
        }
    }

    @Test("10: an unknown job name raises nothing, and holds up no other job")
    func unknownName() async throws {
        try await withNode(Self.lua) { distributor in
            let unknown = Outcomes()
            for _ in 0..<100 { try distributor.enqueue("nobody_defines_it", feedback: unknown.feedback) }
            let echo = try await distributor.outcome("echo")
            #expect(echo.isSuccess && unknown.all.isEmpty)
        }
    }

    @Test("11: a node that is lost with unacknowledged jobs loses none of them")
    func lostNode() async throws {
        // Saves are never confirmed: what the node has stays unacknowledged.
        let storage = WatchedStorage(delay: 3600)
        try await Cluster.run(scripts: ["jobs.lua": Self.lua]) { cluster in
            let distributor = try await cluster.startDistributor()
            let lost = try await cluster.startNode("n1", for: [distributor]) {
                $0.storage = storage
                $0.grace = 0
            }
            try await waitForNodes(["n1"], at: distributor)
            let outcomes = Outcomes()
            for _ in 0..<20 { try distributor.enqueue("echo", feedback: outcomes.feedback) }
            try await eventually("the node has them") { try await distributor.nodes().first?.load == 20 }
            await lost.stop(grace: 0)
            try await cluster.startNode("n2", for: [distributor])
            let all = try await outcomes.wait(for: 20)
            #expect(Set(all.map(\.id)).count == 20)
        }
    }
}
