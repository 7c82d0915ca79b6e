internal import JobReactorCore
internal import JobReactorWire
internal import Logging
internal import NIOCore

/// The distributor's state and all that changes it, on one event loop: carries out what the ``Dispatcher`` decides.
final class DistributorCore {
    /// Who is told of a job's outcome.
    enum Sink {
        case application(JobFeedback)
        case producer(Producer)
        case command(CommandSession, CommandSession.Ticket, deadline: Scheduled<Void>?)
        /// Who only wants to know that the job is stored.
        case acknowledgement(CommandSession, CommandSession.Ticket)
        case none

        var isNobody: Bool { if case .none = self { true } else { false } }

        /// Whether somebody in this process, or at a connection to it, waits now.
        var waitsHere: Bool {
            switch self {
            case .application, .command, .acknowledgement: true
            case .producer, .none: false
            }
        }
    }

    /// A job that is not finished, or whose outcome is not known.
    ///
    /// An object, so that a table moves and copies one reference however much is known of a job.
    final class Entry {
        enum Place {
            /// Not accepted yet: it is being stored.
            case saving
            case waiting
            /// Sent to the node, by the hand-over of this number on its link.
            case node(Dispatcher.NodeHandle, number: Int)
            /// Saved by the durable node of that name, which owns it.
            case owned(by: String)
            /// Sent to the durable node of that name, which was lost before it had said whether it has the job.
            case inDoubt(at: String)
        }

        let name: String
        var sink: Sink { didSet { table?.sinkChanged(self) } }
        var place: Place { didSet { table?.moved(self, from: oldValue) } }
        /// Our copy, while no node owns the job.
        var job: Job?
        /// The last run reported by whoever has the job now.
        var lastRun: Int32 = 0
        /// The keeper has a record of it.
        var isStored = false
        /// Where it is, while it is in one.
        var table: EntryTable?
        /// When its next run is due; never when the node knows that alone.
        var due: DueTime
        /// The stop waits for its end.
        var isAwaited = false
        /// Its places in lists, for ``EntryList``; negative when it is in none.
        var holderPlace: Int32 = -1
        var toldPlace: Int32 = -1

        init(_ job: Job, _ sink: Sink, _ place: Place = .waiting, due: DueTime) {
            name = job.name
            self.job = job
            self.due = due
            self.sink = sink
            self.place = place
        }
    }

    let configuration: DistributorConfiguration
    let loop: any EventLoop
    let logger: Logger
    /// Tells this process from all others, so that reports find their way back whatever the address is called.
    let identity: String
    /// What jobs are marked with; the same after a restart.
    var name = ""
    let startedAt: Moment
    let clock: WallClock

    var dispatcher: Dispatcher
    let entries = EntryTable()
    var counters = DistributorCounters()
    private(set) var listener: Listener?
    var isStopping = false
    var links: [Dispatcher.NodeHandle: NodeLink] = [:]
    private var registrations: [String: NodeRegistration] = [:]
    private var producers: [String: Producer] = [:]
    /// Who is told of the outcomes of jobs of a name.
    var handlers: [String: [JobFeedback]] = [:]
    /// Jobs that nodes have and that are to be cancelled: a node that comes back is told again.
    var cancelling: Set<JobID> = []
    /// Jobs that were given to another node when the link to the first was lost: both may report.
    var givenTwice = RecentIDs(limit: 100_000)
    /// Reports of durable nodes, which may come again when such a node has started again.
    var recentReports = RecentReports(limit: 16_384)
    /// The number of the last report that has come from each node's process, so that none comes twice.
    var received: [String: (instance: String, number: Int)] = [:]
    var ids = JobID.Generator()
    let keeper: JobKeeper?
    var takeovers = Takeovers()
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

    init(_ configuration: DistributorConfiguration, on loop: any EventLoop) {
        self.configuration = configuration
        self.loop = loop
        clock = configuration.clock
        logger = configuration.logger
        dispatcher = Dispatcher(alwaysUseSpecifiedNode: configuration.alwaysUseSpecifiedNode)
        startedAt = loop.moment(clock)
        identity = ids.next(at: startedAt.wall).description
        keeper = configuration.storage.map { JobKeeper($0, on: loop, logger: configuration.logger) }
    }

