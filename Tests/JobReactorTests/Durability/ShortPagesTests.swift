import JobReactor
import JobReactorNode
import JobReactorTesting
import JobReactorWire
import Testing

/// Storages whose pages are shorter than their limit before the last, as where jobs are large.
@Suite("Short pages") struct ShortPagesTests {
    private struct ShortPages: ForwardingStorage {
        let storage: any JobStorage

        func jobs(after id: JobID?, limit: Int, done: @escaping @Sendable (Result<[Job], StorageError>) -> Void) {
            storage.jobs(after: id, limit: min(limit, 2), done: done)
        }

        func reports(
            after key: JobReport.Key?, limit: Int,
            done: @escaping @Sendable (Result<[StoredReport], StorageError>) -> Void
        ) {
            storage.reports(after: key, limit: min(limit, 2), done: done)
        }
    }

    private static func job(_ number: UInt64, after seconds: Double) -> Job {
        Job(
            id: JobID(high: 1, low: number), name: "tell", args: ["text": .integer(Int64(number))],
            options: JobOptions(after: seconds), distributor: "app", createdAt: .now)
    }

    @Test("a node takes up all jobs and reports, and shows all")
    func node() async throws {
        let (place, runs) = (try await SharedRedis.location(), RunLog())
        let storage = place.storage()
        try await storage.open(StorageOwner(name: "n1"))
        let (due, waiting) = ((1...5).map { Self.job($0, after: 0) }, (6...10).map { Self.job($0, after: 3600) })
        let done = (11...15).map { Self.job($0, after: 0) }
        try await storage.save(due + waiting + done)
        try await storage.apply(
            done.map { job in
                let report = JobReport(
                    id: job.id, name: job.name, feedback: Feedback(.success, args: [:]), status: .complete, run: 1)
                return .remove(job.id, StoredReport(report, distributor: "app", madeAt: .now))
            })
        await storage.close()
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let distributor = try await cluster.startDistributor { $0.name = "app" }
            let node = try await cluster.startNode("n1", for: [distributor]) {
                $0.storage = ShortPages(storage: place.storage())
                $0.server = Address(host: "localhost", port: 0)
            }
            try await eventually("those that are due ran") { runs.lines.count == 5 }
            try await eventually("all reports have arrived") { try await node.storage.reports().isEmpty }
            let monitor = JobMonitor(node: Address(host: "localhost", port: try await node.port() ?? 0))
            try await eventually("the others wait") { try await monitor.jobs().map(\.job.id) == waiting.map(\.id) }
        }
    }

    @Test("a distributor finds all that it has stored")
    func distributor() async throws {
        let place = MemoryStorage()
        try await Cluster.run(scripts: [:]) { cluster in
            func make(_ storage: any JobStorage) -> Distributor {
                Distributor(DistributorConfiguration(name: "app", port: 0, storage: storage, logger: cluster.logger))
            }
            let first = make(place)
            try await first.start()
            _ = try first.enqueue(contentsOf: (0..<5).map { _ in JobSubmission("absent") })
            await first.stop()
            let second = make(ShortPages(storage: place))
            try await second.start()
            let waiting = try await second.waitingJobs()
            #expect(waiting.map(\.count) == [5])
            await second.stop()
        }
    }
}
