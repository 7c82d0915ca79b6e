public import JobReactorCore
public import JobReactorWire
public import Logging
public import NIOCore
private import NIOPosix
public import ServiceLifecycle

/// Enqueues jobs at a distributor in another process and receives their outcomes, over one connection that it restores
/// automatically.
///
/// After a lost connection, a job is sent again until its outcome has arrived; its id ensures that it remains one job.
/// When this process ends, its feedbacks are lost; jobs that the distributor has accepted continue there. Every method
/// may be called from any thread or task. Dropping the last reference stops it without waiting; `stop(grace:)` waits.
public final class JobClient: JobProducer, Service {
    private let address: Address
    private let security: WireSecurity
    private let logger: Logger
    private let ownGroup: MultiThreadedEventLoopGroup?
    private let loop: any EventLoop
    private let core: NIOLoopBoundBox<ClientCore?>
    private let inbox: SubmissionInbox
    private let calls: LoopCalls
    private let state = Locked(ServiceState())

    private init(
        to address: Address, security: WireSecurity, maxMemory: Int = JobClient.usualMaxMemory,
        metrics: MetricsBackend? = nil, tracing: JobTracing?, on group: (any EventLoopGroup)?,
        clock: WallClock = .system, logger: Logger
    ) {
        self.address = address
        self.security = security
        self.logger = logger
        let ownGroup = group == nil ? MultiThreadedEventLoopGroup(numberOfThreads: 1) : nil
        self.ownGroup = ownGroup
        let loop = group?.next() ?? ownGroup?.next() ?? MultiThreadedEventLoopGroup.singleton.next()
        self.loop = loop
        let core = NIOLoopBoundBox.makeEmptyBox(valueType: ClientCore.self, eventLoop: loop)
        self.core = core
        let memory = JobMemory(limit: maxMemory)
        loop.execute {
            core.value = ClientCore(
                to: address, security: security, memory: memory, metrics: metrics, on: loop, clock: clock,
                logger: logger)
        }
        inbox = SubmissionInbox(loop: loop, clock: clock, memory: memory, tracing: tracing) { batch in
            core.value?.submit(batch)
        }
        calls = LoopCalls(to: "the client", on: loop)
    }

    deinit {
        guard state.withLock({ $0.stop() }) else { return }
        inbox.close()
        calls.close()
        let (core, inbox, loop, ownGroup) = (core, inbox, loop, ownGroup)
        loop.execute {
            inbox.drain()
            core.value?.drain(grace: 0).flatMap { core.value?.close() ?? loop.makeSucceededVoidFuture() }
                .whenComplete { _ in ownGroup?.shutdownGracefully { _ in } }
        }
    }

    /// Connects to a distributor. Throws `WireError` if the distributor cannot be reached now, or refuses; later losses
    /// of the connection are repaired in the background. `group` is the application's event loop group; without one the
    /// client runs on its own thread.
    ///
    /// The client keeps each job until its outcome has arrived. `maxMemory` is the limit for all of them in bytes:
    /// names, args and 300 bytes for each job. Beyond it, for example while the distributor is away or full, enqueueing
    /// throws `JobError.Code.busy`.
    public static func connect(
        to address: Address, security: WireSecurity = WireSecurity(), maxMemory: Int = 256 << 20,
        on group: (any EventLoopGroup)? = nil, logger: Logger = Logger(label: "jobreactor.client")
    ) async throws -> JobClient {
        let client = JobClient(
            to: address, security: security, maxMemory: maxMemory, metrics: MetricsBackend(), tracing: JobTracing(),
            on: group, logger: logger)
        try await client.start()
        return client
    }

    private static let usualMaxMemory = 256 << 20

    private func start() async throws {
        try state.withLock { try $0.start() }
        let core = core
        do {
            try await calls.ask { [loop] in core.value?.start() ?? loop.makeSucceededVoidFuture() }
            _ = state.withLock { $0.started() }
        } catch {
            if state.withLock({ $0.startFailed("\(error)") }) {
                try? await end(grace: 0).get()
                try? await ownGroup?.shutdownGracefully()
            }
            throw error
        }
    }

    /// A client that connects in the background, without a time limit.
    package static func connecting(
        to address: Address, security: WireSecurity, tracing: JobTracing? = nil, on group: any EventLoopGroup,
        clock: WallClock = .system, logger: Logger
    ) -> JobClient {
        let client = JobClient(
            to: address, security: security, tracing: tracing, on: group, clock: clock, logger: logger)
        let core = client.core
        client.calls.tell { _ = core.value?.start() }
        return client
    }

    /// As above, with a host, a port and optionally a password.
    public static func connect(host: String = "localhost", port: Int, password: Password? = nil) async throws
        -> JobClient
    {
        try await connect(to: Address(host: host, port: port), security: WireSecurity(password: password))
    }

    @discardableResult
    public func enqueue(
        _ name: String, _ args: JobArguments, _ options: JobOptions, feedback: JobFeedback
    ) throws(JobError) -> JobID {
        try inbox.submit(name, args, options, feedback)
    }

