internal import JobReactorCore
internal import JobReactorWire
internal import Logging
internal import NIOCore

/// A distributor on its event loop: its connections, its storage and its clock. What becomes of jobs the
/// ``DistributorLedger`` decides; this tells it what has happened, and carries out what it says.
final class DistributorCore {
    let configuration: DistributorConfiguration
    let loop: any EventLoop
    let logger: Logger
    /// Tells this process from all others, so that reports find their way back whatever the address is called.
    let identity: String
    /// What jobs are marked with; the same after a restart.
    var name = ""
    let startedAt: Moment
    let clock: WallClock

    private(set) var ledger: DistributorLedger
    private(set) var listener: Listener?
    var isStopping = false
    /// What an earlier process has stored is here: a stop before that has nothing to wait for.
    var hasOpened = false
    var links = NodeLinks()
    private var registrations: [String: NodeRegistration] = [:]
    private var producers: [String: Producer] = [:]
    var parkedNames = ParkedNames()
    /// Why nodes do not take this distributor, by their names, as the log has said.
    var unwelcome: [String: String] = [:]
    /// Who is told of the outcomes of jobs of a name.
    var handlers = JobHandlers()
    /// Questions to nodes that are under way.
    var searches = 0
    /// How many go through all jobs.
    var scans = ScanLimit()
    /// The number of the last report that has come from each node's process, so that none comes twice.
    var received: [String: (instance: String, number: Int)] = [:]
    var ids = JobID.Generator()
    var ownJobs = OwnJobs()
    let audit: AuditLog
    let keeper: JobKeeper?
    let controls: ControlKeeper
    /// The last jobs that were not stored, as others have their keys, at other distributors.
    var heldElsewhere: [JobID: JobID] = [:]
    var pauses = Pauses()
    var schedules = Schedules()
    var tickCounts = TickCounts()
    /// When schedules are looked at next, by the steady clock.
    var scheduleAlarm: (due: Timestamp, timer: Scheduled<Void>)?
    /// When they were last.
    var lastLook: Moment?
    var saysThatNoHeartbeat = false
    /// The other distributor of the place that makes the ticks of schedules; nil where this one does.
    var leader: String?
    /// Ticks that another made which has led before, whose jobs are unfinished, and at that one.
    var ticksOfOthers = OpenTicks()
    let memory: JobMemory
    /// Where the program has a backend for metrics.
    let metrics: DistributorMetrics?
    private(set) var gauges: LiveGauges?
    /// How many jobs are parked, as last counted, and when.
    var parkedShown: (count: Int, at: NIODeadline)?
    /// Where it has an instrument.
    let tracing: JobTracing?
    /// The log says that jobs are refused.
    private(set) var isBusy = false
    /// Producers whose credit is kept back until there is room.
    private var waitingForRoom: [ProducerLink] = []
    /// Jobs of the application come: a part of them would count for less than those who enqueue have said.
    private var isInBatch = false
    private var lookForRoom: Scheduled<Void>?
    /// What `INFO` has last said of many waiting names, and when.
    var waitingShown: (fields: [(String, String)], at: NIODeadline)?
    var drained: EventLoopPromise<Void>?
    /// When the stop waits for nothing any more.
    var drainDeadline = NIODeadline.distantPast
    /// What the start is about; nil before and after it.
    private(set) var startStep: String?
    private(set) var starting: EventLoopFuture<Void>?
    /// Another distributor of this name has taken the storage over, and with it the jobs: this one is of no more use.
    var onStorageLost: (StorageError) -> Void = { _ in }
    /// Takes what the application has enqueued and the loop has not come to.
    var takeSubmissions: () -> Void = {}

    init(
        _ configuration: DistributorConfiguration, memory: JobMemory = JobMemory(limit: .max),
        metrics: MetricsBackend? = nil, tracing: JobTracing? = nil, on loop: any EventLoop
    ) {
        self.configuration = configuration
        self.memory = memory
        self.tracing = tracing
        self.loop = loop
        clock = configuration.clock
        logger = configuration.logger
        ledger = DistributorLedger(
            isDurable: configuration.storage != nil, alwaysUseSpecifiedNode: configuration.alwaysUseSpecifiedNode,
            takeoverTime: configuration.takeoverTime, memory: memory.limit, clock: { [clock] in loop.moment(clock) })
        startedAt = loop.moment(clock)
        identity = ids.next(at: startedAt.wall).description
        audit = AuditLog(configuration.storage, clock: clock, logger: logger, on: loop)
        keeper = configuration.storage.map { storage in
            JobKeeper(
                metrics.map { MeasuredStorage(storage, of: "distributor", $0) } ?? storage, on: loop,
                logger: configuration.logger)
        }
        self.metrics = metrics.map { DistributorMetrics($0) }
        controls = ControlKeeper(configuration.storage, on: loop, logger: configuration.logger)
        if let metrics {
            ledger.metrics = self.metrics
            gauges = makeGauges(metrics)
        }
    }

    var now: Moment { loop.moment(clock) }

    // MARK: Jobs