    var now: Moment { loop.moment(clock) }

    // MARK: Life

    func start() -> EventLoopFuture<Int> {
        let bound = NIOLoopBound(self, eventLoop: loop)
        startStep = "its storage was being opened"
        let started = openStorage().flatMap { bound.value.listen() }
        started.whenComplete { _ in bound.value.startStep = nil }
        starting = started.map { _ in }
        return started
    }

    private func listen() -> EventLoopFuture<Int> {
        guard !isStopping else { return loop.makeFailedFuture(Self.stopped) }
        startStep = "its port was being opened"
        let bound = NIOLoopBound(self, eventLoop: loop)
        return Listener.bind(
            to: configuration.address, on: loop, security: configuration.security,
            maximumConnections: configuration.maximumConnections
        ) { [configuration, loop] in
            CommandSession.accept(
                limits: configuration.limits, password: configuration.security.password, service: bound.value, on: loop)
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

    static let stopped = JobError(.stopped, "the distributor was stopped: make another")

    var hasNoNodes: Bool { registrations.isEmpty }

    func closeRegistrations() {
        let open = Array(registrations.values)
        registrations = [:]
        for registration in open { registration.close(reason: "the distributor stops") }
    }

    // MARK: Jobs out

    /// Sends the job to a node that has credit for it.
    func place(
        _ entry: Entry, _ job: Job, at node: Dispatcher.NodeHandle, isAgain: Bool = false, now: Moment? = nil
    ) {
        entry.lastRun = 0
        counters.sent += 1
        let number = links[node]?.send(job, due: entry.due, isAgain: isAgain, now: now ?? self.now)
        entry.place = .node(node, number: number ?? 0)
    }

    private func sendWaiting(to node: Dispatcher.NodeHandle) {
        let now = now
        while let id = dispatcher.takeNext(for: node) {
            guard let entry = entries[id], let job = entry.job else { continue }
            place(entry, job, at: node, now: now)
        }
    }

    /// Puts a job back that a node had and does not own.
    private func giveBack(_ entry: Entry, _ id: JobID) {
        guard let job = entry.job else { return }
        counters.givenBack += 1
        if cancelling.remove(id) != nil { return finishCancelled(entry, job) }
        entry.place = .waiting
        if let other = dispatcher.giveBack(job) { place(entry, job, at: other) }
    }

    // MARK: What nodes say

    func nodeReady(_ link: NodeLink) {
        let node = dispatcher.connect(name: link.introduction.name)
        link.handle = node
        links[node] = link
        resendCancellations(to: link)
        nodeCameBack(link)
        logger.info(
            "node connected", metadata: ["node": "\(link.introduction.name)", "address": "\(link.connection.peer)"])
    }

    func node(_ node: Dispatcher.NodeHandle, defines jobs: [String]) {
        // No job has a name that is none: it would only spoil the lists that are shown.
        dispatcher.announce(node, jobs: Set(jobs.lazy.filter { Name.problem(in: $0) == nil }))
        if let link = links[node] { sendInDoubt(of: link.introduction.name, to: node, link) }
        sendWaiting(to: node)
    }

    func node(_ node: Dispatcher.NodeHandle, granted credit: Int) {
        dispatcher.grant(node, credit: credit)
        sendWaiting(to: node)
    }

    func nodeDrains(_ node: Dispatcher.NodeHandle) {
        dispatcher.drain(node)
    }

    /// The job of a hand-over to the node that no answer has ended, and after which it was not sent again; nil when there is
    /// none.
    private func entry(of handOver: HandOver, at node: Dispatcher.NodeHandle) -> Entry? {
        guard let entry = entries[handOver.id], case .node(node, handOver.number) = entry.place else { return nil }
        return entry
    }

    func node(_ node: Dispatcher.NodeHandle, returned handOver: HandOver) {
        if let entry = entry(of: handOver, at: node) { giveBack(entry, handOver.id) }
    }

    /// No node can run the job: it has failed.
    func node(_ node: Dispatcher.NodeHandle, refused handOver: HandOver, because reason: String) {
        guard let entry = entry(of: handOver, at: node), let job = entry.job else { return }
        let message = "the node \(dispatcher.state(of: node).name) cannot take the job: \(reason)"
        logger.error("\(message)", metadata: ["job": "\(job.name)", "id": "\(job.id)"])
        var report = JobReport.refusal(of: job.id, name: job.name, reason: message)
        report.run = entry.lastRun &+ 1
        reported(report)
    }

    func noteStorageError(of node: String, _ reason: String) {
        if reason.isEmpty {
            logger.notice("the storage of a node works again", metadata: ["node": "\(node)"])
        } else {
            logger.error(
                "the storage of a node refuses: it takes no jobs", metadata: ["node": "\(node)", "reason": "\(reason)"])
        }
    }

    /// A durable node has saved the job and owns it now.
    func node(_ node: Dispatcher.NodeHandle, owns handOver: HandOver) {
        let id = handOver.id
        guard let entry = entry(of: handOver, at: node) else { return }
        let name = dispatcher.state(of: node).name
        switch entry.sink {
        case .none, .acknowledgement:
            // Nobody here waits for the outcome.
            entries[id] = nil
            if entry.isStored { keeper?.apply(.remove(id)) }
        case .producer:
            if entry.isStored, let job = entry.job {
                keeper?.apply(.update(Self.record(job, of: entry.sink, at: name)))
            }
            entry.place = .owned(by: name)
            entry.job = nil
        case .application, .command:
            // They do not outlive this process.
            if entry.isStored { keeper?.apply(.remove(id)) }
            entry.isStored = false
            entry.place = .owned(by: name)
            entry.job = nil
        }
        noteProgress()
    }

    func nodeLost(_ node: Dispatcher.NodeHandle, _ introduction: NodeIntroduction, reason: String?) {
        let (name, isDurable) = (introduction.name, introduction.isDurable)
        links[node] = nil
        if let place = introduction.place { expectReturn(of: name, at: place) }
        dispatcher.disconnect(node)
        // In the order of their ids, which is that of their age.
        let unfinished = entries.sent(to: node).compactMap { $0.job?.id }.sorted()
        if isDurable {
            doubt(unfinished, at: name)
        } else {
            for id in unfinished {
                givenTwice.insert(id)
                if let entry = entries[id] { giveBack(entry, id) }
            }
        }
        logger.info(
            "node disconnected",
            metadata: [
                "node": "\(name)", "reason": "\(reason ?? "closed")", "jobs given back": "\(unfinished.count)",
            ])
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
                    "NODENAME a node named \(introduction.name) is connected already, from \(other.address):"
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

    func waitingJobs() -> [WaitingJobs] {
        dispatcher.waitingByName().map { WaitingJobs(name: $0.name, count: $0.count, isParked: !$0.isDefined) }
    }

    func nodes() -> [NodeInfo] {
        links.map { node, link in
            let state = dispatcher.state(of: node)
            return NodeInfo(
                name: state.name, address: link.introduction.server ?? link.connection.peer,
                isDurable: link.introduction.isDurable, isDraining: state.isDraining, window: state.window,
                load: state.load, jobs: state.jobs.sorted(),
                storageError: link.storageError.isEmpty ? nil : link.storageError)
        }.sorted { $0.name < $1.name }
    }

    // MARK: Producers

    /// A producer introduces itself: the one that was here before, or a new one.
    func producer(_ id: String) -> Producer {
        if let known = producers[id] { return known }
        let producer = Producer(id: id, core: self)
        producers[id] = producer
        return producer
    }

    func forgetProducer(_ id: String) {
        producers[id] = nil
    }

    var producerCount: Int { producers.count }
}

/// What a distributor has done since its start.
struct DistributorCounters {
    var enqueued = 0
    var sent = 0
    var succeeded = 0
    var failed = 0
    var givenBack = 0
    var repeatedReports = 0
}
