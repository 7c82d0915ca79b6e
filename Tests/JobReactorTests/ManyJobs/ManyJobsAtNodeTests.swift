import Foundation
import JobReactor
import JobReactorCore
import JobReactorNode
import JobReactorSQLite
import JobReactorTesting
import JobReactorWire
import Testing

/// What an operator asks of a node about many jobs at once.
@Suite("Many jobs of a node", .timeLimit(.minutes(5))) struct ManyJobsAtNodeTests {
    private static func connect(_ node: Node) async throws -> RESPClient {
        try await RESPClient.connect(to: Address(host: "localhost", port: try #require(try await node.port())))
    }

    /// The ids of an answer to `RECORDS`.
    private static func ids(_ client: RESPClient, _ words: [String]) async throws -> [JobID] {
        let records = try #require(try await client.send(["RECORDS"] + words).elements)
        return try records.map { record in try #require(record.elements?[1].text.flatMap { JobID($0) }) }
    }

    private static func file() -> String {
        FileManager.default.temporaryDirectory.appending(path: "many-\(UUID().uuidString).sqlite").path
    }

    private static func change(_ client: RESPClient, _ words: String...) async throws -> Int? {
        try await client.send(words).integer
    }

    private static let scripts = [
        "jobs.lua": """
        job('late', function() end)
        job('other', function() end)
        job('fails', { max_attempt = 1 }, function(args) if not args.good then error(args.text or 'no disk') end end)
        """
    ]

    @Test("are found by name, status, error and time, from either end, in pages")
    func found() async throws {
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let distributor = try await cluster.startDistributor()
            let node = try await cluster.startNode("n1", for: [distributor]) {
                $0.server = Address(host: "localhost", port: 0)
            }
            try await waitForNodes(["n1"], at: distributor)
            let before = Timestamp.now.advanced(bySeconds: -1)
            let late = try distributor.enqueue(
                contentsOf: (0..<600).map { _ in JobSubmission("late", [:], JobOptions(after: 3600)) }
            ).sorted()
            let other = try distributor.enqueue(
                contentsOf: (0..<3).map { _ in JobSubmission("other", [:], JobOptions(after: 3600)) }
            ).sorted()
            let outcomes = Outcomes()
            let failed = try ["No DISK left", "no route"].map { text in
                try distributor.enqueue("fails", ["text": .string(text)], JobOptions(), feedback: outcomes.feedback)
            }
            _ = try await outcomes.wait(for: 2)
            let client = try await Self.connect(node)
            try await eventually("all are there") { try await Self.ids(client, ["COUNT", "1000"]).count == 605 }
            let all = (late + other + failed).sorted()
            #expect(try await Self.ids(client, ["NEWEST", "COUNT", "7"]) == Array(all.reversed().prefix(7)))
            #expect(try await Self.ids(client, ["BEFORE", all[5].description]) == Array(all.prefix(5).reversed()))
            #expect(try await Self.ids(client, ["NAME", "other"]) == other)
            #expect(try await Self.ids(client, ["NEWEST", "NAME", "other", "COUNT", "2"]) == [other[2], other[1]])
            #expect(try await Self.ids(client, ["BEFORE", other[1].description, "NAME", "other"]) == [other[0]])
            #expect(
                try await Self.ids(client, ["AFTER", other[0].description, "NAME", "other"]) == [other[1], other[2]])
            #expect(try await Self.ids(client, ["STATUS", "failed", "ERROR", "no disk"]) == [failed[0]])
            #expect(try await Self.ids(client, ["STATUS", "failed", "SINCE", "\(before.seconds)"]) == failed.sorted())
            let soon = Timestamp.now.advanced(bySeconds: 3600)
            #expect(try await Self.ids(client, ["SINCE", "\(soon.seconds)"]).isEmpty)
            #expect(try await Self.ids(client, ["NAME", "late", "COUNT", "1000"]) == late)

            let monitor = JobMonitor(node: Address(host: "localhost", port: try #require(try await node.port())))
            let newest = try await monitor.newestJobs(JobMonitor.Filter(name: "late"), limit: 550)
            #expect(newest.map(\.job.id) == Array(late.reversed().prefix(550)))
            let byError = try await monitor.newestJobs(JobMonitor.Filter(error: "ROUTE"))
            #expect(byError.map(\.job.id) == [failed[1]])
            // The beginning of an id is enough where no other begins so.
            let text = failed[0].description
            let shared = zip(text, failed[1].description).prefix { $0 == $1 }.count
            let one = try await monitor.find(idPrefix: String(text.prefix(max(shared + 1, 20))))
            #expect(one.map(\.job.id) == [failed[0]])
            let several = try await monitor.find(idPrefix: String(text.prefix(4)), limit: 5)
            #expect(several.count == 5)
            let none = try await monitor.find(idPrefix: "0000")
            #expect(none.isEmpty)
            await client.close()
        }
    }

    @Test(
        "are counted, run again, cancelled and destroyed by one command each, whose begin and end are audited",
        arguments: [false, true])
    func changed(isDurable: Bool) async throws {
        let file = Self.file()
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let distributor = try await cluster.startDistributor()
            let node = try await cluster.startNode("n1", for: [distributor]) {
                $0.server = Address(host: "localhost", port: 0)
                if isDurable { $0.storage = SQLiteStorage(file: file, durability: .process) }
            }
            try await waitForNodes(["n1"], at: distributor)
            let outcomes = Outcomes()
            for _ in 0..<710 { try distributor.enqueue("fails", [:], JobOptions(), feedback: outcomes.feedback) }
            try distributor.enqueue("fails", ["text": "no route"], JobOptions(), feedback: outcomes.feedback)
            for _ in 0..<300 {
                try distributor.enqueue("late", [:], JobOptions(after: 3600), feedback: outcomes.feedback)
            }
            _ = try await outcomes.wait(for: 711)
            let client = try await Self.connect(node)
            try await eventually("all are there") {
                try await Self.change(client, "DESTROY", "ALL", "DRY") == 1011
            }
            #expect(try await Self.change(client, "RETRY", "ERROR", "no disk", "DRY") == 710)
            #expect(try await Self.change(client, "RETRY", "ERROR", "no disk") == 710)
            try await eventually("all have failed again") {
                try await Self.change(client, "RETRY", "ERROR", "no disk", "DRY") == 710
            }
            #expect(try await Self.change(client, "CANCEL", "NAME", "late", "DRY") == 300)
            #expect(try await Self.change(client, "CANCEL", "NAME", "late") == 300)
            try await eventually("the application hears of each") {
                outcomes.all.count { $0.status == .cancelled } == 300
            }
            // What has failed is not to be cancelled.
            #expect(try await Self.change(client, "CANCEL", "ALL") == 0)
            #expect(try await Self.change(client, "DESTROY", "STATUS", "failed", "ERROR", "route") == 1)
            #expect(try await Self.change(client, "DESTROY", "ALL") == 710)
            #expect(try await Self.ids(client, []).isEmpty)
            let audit = try #require(try await client.send(["AUDIT"]).elements)
            let changes = try audit.map { try #require($0.elements).compactMap(\.text)[9] }
            #expect(
                changes == [
                    "710 jobs are gone (all)", "begins to destroy jobs (all)",
                    "1 job is gone (status failed, 'route' in the error)",
                    "begins to destroy jobs (status failed, 'route' in the error)",
                    "300 jobs are cancelled (name late)", "begins to cancel jobs (name late)",
                    "710 jobs run now ('no disk' in the error)", "begins to run jobs ('no disk' in the error)",
                ])
            await client.close()
        }
    }

    @Test("hold up no other job of the node")
    func others() async throws {
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let distributor = try await cluster.startDistributor()
            let node = try await cluster.startNode("n1", for: [distributor]) {
                $0.server = Address(host: "localhost", port: 0)
            }
            try await waitForNodes(["n1"], at: distributor)
            _ = try distributor.enqueue(
                contentsOf: (0..<20_000).map { _ in JobSubmission("late", [:], JobOptions(after: 3600)) })
            let (client, other) = (try await Self.connect(node), try await Self.connect(node))
            try await eventually("all are there") {
                try await Self.change(client, "CANCEL", "ALL", "DRY") == 20_000
            }
            let all = Task { try await Self.change(client, "CANCEL", "NAME", "late") }
            // Others are served before it is through, whatever it takes.
            try await eventually("it is under way") {
                let left = try #require(try await Self.change(other, "CANCEL", "ALL", "DRY"))
                return left < 20_000
            }
            _ = try await distributor.perform("other", timeout: 200)
            #expect(try await all.value == 20_000)
            for connection in [client, other] { await connection.close() }
        }
    }

    /// Answers no page of jobs while it is told to wait.
    private final class WaitingStorage: ForwardingStorage {
        let storage: any JobStorage = MemoryStorage()
        private let waiting = Locked<[@Sendable () -> Void]?>(nil)

        var count: Int { waiting.withLock { $0?.count ?? 0 } }

        func wait() { waiting.withLock { $0 = [] } }

        func goOn() {
            let pages = waiting.withLock { waiting in
                defer { waiting = nil }
                return waiting ?? []
            }
            for page in pages { page() }
        }

        func jobs(before id: JobID?, limit: Int, done: @escaping @Sendable (Result<[Job], StorageError>) -> Void) {
            let page: @Sendable () -> Void = { [storage] in storage.jobs(before: id, limit: limit, done: done) }
            let waits = waiting.withLock { waiting in
                waiting?.append(page)
                return waiting != nil
            }
            if !waits { page() }
        }
    }

    @Test("so many look through all jobs at once, and no more") func scans() async throws {
        let storage = WaitingStorage()
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let node = try await cluster.startNode("n1", for: []) {
                $0.server = Address(host: "localhost", port: 0)
                $0.storage = storage
            }
            let clients = try await Self.connect(node, times: 8)
            let last = try await Self.connect(node)
            storage.wait()
            let counts = clients.map { client in Task { try await Self.change(client, "CANCEL", "ALL", "DRY") } }
            try await eventually("eight look through all") { storage.count == 8 }
            let refused = try await last.send(["CANCEL", "ALL", "DRY"]).text
            #expect(refused == "ERR too many commands look through all jobs at the moment: try again")
            // A page of all is none of them.
            #expect(try await last.send(["RECORDS"]).elements?.isEmpty == true)
            storage.goOn()
            let found = try await Self.values(of: counts)
            #expect(found == Array(repeating: 0, count: 8))
            #expect(try await Self.change(last, "CANCEL", "ALL", "DRY") == 0)
            await last.close()
        }
    }

    private static func connect(_ node: Node, times: Int) async throws -> [RESPClient] {
        var clients: [RESPClient] = []
        for _ in 0..<times { clients.append(try await connect(node)) }
        return clients
    }

    private static func values(of tasks: [Task<Int?, any Error>]) async throws -> [Int?] {
        var values: [Int?] = []
        for task in tasks { values.append(try await task.value) }
        return values
    }

    @Test("one that no script defines any more says so, with the nearest name")
    func parked() async throws {
        let file = Self.file()
        let storage = SQLiteStorage(file: file)
        try await storage.open(StorageOwner(name: "n1"))
        let job = Job(
            id: JobID(high: 1, low: 1), name: "lates", args: [:], distributor: "app",
            createdAt: Timestamp.now.advanced(bySeconds: -5))
        try await storage.save([job])
        await storage.close()
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let node = try await cluster.startNode("n1", for: []) {
                $0.server = Address(host: "localhost", port: 0)
                $0.storage = SQLiteStorage(file: file)
            }
            let monitor = JobMonitor(node: Address(host: "localhost", port: try #require(try await node.port())))
            try await eventually("it is parked") {
                try await monitor.load(job.id)?.waitsFor == "no node defines it: did you mean 'late'?"
            }
            let listed = try await monitor.newestJobs()
            #expect(listed.map(\.waitsFor) == ["no node defines it: did you mean 'late'?"])
        }
    }
}