    /// Something has happened: tells the ledger, and does what it says.
    @discardableResult
    func change<Result>(_ body: (inout DistributorLedger) -> Result) -> Result {
        let result = changeUnmeasured(body)
        noteMemory()
        return result
    }

    /// As ``change(_:)``, one of many that come together, with ``noteMemory()`` behind them.
    func changeUnmeasured<Result>(_ body: (inout DistributorLedger) -> Result) -> Result {
        let result = body(&ledger)
        while ledger.hasActions, let action = ledger.takeAction() { carryOut(action) }
        if controls.isShared { freeKeys() }
        if drained != nil { noteProgress() }
        return result
    }

    /// Others who share the place of the storage are told of keys that are free.
    private func freeKeys() {
        for (key, job) in ask({ $0.keys.takeFreed() }) { controls.free(key, of: job) }
    }

    /// What the ledger knows. The question has it in place: to call a method on a property of an object copies all that the
    /// property has, which is much for what each job asks.
    func ask<Answer>(_ question: (inout DistributorLedger) -> Answer) -> Answer { question(&ledger) }

    /// What comes in `body` is measured as a whole.
    func inBatch(_ body: () -> Void) {
        isInBatch = true
        body()
        isInBatch = false
        noteMemory()
    }

    // MARK: Memory

    /// Outcomes for a producer have come, or it has taken some.
    func noteOutcomes(_ bytes: Int, of account: MemoryShares.Account) {
        ledger.entries.memory.add(bytes, to: account)
        noteMemory()
    }

    /// Connections of one user from one network are one account. Followed by ``close(_:)``.
    func openAccount(of connection: Connection) -> MemoryShares.Account {
        ledger.entries.memory.open(
            MemoryShares.Holder(
                user: (connection.user ?? .standard).name, network: PeerNetwork(connection.remoteAddress)))
    }

    func close(_ account: MemoryShares.Account) { ledger.entries.memory.close(account) }

    /// Whether that account may bring a job now. A stop could not end while jobs come: their producers keep them for the next process.
    func mayTake(from account: MemoryShares.Account) -> Bool {
        !isStopping && ask { $0.entries.memory.mayTake(from: account) }
    }

    func noteMemory() {
        guard !isInBatch else { return }
        gauges?.noteChange()
        let (total, isShort, hasRoom) = ask { ledger in
            ledger.entries.memory.unattributed = ledger.dispatcher.bytesOfRoutes
            return (ledger.entries.memory.total, ledger.entries.memory.isShort, ledger.entries.memory.hasRoom)
        }
        memory.has(total)
        if isBusy {
            if hasRoom, !isStopping { endBusy() }
        } else if isShort {
            isBusy = true
            logger.warning("jobs are refused: \(refusal(setting: "\(SettingName.maxMemory)"))")
        }
    }

    /// For peers: what is full, what to do, and who is served still.
    var refusal: String { refusal(setting: SettingName.maxMemory.rawValue) }

    private func refusal(setting: String) -> String {
        memory.fullMessage(ledger.entries.memory.total, setting: setting)
            + "; the last tenth is reserved for producers with few jobs here"
    }

    private func endBusy() {
        isBusy = false
        logger.notice("jobs are accepted again")
        giveRoom()
    }

    /// The link gets credit again when there is room for what it brings.
    func waitForRoom(_ link: ProducerLink) {
        waitingForRoom.append(link)
        lookForRoomLater()
    }

    func stopWaitingForRoom(_ link: ProducerLink) { waitingForRoom.removeAll { $0 === link } }

    /// While it is short, those who have little get room by what becomes of their own jobs, and of how many share the rest.
    private func lookForRoomLater() {
        guard lookForRoom == nil, !waitingForRoom.isEmpty, !isStopping else { return }
        lookForRoom = loop.assumeIsolated().scheduleTask(in: .milliseconds(100)) { [weak self] in
            self?.lookForRoom = nil
            self?.giveRoom()
        }
    }

    private func giveRoom() {
        let links = waitingForRoom
        waitingForRoom = []
        for link in links { link.roomCame() }
        lookForRoomLater()
    }

    // MARK: Life

    func start() -> EventLoopFuture<Int> {
        let bound = NIOLoopBound(self, eventLoop: loop)
        startStep = "its storage was being opened"
        gauges?.set()
        let started = openStorage().flatMap { bound.value.listen() }
        started.whenComplete { _ in bound.value.startStep = nil }
        starting = started.map { _ in }
        return started
    }

    private func listen() -> EventLoopFuture<Int> {
        guard !isStopping else { return loop.makeFailedFuture(Self.stopped) }
        startStep = "its port was being opened"
        let bound = NIOLoopBound(self, eventLoop: loop)
        let portGuard = PortGuard(
            limits: configuration.limits, maximumConnections: configuration.maximumConnections,
            password: configuration.security.portPassword,
            users: configuration.security.users, logger: logger, on: loop)
        return Listener.bind(to: configuration.address, guardedBy: portGuard, security: configuration.security) {
            CommandSession.accept(by: portGuard, service: bound.value)
        }.flatMapThrowing { listener in
            let core = bound.value
            guard !core.isStopping else {
                listener.value.stopAccepting()
                throw Self.stopped
            }
            core.listener = listener.value
            core.name =
                core.configuration.name ?? Address(host: Transport.hostName, port: listener.value.port).description
            var address = core.configuration.address
            address.port = listener.value.port
            core.logger.info("distributor listens", metadata: ["address": "\(address)"])
            return listener.value.port
        }
    }

