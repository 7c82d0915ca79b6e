internal import DequeModule
internal import JobReactor
internal import JobReactorCore
internal import JobReactorLua
internal import JobReactorWire
internal import Logging
internal import NIOCore

/// The node's state and all that changes it, on one event loop: jobs come from the links, are stored, wait for their time
/// and their turn, run on the Lua lane, and end as the ``JobLifecycle`` decides. Its extensions have the links, the stop and
/// the commands.
final class NodeCore {
    /// What this process knows of a job that is not finished, beside its record in the storage.
    struct Live {
        enum Stage {
            /// For its due time, in the agenda.
            case waiting
            /// For its turn, in the `ready` of its lane, or on the way there.
            case ready
            /// On its lane, or about to be.
            case running
            /// Cancelled before it ran; the end is being stored.
            case ending
        }

        var stage: Stage
        /// From outside: whatever its run comes to, there is no other.
        var isCancelled = false
        private var rare: Rare = []
        /// Its hand-over used one credit of its link, which has not come back.
        var usesCredit = false
        /// The number of the destination that gave it.
        var giver: UInt32
        /// The number of the link that it came over; 0 for none that is open.
        var link: UInt32 = 0
        /// The lower half of the number of its hand-over on that link.
        var handOver: UInt32 = 0
        /// That of its entry in the agenda, while it waits.
        var agendaNumber: Agenda.Number = 0

        /// In one byte, as there may be a million jobs.
        private struct Rare: OptionSet {
            let rawValue: UInt8
            static let destroyed = Rare(rawValue: 1)
            static let suspect = Rare(rawValue: 2)
        }

        init(stage: Stage, giver: UInt32, link: UInt32 = 0) {
            self.stage = stage
            self.giver = giver
            self.link = link
        }

        /// Its record goes with it, whatever the policy.
        var isDestroyed: Bool {
            get { rare.contains(.destroyed) }
            set { if newValue { rare.insert(.destroyed) } else { rare.remove(.destroyed) } }
        }
        /// A node was lost that had it: its runs begin one by one, and its distributor is told of each.
        var isSuspect: Bool {
            get { rare.contains(.suspect) }
            set { if newValue { rare.insert(.suspect) } else { rare.remove(.suspect) } }
        }
    }

    let configuration: NodeConfiguration
    let loop: any EventLoop
    let logger: Logger
    /// Tells this process from all others.
    let instance: String
    let startedAt: Moment
    private(set) var scripts: ScriptReport?
    var counters = NodeCounters()

    let clock: WallClock
    private let openLane: LaneMaker
    let storage: any JobStorage
    /// Those there are: the reactor's, and the one for `defer` jobs once it was needed.
    private(set) var lanes: [NodeLane] = []
    private lazy var reactorLane = makeLane(threads: 1, capacity: 256)
    private lazy var deferLane = makeLane(
        threads: configuration.deferLanes, capacity: 2 * configuration.deferLanes)
    private var policies: [String: ScriptPolicy] = [:]
    private var hasTimeouts = false
    private var lastRunNumber: UInt64 = 0
    var live = JobTable<Live>()
    var savesUnderWay = 0
    /// Ends of runs that are being stored.
    var endsUnderWay = 0
    /// Taken up from an earlier process and not begun since.
    var takenUp: Set<JobID> = []
    /// Whether the jobs in the storage are this node's: not before the opening, nor when another has taken them over.
    var ownsJobs = false
    /// What the storage had at the start is taken up; what comes now is to be run.
    var isStarted = false
    /// The storage was lost and is closed: it is opened again when what ran then has ended.
    var reopensWhenIdle = false
    /// Jobs that are known here, and whose records went when the storage was emptied.
    var unstored: Set<JobID> = []
    /// Cancelled while they were being saved.
    var earlyCancellations: Set<JobID> = []
    var storageHealth = StorageHealth()
    var storageTrial: Scheduled<Void>?
    var agenda = Agenda()
    /// For a time of the steady clock.
    var armed: (at: Timestamp, timer: Scheduled<Void>)?
    /// Jobs on the lanes, or about to be.
    var running: Int { lanes.reduce(0) { $0 + $1.running + $1.suspended } }
    var suspendedCount: Int { lanes.reduce(0) { $0 + $1.suspended } }
    let folder: ScriptFolder
    /// What scripts share.
    let shared = SharedDictionary()
    /// Of a storage of this node: jobs that no script defines, by their names.
    var parked: [String: Set<JobID>] = [:]
    var reloading: Reloading
    var watchdog = Watchdog()
    var listener: Listener?
    var dialers: [DistributorDialer] = []
    /// By the identity of the distributor that is to dial back.
    var registrations: [String: (dialer: DistributorDialer, name: String)] = [:]
    /// Where the distributor of a name was last reached.
    var addresses: [String: Address] = [:]
    /// For what scripts enqueue, by the distributor's address.
    var clients: [Address: JobClient] = [:]
    var destinations: [String: Destination] = [:]
    var lastLink: UInt32 = 0
    var lastDestination: UInt32 = 0
    var isStopping = false
    var drained: EventLoopPromise<Void>?
    /// What the start is about; nil before and after it.
    private(set) var startStep: String?
    private(set) var starting: EventLoopFuture<Void>?