    /// As ``enqueue(_:_:_:feedback:)``, of a job that a run waits for: others that wait for that run's place do not keep it.
    package func perform(
        _ name: String, _ args: JobArguments, _ options: JobOptions, feedback: JobFeedback
    ) throws(JobError) {
        _ = try inbox.submit(name, args, options, feedback, isAwaited: true)
    }

    /// Waits until the distributor has accepted all jobs that were enqueued before.
    public func flush() async throws {
        let core = core
        try await calls.ask { [loop] in core.value?.flush() ?? loop.makeSucceededVoidFuture() }
    }

    /// As ``flush()``, for a client on the loop of somebody else.
    package func flushed() -> EventLoopFuture<Void> {
        let core = core
        return loop.flatSubmit { [loop] in core.value?.flush() ?? loop.makeSucceededVoidFuture() }
    }

    @discardableResult
    public func enqueue(contentsOf jobs: [JobSubmission]) throws(JobError) -> [JobID] {
        try inbox.submit(jobs)
    }

    @discardableResult
    public func cancel(_ id: JobID) async throws -> Bool {
        let core = core
        if let isKnown = try await calls.ask({ core.value?.cancel(id) }) { return isKnown }
        return try await ask(["CANCEL", id.description]).integer == 1
    }

    public func job(_ id: JobID) async throws -> JobInfo? {
        let reply = try await ask(["JOB", id.description])
        return JobInfo(fields: (reply.elements ?? []).map { $0.text ?? "" })
    }

    public func nodes() async throws -> [NodeInfo] {
        try await ask(["NODES"]).elements?.compactMap(NodeInfo.init) ?? []
    }

    @discardableResult
    public func handle(_ name: String, _ feedback: JobFeedback) -> HandlerRegistration {
        let core = core
        let registration = HandlerRegistration { [weak self] in self?.forget($0, of: name) }
        let isTold = calls.tell { core.value?.handlers.add(feedback, for: name, registration) }
        if !isTold { feedback.onStop?() }
        return registration
    }

    private func forget(_ registration: HandlerRegistration, of name: String) {
        let core = core
        calls.tell { core.value?.handlers.remove(registration, of: name) }
    }

    /// Asks the distributor, over a connection for this one question.
    private func ask(_ words: [String]) async throws -> RESPValue {
        let (address, security) = (address, security)
        let reply = try await calls.ask { [loop] in
            RESPClient.ask(words, at: address, security: security, on: loop)
        }
        if case .error(let reason) = reply { throw WireError(.connect, "\(address): \(reason)") }
        return reply
    }

    /// Serves until a graceful shutdown or the cancellation of the task, and stops.
    public func run() async throws {
        // Ends by returning on a graceful shutdown and by throwing on cancellation: both mean the same here.
        try? await gracefulShutdown()
        await stop()
    }

    /// Sends all remaining jobs, waits at most `grace` seconds until the distributor has accepted them, and closes.
    /// Open feedbacks are dropped. `perform` and all later calls throw `JobError.Code.stopped`. A second stop has no
    /// effect.
    public func stop(grace: Double = 5) async {
        guard state.withLock({ $0.stop() }) else { return }
        try? await end(grace: grace).get()
        try? await ownGroup?.shutdownGracefully()
    }

    /// As `stop(grace:)`, with a duration, clamped to 0 to 1,000,000,000 seconds.
    public func stop(grace: Duration) async { await stop(grace: grace.inSeconds) }

    /// As `stop(grace:)`, for a client on the loop of somebody else.
    package func stopped(grace: Double) -> EventLoopFuture<Void> {
        guard state.withLock({ $0.stop() }) else { return loop.makeSucceededVoidFuture() }
        return end(grace: grace)
    }

    private func end(grace: Double) -> EventLoopFuture<Void> {
        inbox.close()
        let (core, inbox, calls, state) = (core, inbox, calls, state)
        return loop.flatSubmit { [loop] in
            inbox.drain()
            return core.value?.drain(grace: grace) ?? loop.makeSucceededVoidFuture()
        }.flatMap { [loop] in
            calls.close()
            return core.value?.close() ?? loop.makeSucceededVoidFuture()
        }.always { _ in state.withLock { $0.ended() } }
    }
}

extension NodeInfo {
    /// A row of NODES.
    fileprivate init?(_ row: RESPValue) {
        guard let elements = row.elements else { return nil }
        var fields: [String: String] = [:]
        for index in stride(from: 0, to: elements.count - 1, by: 2) {
            if let key = elements[index].text { fields[key] = elements[index + 1].text }
        }
        guard let name = fields["name"] else { return nil }
        self.init(
            name: name, address: fields["address"] ?? "", isDurable: fields["durable"] == "1",
            isDraining: fields["draining"] == "1", window: fields["window"].flatMap { Int($0) } ?? 0,
            load: fields["load"].flatMap { Int($0) } ?? 0,
            jobs: (fields["jobs"] ?? "").split(separator: " ").map(String.init),
            storageError: fields["storage_error"].flatMap { $0.isEmpty ? nil : $0 }, isPaused: fields["paused"] == "1")
    }
}