    var health: ServiceHealth {
        if isStopping { return ServiceHealth(hindrances: ["it stops"]) }
        guard listener != nil else { return .starting }
        return ServiceHealth(hindrances: keeper?.isRefusing == true ? ["its storage refuses"] : [])
    }

    static let stopped = JobError(.stopped, "the distributor was stopped: make another")

    var hasNoNodes: Bool { registrations.isEmpty }

    func isRegistered(_ node: String) -> Bool { registrations[node] != nil }

    func closeRegistrations() {
        let open = Array(registrations.values)
        registrations = [:]
        for registration in open { registration.close(reason: "the distributor stops") }
    }

    // MARK: Nodes

    /// A node introduces itself. Returns why it cannot be served.
    func register(_ introduction: NodeIntroduction, over connection: Connection) -> CommandError? {
        if let problem = Name.problem(in: introduction.name) {
            return CommandError("ERR a node's name \(problem)")
        }
        if isStopping { return CommandError("ERR the distributor is stopping") }
        if let other = registrations[introduction.name] {
            guard other.introduction.instance == introduction.instance else {
                logger.warning(
                    "refused a second node of one name",
                    metadata: ["node": "\(introduction.name)", "address": "\(connection.peer)"])
                return CommandError(
                    "NODENAME a node named \(introduction.name) is already connected, from \(other.address):"
                        + " give one of them another name")
            }
            // The same process again: it knows better than we that the old connection is dead.
            other.close(reason: "the node connected again")
        }
        let registration = NodeRegistration(introduction, connection: connection, core: self)
        registrations[introduction.name] = registration
        registration.begin()
        return nil
    }

    func forget(_ registration: NodeRegistration) {
        if registrations[registration.introduction.name] === registration {
            registrations[registration.introduction.name] = nil
            noteProgress()
        }
    }

    /// Those of the names with most, these first.
    func waitingJobs(limit: Int) -> [WaitingJobs] {
        ledger.dispatcher.waitingByName(most: limit).map {
            WaitingJobs(name: $0.name, count: $0.count, isParked: !$0.isDefined)
        }
    }

    func nodes() -> [NodeInfo] {
        links.values.compactMap { link in
            guard let node = link.handle else { return nil }
            let state = ledger.dispatcher.state(of: node)
            return NodeInfo(
                name: state.name, address: link.introduction.server ?? link.connection.peer,
                isDurable: link.introduction.isDurable, isDraining: state.isDraining, window: state.window,
                load: state.load, jobs: state.jobs.sorted(),
                storageError: link.storageError.isEmpty ? nil : link.storageError, isPaused: state.isPaused)
        }.sorted { $0.name < $1.name }
    }

    func nodeReady(_ link: NodeLink) {
        let introduction = link.introduction
        unwelcome[introduction.name] = nil
        change { ledger in
            let node = ledger.connect(
                introduction.name, introduction.instance, isDurable: introduction.isDurable, place: introduction.place)
            link.handle = node
            links[node] = link
        }
        logger.info("node connected", metadata: ["node": "\(introduction.name)", "address": "\(link.connection.peer)"])
    }

    func nodeLost(_ node: Dispatcher.NodeHandle, reason: String?) {
        if let metrics { metrics.lost(ask { $0.dispatcher.state(of: node).name }) }
        links[node] = nil
        let jobs = ask { $0.dispatcher.state(of: node).jobs }
        let name = ask { $0.nodes[node]?.name }
        change { $0.disconnect(node, reason: reason, isStopping: isStopping) }
        if !isStopping { noteUndefined(jobs) }
        if let name { forgetSchedules(of: name) }
    }

    /// What the scripts of a node say that this release does not take.
    func noteProblems(of node: String, _ problems: [String]) {
        for problem in problems.prefix(10) {
            logger.warning(
                "definitions in the scripts of a node have no effect here: \(problem)", metadata: ["node": "\(node)"])
        }
    }

    func noteStorageError(of node: String, _ reason: String) {
        if reason.isEmpty {
            logger.notice("the storage of a node works again", metadata: ["node": "\(node)"])
        } else {
            logger.error(
                "the storage of a node refuses: it takes no jobs", metadata: ["node": "\(node)", "reason": "\(reason)"])
        }
    }

    // MARK: Producers

    /// A producer introduces itself: the one that was here before, or a new one.
    func producer(_ id: String) -> Producer {
        if let known = producers[id] { return known }
        let producer = Producer(id: id, core: self)
        producers[id] = producer
        return producer
    }

    func isKnown(producer id: String) -> Bool { producers[id] != nil }

    func forEachProducer(_ body: (Producer) -> Void) {
        for producer in producers.values { body(producer) }
    }

    func forgetProducer(_ id: String) {
        producers[id] = nil
    }

    var producerCount: Int { producers.count }
}
