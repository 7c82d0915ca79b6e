import JobReactor
import JobReactorCore
import JobReactorLua
import JobReactorNode
import JobReactorTesting
import JobReactorWire
import NIOCore
import NIOPosix
import ServiceLifecycle
import Testing

/// The start and the stop of what has a life, and what callers get before, between and after.
@Suite("The life of distributors, nodes and clients") struct LifeTests {
    // MARK: After the stop

    private func expectStopped(
        _ call: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
    ) async {
        let error = await #expect(throws: JobError.self, "\(call)", sourceLocation: sourceLocation) {
            try await body()
        }
        #expect(error?.code == .stopped, "\(call)", sourceLocation: sourceLocation)
    }

    private func expectStopped(_ distributor: Distributor) async {
        let id = JobID(high: 1, low: 2)
        await expectStopped("start") { try await distributor.start() }
        await expectStopped("enqueue") { try distributor.enqueue("echo") }
        await expectStopped("enqueue many") { try distributor.enqueue(contentsOf: [JobSubmission("echo")]) }
        await expectStopped("perform") { _ = try await distributor.perform("echo") }
        await expectStopped("flush") { try await distributor.flush() }
        await expectStopped("cancel") { try await distributor.cancel(id) }
        await expectStopped("job") { _ = try await distributor.job(id) }
        await expectStopped("nodes") { _ = try await distributor.nodes() }
        await expectStopped("waitingJobs") { _ = try await distributor.waitingJobs() }
        distributor.onSuccess("echo") { _ in }
    }

    @Test("every call of a distributor that was stopped throws, also of one that was never started")
    func distributorStopped() async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor()
            await distributor.stop()
            await expectStopped(distributor)
        }
        let idle = Distributor(DistributorConfiguration(port: 0))
        await idle.stop()
        await expectStopped(idle)
    }

    @Test("as well on an event loop of the application's")
    func distributorOnAGroupStopped() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let distributor = try await Distributor.start(port: 0, on: group)
        await distributor.stop()
        await expectStopped(distributor)
        try await group.shutdownGracefully()
        await expectStopped(distributor)
    }

    @Test("every call of a client that was stopped throws")
    func clientStopped() async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor()
            let client = try await JobClient.connect(port: try #require(distributor.port))
            await client.stop()
            let id = JobID(high: 1, low: 2)
            await expectStopped("enqueue") { try client.enqueue("echo") }
            await expectStopped("enqueue many") { try client.enqueue(contentsOf: [JobSubmission("echo")]) }
            await expectStopped("perform") { _ = try await client.perform("echo") }
            await expectStopped("flush") { try await client.flush() }
            await expectStopped("cancel") { try await client.cancel(id) }
            await expectStopped("job") { _ = try await client.job(id) }
            await expectStopped("nodes") { _ = try await client.nodes() }
        }
    }

    @Test("every call of a node that was stopped throws")
    func nodeStopped() async throws {
        try await Cluster.run(scripts: ["jobs.lua": "job('echo', function() end)"]) { cluster in
            let node = try await cluster.startNode("n1", for: [])
            await node.stop()
            await expectStopped("start") { try await node.start() }
            await expectStopped("scripts") { _ = try await node.scripts() }
            await expectStopped("reload") { try await node.reload() }
            await expectStopped("port") { _ = try await node.port() }
        }
    }

    // MARK: Under way at the stop

    @Test("a flush of a distributor ends with the stop when its storage does not answer")
    func flushUnderWay() async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let storage = HeldStorage(holding: .save)
            let distributor = try await cluster.startDistributor {
                $0.name = "app"
                $0.storage = storage
            }
            try distributor.enqueue("echo")
            try await storage.held.wait(for: 1)
            let flush = Task { try await distributor.flush() }
            let outcome = Task { try await distributor.perform("echo") }
            await distributor.stop(grace: 0)
            await expectStopped("flush") { try await flush.value }
            await expectStopped("perform") { _ = try await outcome.value }
        }
    }

    @Test("a flush of a client ends with the stop when the distributor does not accept")
    func clientFlushUnderWay() async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let storage = HeldStorage(holding: .save)
            let distributor = try await cluster.startDistributor {
                $0.name = "app"
                $0.storage = storage
            }
            let client = try await JobClient.connect(port: try #require(distributor.port))
            try client.enqueue("echo")
            let flush = Task { try await client.flush() }
            try await storage.held.wait(for: 1)
            await client.stop(grace: 0)
            await expectStopped("flush") { try await flush.value }
        }
    }

    @Test("a client that stops before it ever was connected leaves nothing that waits")
    func clientStopsWhileConnecting() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        // Nobody listens there.
        let address = Address(host: "127.0.0.1", port: 1)
        let client = JobClient.connecting(
            to: address, security: WireSecurity(), on: group, logger: LogRecorder().logger)
        // What a flush waits for is there before it begins.
        try client.enqueue("echo")
        let outcome = Task { try await client.perform("echo") }
        let flush = Task { try await client.flush() }
        await client.stop(grace: 0)
        await expectStopped("perform") { _ = try await outcome.value }
        await expectStopped("flush") { try await flush.value }
        try await group.shutdownGracefully()
    }

    @Test("reloads under way and waiting end with the stop of their node")
    func reloadsUnderWay() async throws {
        try await Cluster.run(scripts: ["jobs.lua": "job('echo', function() end)"]) { cluster in
            let node = try await cluster.startNode("n1", for: [])
            let reloads = (0..<8).map { _ in Task { try await node.reload() } }
            await node.stop()
            for reload in reloads {
                do { #expect(try await reload.value.hasPrefix("generation ")) } catch let error as JobError {
                    #expect(error.code == .stopped)
                }
            }
        }
    }

    @Test("calls from many tasks while a distributor stops end, each with an answer or as stopped")
    func callsDuringTheStop() async throws {
        for _ in 0..<20 {
            let distributor = try await Distributor.start(port: 0)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        do {
                            while true {
                                _ = try await distributor.nodes()
                                _ = try await distributor.job(JobID(high: 1, low: 2))
                                try await distributor.flush()
                            }
                        } catch let error as JobError { #expect(error.code == .stopped) }
                    }
                    group.addTask {
                        do { _ = try await distributor.perform("nobody_defines_it") } catch let error as JobError {
                            #expect(error.code == .stopped)
                        }
                    }
                }
                group.addTask { await distributor.stop(grace: 0) }
                try await group.waitForAll()
            }
        }
    }

    @Test("a call whose task is cancelled ends at once")
    func cancelledCall() async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let storage = HeldStorage(holding: .save)
            let distributor = try await cluster.startDistributor {
                $0.name = "app"
                $0.storage = storage
            }
            try distributor.enqueue("echo")
            let flush = Task { try await distributor.flush() }
            try await storage.held.wait(for: 1)
            flush.cancel()
            await #expect(throws: CancellationError.self) { try await flush.value }
            await distributor.stop(grace: 0)
        }
    }

    // MARK: The start

    @Test("a start after one that failed is an error at once, which says why the first failed")
    func startAfterAFailure() async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let node = Node(
                NodeConfiguration(name: "n1", distributors: [], jobDirectory: "/nowhere", logger: cluster.logger))
            let first = await #expect(throws: ScriptError.self) { try await node.start() }
            let again = await #expect(throws: WireError.self) { try await node.start() }
            let reason = try #require(first).message
            #expect(again?.message == "the start of the node failed (\(reason)): make another")
            await node.stop()

            let other = try await cluster.startDistributor()
            let distributor = Distributor(DistributorConfiguration(port: try #require(other.port)))
            await #expect(throws: WireError.self) { try await distributor.start() }
            let second = await #expect(throws: WireError.self) { try await distributor.start() }
            #expect(second?.message.hasPrefix("the start of the distributor failed (cannot listen on ") == true)
            #expect(distributor.port == nil)
        }
    }

    @Test("a second start is an error")
    func secondStart() async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor()
            let error = await #expect(throws: WireError.self) { try await distributor.start() }
            #expect(error?.message == "the distributor was started before: make another")
            #expect(distributor.port != nil)
        }
    }

    @Test("a stop ends a start that waits for its storage")
    func stopDuringTheStart() async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let (first, second) = (HeldStorage(holding: .open), HeldStorage(holding: .open))
            let distributor = Distributor(
                DistributorConfiguration(name: "app", port: 0, storage: first, logger: cluster.logger))
            let node = Node(
                NodeConfiguration(
                    name: "n1", distributors: [], storage: second, jobDirectory: cluster.jobDirectory,
                    logger: cluster.logger))
            let starts = (Task { try await distributor.start() }, Task { try await node.start() })
            try await first.held.wait(for: 1)
            try await second.held.wait(for: 1)
            await distributor.stop()
            await node.stop()
            await expectStopped("start of the distributor") { try await starts.0.value }
            await expectStopped("start of the node") { try await starts.1.value }
        }
    }

    @Test("a graceful shutdown ends a start that waits for its storage, without an error, and the log says why")
    func shutdownDuringTheStart() async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let (log, storage) = (LogRecorder(), HeldStorage(holding: .open))
            let node = Node(
                NodeConfiguration(
                    name: "n1", distributors: [], storage: storage, jobDirectory: cluster.jobDirectory,
                    logger: log.logger))
            let group = ServiceGroup(
                configuration: ServiceGroupConfiguration(
                    services: [
                        .init(service: node, successTerminationBehavior: .gracefullyShutdownGroup)
                    ], logger: cluster.logger))
            async let run: Void = group.run()
            try await storage.held.wait(for: 1)
            await group.triggerGracefulShutdown()
            try await run
            let line = log.lines.elements.first { $0.text == "the node was stopped before it had started" }
            #expect(line?.metadata["while"] == "its storage was being opened")
        }
    }

    @Test("a start that fails is no stop before the start: the error alone says why")
    func failedStart() async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let log = LogRecorder()
            let full = StorageError("the disk is full: make room", code: .full)
            func storage() -> FaultInjectingStorage {
                FaultInjectingStorage(MemoryStorage()) { $0.kind == .open ? full : nil }
            }
            let node = Node(
                NodeConfiguration(
                    name: "n1", distributors: [], storage: storage(), jobDirectory: cluster.jobDirectory,
                    logger: log.logger))
            let distributor = Distributor(
                DistributorConfiguration(name: "app", port: 0, storage: storage(), logger: log.logger))
            let errors = (
                await #expect(throws: StorageError.self) { try await node.start() },
                await #expect(throws: StorageError.self) { try await distributor.start() }
            )
            #expect(errors.0 == full && errors.1 == full)
            #expect(!log.lines.elements.contains { $0.text.contains("was stopped before it had started") })
        }
    }

    @Test("a cancelled task ends a start that waits for its storage")
    func cancelledStart() async throws {
        let storage = HeldStorage(holding: .open)
        let distributor = Distributor(DistributorConfiguration(name: "app", port: 0, storage: storage))
        let start = Task { try await distributor.start() }
        try await storage.held.wait(for: 1)
        start.cancel()
        await #expect(throws: CancellationError.self) { try await start.value }
        await #expect(throws: WireError.self) { try await distributor.start() }
    }
}
