internal import JobReactor
internal import JobReactorCore
internal import JobReactorLua
internal import JobReactorWire
internal import Logging
internal import NIOCore

/// A node on its event loop: carries out what ``NodeRuns``, ``NodeLife``, ``StorageHealth`` and ``Delivery`` decide, and tells
/// them what came of it. Jobs come from the links, are stored, run on the Lua lanes, and their reports go back.
final class NodeCore {
    let configuration: NodeConfiguration
    let loop: any EventLoop
    let logger: Logger
    /// Tells this process from all others.
    let instance: String
    let startedAt: Moment
    private(set) var scripts: ScriptReport?
    let clock: WallClock
    private let openLane: LaneMaker
    /// That of the configuration, measured where the program has a backend for metrics. What only some storages can do that of
    /// the configuration is asked for.
    let storage: any JobStorage
    var life = NodeLife()
    var runs: NodeRuns
    var destinations = Destinations()
    var storageHealth = StorageHealth()
    var storageTrial: Scheduled<Void>?
    /// How many jobs may wait here for their time.
    let mostWaiting: Int
    /// As many do, and no more are asked for.
    var isFull = false
    /// For a time of the steady clock.
    var armed: (at: Timestamp, timer: Scheduled<Void>)?
    /// Those there are: the reactor's, and the one for `defer` jobs once it was needed.
    private(set) var lanes: [NodeLane] = []
    let folder: ScriptFolder
    let memory: LuaMemory
    /// What scripts share.
    let shared: SharedDictionary
    var reloading: Reloading
    var watchdog = Watchdog()
    private(set) var listener: Listener?
    private(set) var dialers: [DistributorDialer] = []
    /// The distributors' addresses, and those that are to dial back.
    var directory = DistributorDirectory()
    /// For what scripts enqueue, by the distributor's address.
    var clients: [Address: JobClient] = [:]
    let audit: AuditLog
    /// Where the program has a backend for them.
    let metrics: NodeMetrics?
    private(set) var gauges: LiveGauges?
    /// Where the program has an instrument.
    let tracing: NodeTracing?
    var drained: EventLoopPromise<Void>?
    /// Who waits until there is a link to a distributor.
    var awaitingLink: [EventLoopPromise<Void>] = []
    /// Who waits until the end of a job that was cancelled is stored.
    var cancellations: [JobID: [EventLoopPromise<Bool>]] = [:]
    /// Newer args of jobs that may be on their way into the storage.
    var laterReplacements: [Replacing] = []
    /// How many look through all jobs.
    var scans = ScanLimit()
    private(set) var starting: EventLoopFuture<Void>?

    /// Makes a lane that is not started; what it is given is called on a thread of the lane when there are results.
    typealias LaneMaker = (LuaLane.Options, _ onResults: @escaping @Sendable () -> Void) -> any JobLane

    init(
        _ configuration: NodeConfiguration, metrics: MetricsBackend? = nil, tracing: JobTracing? = nil,
        on loop: any EventLoop,
        openLane: @escaping LaneMaker = { LuaLane($0, onResults: $1) }
    ) {
        self.configuration = configuration
        self.loop = loop
        clock = configuration.clock
        self.openLane = openLane
        logger = configuration.logger
        storage = metrics.map { MeasuredStorage(configuration.storage, of: "node", $0) } ?? configuration.storage
        mostWaiting = (configuration.maxMemory ?? MachineMemory.half) / (storage.isDurable ? 128 : 1024)
        memory = LuaMemory(limit: configuration.memoryLimit ?? MachineMemory.half)
        shared = SharedDictionary(
            memory: memory, limit: configuration.sharedLimit ?? (memory.limit == 0 ? .max : memory.limit / 4))
        audit = AuditLog(configuration.storage, clock: clock, logger: logger, on: loop)
        folder = ScriptFolder(JobDirectory(configuration.jobDirectory))
        var ids = JobID.Generator()
        startedAt = loop.moment(clock)
        reloading = Reloading(loadedAt: startedAt)
        runs = NodeRuns(configuration)
        instance = ids.next(at: startedAt.wall).description
        self.metrics = metrics.map { NodeMetrics($0) }
        self.tracing = tracing.map { NodeTracing($0, node: configuration.name) }
        if let metrics { measure(with: metrics) }
    }

    private func measure(with backend: MetricsBackend) {
        func reading(_ name: String, _ read: @escaping (NodeCore) -> Int) -> LiveGauges.Reading {
            ("jobreactor_node_" + name, { [weak self] in self.map(read) ?? 0 })
        }
        let readings = [
            reading("delayed") { $0.runs.waitingCount }, reading("waiting") { $0.runs.readyCount },
            reading("running") { $0.runs.busyCount }, reading("suspended") { $0.runs.suspendedCount },
            reading("parked_jobs") { $0.runs.parkedCount }, reading("unreported") { $0.unreportedCount },
            reading("full") { $0.isFull ? 1 : 0 },
            reading("distributors") { core in core.destinations.all.count { $0.link != nil } },
            reading("connections") { $0.listener?.connectionCount ?? 0 },
            reading("broken_scripts") { $0.scripts?.broken.count ?? 0 },
            reading("script_generation") { $0.scripts?.generation ?? 0 },
            reading("stuck") { $0.watchdog.isStuck ? 1 : 0 },
            reading("storage_refuses") { $0.storageHealth.isRefusing ? 1 : 0 },
            reading("lua_memory_bytes") { $0.memory.used }, reading("lua_memory_limit_bytes") { $0.memory.limit },
            reading("shared_memory_bytes") { $0.shared.bytes },
        ]
        let server = configuration.storage as? any ConnectedStorage
        let counts = [
            reading("wrong_passwords") { $0.listener?.portGuard.wrongPasswordCount ?? 0 },
            reading("storage_reconnects") { _ in server?.reconnectCount ?? 0 },
        ]
        gauges = LiveGauges(readings, counts: counts, backend, on: loop)
    }