    /// Makes a lane that is not started; what it is given is called on a thread of the lane when there are results.
    typealias LaneMaker = (LuaLane.Options, _ onResults: @escaping @Sendable () -> Void) -> any JobLane

    init(
        _ configuration: NodeConfiguration, on loop: any EventLoop,
        openLane: @escaping LaneMaker = { LuaLane($0, onResults: $1) }
    ) {
        self.configuration = configuration
        self.loop = loop
        clock = configuration.clock
        self.openLane = openLane
        logger = configuration.logger
        storage = configuration.storage
        folder = ScriptFolder(JobDirectory(configuration.jobDirectory))
        var ids = JobID.Generator()
        startedAt = loop.moment(clock)
        reloading = Reloading(loadedAt: startedAt)
        instance = ids.next(at: startedAt.wall).description
    }

    // MARK: Life

    func start() -> EventLoopFuture<Void> {
        let bound = NIOLoopBound(self, eventLoop: loop)
        startStep = "its scripts were being loaded"
        let started = loadScripts().flatMap { bound.value.listen() }.flatMap {
            bound.value.startStep = "its storage was being opened"
            return bound.value.isStopping
                ? bound.eventLoop.makeFailedFuture(Self.stopped) : bound.value.openStorage()
        }.flatMapThrowing { try bound.value.connect() }
        started.whenComplete { _ in bound.value.startStep = nil }
        starting = started
        return started
    }

    static let stopped = JobError(.stopped, "the node was stopped: make another")

    private func connect() throws {
        guard !isStopping else { throw Self.stopped }
        for address in configuration.distributors {
            let dialer = DistributorDialer(to: address, core: self)
            dialers.append(dialer)
            dialer.start()
        }
        logger.info(
            "node started",
            metadata: [
                "node": "\(configuration.name)", "jobs": "\(jobNames.count)",
                "listens": "\(port.map { "port \($0)" } ?? "no")",
            ])
    }

