import JobReactor
import JobReactorNode
import JobReactorRedis
import JobReactorTesting
import JobReactorWire
import Logging
import Testing

/// A node whose storage refuses for a while.
@Suite("A storage that refuses") struct RefusingStorageTests {
    private static let full = StorageError("the disk is full: make room", code: .full)

    @Test(
        "costs no job that was acknowledged: they wait and run once when it works again, and all credit comes back",
        arguments: [true, false])
    func nothingIsLost(isDurable: Bool) async throws {
        let (place, runs, refuses) = (try await SharedRedis.location(), RunLog(), Locked(true))
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            // Its own storage is elsewhere, and good.
            let distributor = try await cluster.startDistributor {
                $0.name = "app"
                $0.storage = MemoryStorage()
            }
            var logger = cluster.logger
            logger.logLevel = .critical
            let node = try await cluster.startNode("n1", for: [distributor]) { [logger] in
                $0.window = 64
                $0.logger = logger
                $0.storage = FaultInjectingStorage(isDurable ? place.storage() : MemoryStorage()) { call in
                    call.kind == .save && refuses.withLock { $0 } ? Self.full : nil
                }
            }
            try await waitForNodes(["n1"], at: distributor)
            let client = try await RESPClient.connect(to: Address(host: "localhost", port: distributor.port ?? 0))
            for number in 0..<300 {
                let id = try await client.send(["ENQUEUE", "note", "{\"text\":\"\(number)\"}"])
                #expect(id.text.flatMap { JobID($0) } != nil)
            }
            // It says so, and asks for no more than one job at a time.
            try await eventually("it is told") {
                try await distributor.nodes().first?.storageError == "the disk is full: make room"
            }
            try await eventually("all but the one that is tried are back") {
                try await distributor.waitingJobs().map(\.count).reduce(0, +) >= 299
            }
            let count = try await node.count()
            #expect(count == 0)
            refuses.withLock { $0 = false }
            try await eventually("all have run") { runs.lines.count >= 300 }
            #expect(Set(runs.lines) == Set((0..<300).map { "\($0)" }))
            #expect(runs.lines.count == 300)
            try await eventually("it is over") { try await distributor.nodes().first?.storageError == nil }
            try await eventually("no credit is missing") {
                let state = try await distributor.nodes().first
                return state?.load == 0 && state?.window == 64
            }
            await client.close()
        }
    }

    @Test("that takes one job and refuses the next is said to refuse once, and to work again once")
    func nearlyFull() async throws {
        let (runs, saves, log) = (RunLog(), Locked(0), LogRecorder())
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let distributor = try await cluster.startDistributor { $0.logger = log.logger }
            try await cluster.startNode("n1", for: [distributor]) {
                $0.window = 16
                $0.logger = log.logger
                $0.storage = FaultInjectingStorage(MemoryStorage()) { call in
                    guard call.kind == .save else { return nil }
                    let number = saves.withLock { count in
                        count += 1
                        return count
                    }
                    return number <= 6 && number % 2 == 1 ? Self.full : nil
                }
            }
            try await waitForNodes(["n1"], at: distributor)
            let outcomes = Outcomes()
            for _ in 0..<60 { try distributor.enqueue("note", feedback: outcomes.feedback) }
            _ = try await outcomes.wait(for: 60)
            // Writes go on, so that it is known that the storage works.
            try await eventually("it is over") {
                try distributor.enqueue("note", feedback: outcomes.feedback)
                return try await distributor.nodes().first?.storageError == nil
            }
            let lines = log.lines.elements.map(\.text)
            #expect(lines.count { $0.hasPrefix("the storage refuses") } == 1)
            #expect(lines.count { $0 == "the storage works again" } == 1)
            #expect(lines.count { $0.hasPrefix("the storage of a node refuses") } == 1)
            #expect(lines.count { $0 == "the storage of a node works again" } == 1)
        }
    }

    @Test("for a moment, again and again and at any call, loses no credit", arguments: 1...6)
    func creditComesBack(every: Int) async throws {
        let (place, runs, calls) = (try await SharedRedis.location(), RunLog(), Locked(0))
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let distributor = try await cluster.startDistributor()
            var logger = cluster.logger
            logger.logLevel = .critical
            try await cluster.startNode("n1", for: [distributor]) { [logger] in
                $0.window = 16
                $0.logger = logger
                $0.storage = FaultInjectingStorage(place.storage()) { call in
                    guard call.kind == .save || call.kind == .apply else { return nil }
                    let number = calls.withLock { count in
                        count += 1
                        return count
                    }
                    // The first that fail are of different kinds; after some all is well.
                    return number < 20 && number % every == 0 ? Self.full : nil
                }
            }
            try await waitForNodes(["n1"], at: distributor)
            let outcomes = Outcomes()
            for number in 0..<100 {
                try distributor.enqueue(
                    "note", ["text": .string("\(number)")], JobOptions(), feedback: outcomes.feedback)
            }
            let all = try await outcomes.wait(for: 100, seconds: 120)
            #expect(Set(all.map(\.id)).count == 100)
            #expect(runs.lines.count == 100)
            try await eventually("no credit is missing") { try await distributor.nodes().first?.load == 0 }
        }
    }
}