    // MARK: Life

    func start() -> EventLoopFuture<Void> {
        life.start()
        gauges?.set()
        let bound = NIOLoopBound(self, eventLoop: loop)
        let started = loadScripts().flatMap { bound.value.listen() }.flatMap {
            bound.value.life.loaded()
                ? bound.value.openStorage() : bound.eventLoop.makeFailedFuture(Self.stopped)
        }.flatMapThrowing { try bound.value.connect() }
        started.whenFailure { _ in bound.value.life.startFailed() }
        starting = started
        watchLanes()
        return started
    }

    static let stopped = JobError(.stopped, "the node was stopped: make another")

    private func connect() throws {
        guard !life.isStopping else { throw Self.stopped }
        for address in configuration.distributors {
            let dialer = DistributorDialer(to: address, core: self)
            dialers.append(dialer)
            dialer.start()
        }
        logger.info(
            "node started",
            metadata: [
                "node": "\(configuration.name)", "jobs": "\(runs.jobNames.count)",
                "listens": "\(port.map { "port \($0)" } ?? "no")",
            ])
    }

    private func loadScripts() -> EventLoopFuture<Void> {
        let bound = NIOLoopBound(self, eventLoop: loop)
        let loop = loop
        let promise = loop.makePromise(of: Void.self)
        lane(.reactor).start { result in
            loop.execute {
                switch result {
                case .success where bound.value.life.isStopping: promise.fail(Self.stopped)
                case .success(let report):
                    bound.value.use(report)
                    bound.value.watchScripts()
                    promise.succeed()
                case .failure(let error): promise.fail(error)
                }
            }
        }
        return promise.futureResult
    }

    /// A lane, which is made and started when it is first needed.
    func lane(_ kind: LaneKind) -> NodeLane {
        if let made = lanes.first(where: { $0.kind == kind }) { return made }
        let made = makeLane(kind)
        lanes.append(made)
        if kind == .deferred {
            let logger = logger
            made.start { result in
                if case .failure(let error) = result { logger.error("no lane for jobs with defer: \(error)") }
            }
        }
        return made
    }

    private func makeLane(_ kind: LaneKind) -> NodeLane {
        let bound = NIOLoopBound(self, eventLoop: loop)
        let loop = loop
        let isLinked = !configuration.distributors.isEmpty
        let perform: LuaLane.Performer = { job, onParked, done in
            loop.execute { bound.value.perform(job, onParked: onParked, done) }
        }
        var options = LuaLane.Options(
            scripts: folder, memory: memory,
            threads: kind == .reactor ? 1 : configuration.deferLanes, canEnqueue: isLinked,
            perform: isLinked ? perform : nil, isSandboxed: configuration.isSandboxed,
            libraries: configuration.libraries, shared: shared, logger: logger)
        if isLinked { options.place = { job, done in loop.execute { bound.value.place(job, done) } } }
        options.loadingSeconds = configuration.loadingSeconds
        let lua = openLane(options) {
            loop.execute { bound.value.takeResults(of: bound.value.lane(kind)) }
        }
        return NodeLane(kind, lua)
    }

    func use(_ report: ScriptReport) {
        scripts = report
        runs.use(report.definitions, report.limits.map(\.limit))
        metrics?.prepare(runs.jobNames)
        for problem in report.problems {
            let text = [problem.message, problem.traceback].compactMap(\.self).joined(separator: "\n")
            logger.log(level: problem.isError ? .error : .warning, "\(text)")
        }
        if report.definitions.isEmpty {
            logger.warning("no job is defined", metadata: ["folder": "\(configuration.jobDirectory)"])
        }
    }

    private func listen() -> EventLoopFuture<Void> {
        guard let server = configuration.server else { return loop.makeSucceededVoidFuture() }
        let bound = NIOLoopBound(self, eventLoop: loop)
        let portGuard = PortGuard(
            limits: configuration.limits, maximumConnections: configuration.maximumConnections,
            password: configuration.security.portPassword,
            users: configuration.security.users, logger: logger, on: loop)
        return Listener.bind(to: server, guardedBy: portGuard, security: configuration.security) {
            CommandSession.accept(by: portGuard, service: bound.value)
        }.flatMapThrowing { listener in
            bound.value.listener = listener.value
            guard !bound.value.life.isStopping else {
                listener.value.stopAccepting()
                throw Self.stopped
            }
        }
    }

    var port: Int? { listener?.port }
    var now: Moment { loop.moment(clock) }

    /// Who we are, to a distributor, which shows the token when it dials back.
    func introduction(token: String) -> NodeIntroduction {
        var address = configuration.connectTo ?? configuration.server
        if address?.port == 0 { address?.port = listener?.port ?? 0 }
        return NodeIntroduction(
            name: configuration.name, instance: instance, isDurable: storage.isDurable,
            server: address?.description, place: (configuration.storage as? any SharedJobStorage)?.place,
            token: address == nil ? "" : token)
    }
}