    private func loadScripts() -> EventLoopFuture<Void> {
        let bound = NIOLoopBound(self, eventLoop: loop)
        let loop = loop
        let promise = loop.makePromise(of: Void.self)
        reactorLane.start { result in
            loop.execute {
                switch result {
                case .success where bound.value.isStopping: promise.fail(Self.stopped)
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

    private func makeLane(threads: Int, capacity: Int) -> NodeLane {
        let bound = NIOLoopBound(self, eventLoop: loop)
        let loop = loop
        let index = lanes.count
        let isLinked = !configuration.distributors.isEmpty
        let perform: LuaLane.Performer = { job, done in loop.execute { bound.value.perform(job, done) } }
        let lua = openLane(
            LuaLane.Options(
                scripts: folder, memoryLimit: configuration.memoryLimit,
                threads: threads, canEnqueue: isLinked, perform: isLinked ? perform : nil,
                isSandboxed: configuration.isSandboxed, libraries: configuration.libraries, shared: shared,
                logger: logger)
        ) {
            loop.execute { bound.value.takeResults(of: bound.value.lanes[index]) }
        }
        let lane = NodeLane(lua, capacity: capacity, mostSuspended: configuration.maxSuspended)
        lanes.append(lane)
        return lane
    }

    func lane(for job: Job) -> NodeLane {
        guard job.isDeferred else { return reactorLane }
        let logger = logger
        deferLane.start { result in
            if case .failure(let error) = result { logger.error("no lane for jobs with defer: \(error)") }
        }
        return deferLane
    }

    func use(_ report: ScriptReport) {
        scripts = report
        policies = Dictionary(report.definitions.map { ($0.name, $0.policy) }) { _, last in last }
        hasTimeouts = configuration.policy.timeout != nil || policies.values.contains { $0.timeout != nil }
        for problem in report.problems {
            logger.log(level: problem.isError ? .error : .warning, "\(problem.message)")
        }
        if report.definitions.isEmpty {
            logger.warning("no job is defined", metadata: ["folder": "\(configuration.jobDirectory)"])
        }
    }

    private func listen() -> EventLoopFuture<Void> {
        guard let server = configuration.server else { return loop.makeSucceededVoidFuture() }
        let bound = NIOLoopBound(self, eventLoop: loop)
        return Listener.bind(
            to: server, on: loop, security: configuration.security,
            maximumConnections: configuration.maximumConnections
        ) { [configuration, loop] in
            CommandSession.accept(
                limits: configuration.limits, password: configuration.security.password, service: bound.value, on: loop)
        }.flatMapThrowing { listener in
            bound.value.listener = listener.value
            guard !bound.value.isStopping else {
                listener.value.stopAccepting()
                throw Self.stopped
            }
        }
    }

    var port: Int? { listener?.port }
    var connectionCount: Int { listener?.connectionCount ?? 0 }
    var jobNames: [String] { scripts?.definitions.map(\.name) ?? [] }

    /// Who we are, to a distributor.
    var introduction: NodeIntroduction {
        var address = configuration.connectTo ?? configuration.server
        if address?.port == 0 { address?.port = listener?.port ?? 0 }
        return NodeIntroduction(
            name: configuration.name, instance: instance, isDurable: storage.isDurable,
            server: address?.description, place: (storage as? any SharedJobStorage)?.place)
    }

    // MARK: Running

    func run(_ job: Job) -> LuaLane.Run {
        lastRunNumber += 1
        return LuaLane.Run(
            job: job, jobItself: configuration.mergeJobItselfToArgs ? job.itself(onNode: configuration.name) : nil,
            number: lastRunNumber, timeout: hasTimeouts ? policy(for: job).timeout : nil, pauses: true)
    }

    func policy(for job: Job) -> JobPolicy { configuration.policy.applying(policies[job.name], job) }

    /// Begins as many of the jobs whose turn it is as the lanes have room for.
    func runReady() {
        guard !isStopping, ownsJobs else { return }
        for lane in lanes where lane.hasTurns { runReady(on: lane) }
    }

    func runReady(on lane: NodeLane) {
        guard ownsJobs else { return }
        if lane.careful.isWaiting { runCareful(on: lane) }
        let now = now.wall
        var begun: [Job] = []
        while lane.room > begun.count, let job = lane.ready.popFirst() {
            guard case .ready = live[job.id]?.stage else { continue }
            live[job.id]?.stage = .running
            let isRetrying = !takenUp.isEmpty && takenUp.contains(job.id)
            begun.append(JobLifecycle.begin(job, isRetrying: isRetrying, now: now))
        }
        guard !begun.isEmpty else { return }
        lane.running += begun.count
        let jobs = begun
        storeUnstored(jobs)
        let bound = NIOLoopBound((self, lane), eventLoop: loop)
        storage.apply(jobs.map { .update($0) }) { result in
            bound.eventLoop.runOrExecute { bound.value.0.begun(jobs, result, on: bound.value.1) }
        }
    }

    func begun(_ jobs: [Job], _ result: Result<Void, StorageError>, on lane: NodeLane) {
        if case .failure(let error) = result {
            lane.running -= jobs.count
            storageFailed(jobs, error)
            return noteProgress()
        }
        storageWorks()
        // The storage may have been lost meanwhile, and the jobs with it.
        let ours = jobs.filter { live[$0.id]?.stage == .running }
        lane.running -= jobs.count - ours.count
        begin(ours, on: lane)
        if ours.count < jobs.count { noteProgress() }
    }

    private func begin(_ jobs: [Job], on lane: NodeLane) {
        if !takenUp.isEmpty { takenUp.subtract(jobs.lazy.map(\.id)) }
        let cancelled = jobs.filter { live[$0.id]?.isCancelled == true }
        guard cancelled.isEmpty else {
            lane.running -= cancelled.count
            endCancelled(cancelled)
            return lane.lua.submit(jobs.filter { live[$0.id]?.stage == .running }.map(run))
        }
        lane.lua.submit(jobs.map(run))
        watchLanes()
    }

    /// No user code runs whose beginning is not stored: the jobs wait and are tried again.
    private func storageFailed(_ jobs: [Job], _ error: StorageError) {
        if error.code == .lost { return storageLost(error) }
        if error.code == .emptied || !unstored.isDisjoint(with: jobs.lazy.map(\.id)) {
            return keepUnstored(jobs, error)
        }
        storageRefused(error)
        for job in jobs where live[job.id] != nil { waitForStorage(job.id) }
    }

    private func takeResults(of lane: NodeLane) {
        let results = lane.lua.takeResults()
        if !results.suspended.isEmpty { noteSuspended(results.suspended, on: lane) }
        for note in results.notes.values { sendProgress(note) }
        guard results.enqueued.isEmpty, !results.outcomes.contains(where: \.hasEnqueued) else {
            return enqueue(results, from: lane)
        }
        end(results.outcomes, on: lane)
    }

    /// Jobs that pause leave their place on the lane, and their credit, to others.
    private func noteSuspended(_ ids: [JobID], on lane: NodeLane) {
        lane.suspended += ids.count
        lane.running -= ids.count
        notePaused(ids, on: lane)
        if !lane.isFull {
            for id in ids {
                guard let known = live[id], known.usesCredit else { continue }
                live[id]?.usesCredit = false
                destinations.values.first { $0.number == known.giver }?.settled(onLink: known.link)
            }
            flushDestinations()
        }
        runReady()
    }

    private func sendProgress(_ note: LuaLane.Note) {
        guard let link = destinations[note.job.distributor]?.link else { return }
        let progress = Progress(id: note.job.id, run: note.job.runs, fraction: note.fraction, text: note.text)
        link.connection.write { LinkMessage.writeProgress(progress, to: &$0) }
    }

    /// A run that enqueued jobs ends when a distributor has them: were it lost before, it would run again.
    private func enqueue(_ results: LuaLane.Results, from lane: NodeLane) {
        let bound = NIOLoopBound((self, lane), eventLoop: loop)
        let outcomes = results.outcomes
        enqueue(results.enqueued).whenComplete { _ in
            bound.value.0.end(outcomes.filter(\.hasEnqueued), on: bound.value.1)
        }
        end(outcomes.filter { !$0.hasEnqueued }, on: lane)
    }
}
