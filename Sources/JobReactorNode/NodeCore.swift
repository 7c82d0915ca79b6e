internal import DequeModule
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
            /// For its due time, in the timer queue.
            case waiting
            /// For its turn, in `ready`.
            case ready
            /// On the lane, or about to be.
            case running
        }

        var stage: Stage
        /// The number of the link whose credit it uses; 0 for none.
        var creditLink: UInt32
        /// The number of the destination that gave it.
        var giver: UInt32
    }

    let configuration: NodeConfiguration
    let loop: any EventLoop
    let logger: Logger
    /// Tells this process from all others.
    let instance: String
    let startedAt = Timestamp.now
    private(set) var scripts: ScriptReport?
    private(set) var counters = NodeCounters()

    let clock = WallClock.system
    let storage: any JobStorage
    var lane: LuaLane?
    private var policies: [String: ScriptPolicy] = [:]
    var live: [JobID: Live] = [:]
    var ready: Deque<Job> = []
    private var timers = TimerQueue<JobID>()
    var armed: (due: Timestamp, timer: Scheduled<Void>)?
    var running = 0
    var listener: Listener?
    var dialers: [DistributorDialer] = []
    /// By the identity of the distributor that is to dial back.
    var registrations: [String: DistributorDialer] = [:]
    var destinations: [String: Destination] = [:]
    var lastLink: UInt32 = 0
    var lastDestination: UInt32 = 0
    var isStopping = false
    var drained: EventLoopPromise<Void>?

    /// Jobs on the lane at once: enough that it never waits for the loop, few enough to be handed back.
    private static let laneCapacity = 256

    init(_ configuration: NodeConfiguration, on loop: any EventLoop) {
        self.configuration = configuration
        self.loop = loop
        logger = configuration.logger
        storage = configuration.storage
        var ids = JobID.Generator()
        instance = ids.next(at: .now).description
    }

    // MARK: Life

    func start() -> EventLoopFuture<Void> {
        let bound = NIOLoopBound(self, eventLoop: loop)
        return loadScripts().flatMap { bound.value.listen() }.map {
            let core = bound.value
            for address in core.configuration.distributors {
                let dialer = DistributorDialer(to: address, core: core)
                core.dialers.append(dialer)
                dialer.start()
            }
            core.logger.info(
                "node started",
                metadata: [
                    "node": "\(core.configuration.name)", "jobs": "\(core.jobNames.count)",
                    "listens": "\(core.port.map { "port \($0)" } ?? "no")",
                ])
        }
    }

    private func loadScripts() -> EventLoopFuture<Void> {
        let bound = NIOLoopBound(self, eventLoop: loop)
        let loop = loop
        let promise = loop.makePromise(of: Void.self)
        let lane = LuaLane(
            LuaLane.Options(
                directory: JobDirectory(configuration.jobDirectory), memoryLimit: configuration.memoryLimit,
                logger: logger)
        ) {
            loop.execute { bound.value.takeOutcomes() }
        }
        self.lane = lane
        lane.start { result in
            loop.execute {
                switch result {
                case .success(let report):
                    bound.value.use(report)
                    promise.succeed()
                case .failure(let error): promise.fail(error)
                }
            }
        }
        return promise.futureResult
    }

    private func use(_ report: ScriptReport) {
        scripts = report
        policies = Dictionary(report.definitions.map { ($0.name, $0.policy) }) { _, last in last }
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
        }.map { bound.value.listener = $0.value }
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
            server: address?.description)
    }

    // MARK: Jobs in

    /// Stores jobs that came over a link in one read, then acknowledges them.
    func receive(_ jobs: [Job], over link: DistributorLink) {
        guard !isStopping else {
            link.sendReturned(jobs.map(\.id))
            return link.acknowledge(saved: jobs.count, credit: 0)
        }
        let now = clock.now
        var records = jobs
        // What can run at once is saved as begun: one write instead of two.
        var room = Self.laneCapacity - running
        for index in records.indices {
            if room > 0, ready.isEmpty, records[index].dueAt <= now, live[records[index].id] == nil {
                records[index] = JobLifecycle.begin(records[index], now: now)
                room -= 1
            } else {
                records[index].status = .queued
            }
        }
        let stored = records
        let bound = NIOLoopBound((self, link), eventLoop: loop)
        storage.save(stored) { result in
            bound.eventLoop.runOrExecute { bound.value.0.saved(stored, result, over: bound.value.1) }
        }
    }

    private func saved(_ jobs: [Job], _ result: Result<Set<JobID>, StorageError>, over link: DistributorLink) {
        let new: Set<JobID>
        switch result {
        case .success(let ids): new = ids
        case .failure(let error):
            logger.error(
                "jobs could not be stored and go back", metadata: ["reason": "\(error)", "jobs": "\(jobs.count)"])
            link.sendReturned(jobs.map(\.id))
            return link.acknowledge(saved: jobs.count, credit: 0)
        }
        counters.received += new.count
        var credit = 0
        let giver = destination(link.distributor).number
        var runs: [LuaLane.Run] = []
        for job in jobs {
            guard new.contains(job.id) else {
                credit += 1
                continue
            }
            switch job.status {
            case .inProgress:
                live[job.id] = Live(stage: .running, creditLink: link.number, giver: giver)
                runs.append(run(job))
            default:
                if job.dueAt <= clock.now {
                    live[job.id] = Live(stage: .ready, creditLink: link.number, giver: giver)
                    ready.append(job)
                } else {
                    live[job.id] = Live(stage: .waiting, creditLink: 0, giver: giver)
                    timers.insert(job.id, due: job.dueAt)
                    credit += 1
                }
            }
        }
        link.acknowledge(saved: jobs.count, credit: credit)
        if !runs.isEmpty {
            running += runs.count
            lane?.submit(runs)
        }
        runReady()
        armTimer()
    }

    private func run(_ job: Job) -> LuaLane.Run {
        LuaLane.Run(
            job: job, jobItself: configuration.mergeJobItselfToArgs ? job.itself(onNode: configuration.name) : nil)
    }

    // MARK: Running

    /// Begins as many of the jobs whose turn it is as the lane has room for.
    private func runReady() {
        guard !ready.isEmpty, running < Self.laneCapacity, !isStopping else { return }
        let now = clock.now
        var begun: [Job] = []
        while running + begun.count < Self.laneCapacity, let job = ready.popFirst() {
            guard live[job.id] != nil else { continue }
            live[job.id]?.stage = .running
            begun.append(JobLifecycle.begin(job, now: now))
        }
        guard !begun.isEmpty else { return }
        running += begun.count
        let jobs = begun
        let bound = NIOLoopBound(self, eventLoop: loop)
        storage.apply(jobs.map { .update($0) }) { result in
            bound.eventLoop.runOrExecute { bound.value.begun(jobs, result) }
        }
    }

    private func begun(_ jobs: [Job], _ result: Result<Void, StorageError>) {
        if case .failure(let error) = result { return storageFailed(jobs, error) }
        lane?.submit(jobs.map(run))
    }

    /// No user code runs whose beginning is not stored: the jobs wait and are tried again.
    private func storageFailed(_ jobs: [Job], _ error: StorageError) {
        logger.error("the storage fails; jobs wait", metadata: ["reason": "\(error)", "jobs": "\(jobs.count)"])
        running -= jobs.count
        for job in jobs {
            live[job.id]?.stage = .waiting
            timers.insert(job.id, due: clock.now.advanced(bySeconds: 1))
        }
        armTimer()
    }

    private func takeOutcomes() {
        guard let outcomes = lane?.takeOutcomes(), !outcomes.isEmpty else { return }
        let now = clock.now
        let transitions = outcomes.map { outcome in
            JobLifecycle.end(
                outcome.job, outcome.outcome,
                policy: configuration.policy.applying(policies[outcome.job.name], outcome.job), now: now)
        }
        running -= outcomes.count
        runReady()
        let changes: [JobChange] = transitions.map { transition in
            switch transition.next {
            case .wait, .keep: .update(transition.job)
            case .remove: .remove(transition.job.id)
            case .park: storage.isDurable ? .update(transition.job) : .remove(transition.job.id)
            }
        }
        let bound = NIOLoopBound(self, eventLoop: loop)
        storage.apply(changes) { result in
            bound.eventLoop.runOrExecute { bound.value.ended(transitions, result) }
        }
    }

    private func ended(_ transitions: [JobLifecycle.Transition], _ result: Result<Void, StorageError>) {
        if case .failure(let error) = result {
            // The outcomes are known and the jobs must not run again: they are reported all the same.
            logger.error(
                "outcomes could not be stored", metadata: ["reason": "\(error)", "jobs": "\(transitions.count)"])
        }
        for transition in transitions { end(transition) }
        for destination in destinations.values { destination.flush() }
        armTimer()
        noteProgress()
    }

    private func end(_ transition: JobLifecycle.Transition) {
        let job = transition.job
        counters.note(transition)
        if configuration.logJobProcessing { log(transition) }
        if let feedback = transition.feedback {
            var report = Report(id: job.id, feedback: feedback, status: job.status, run: job.runs)
            if configuration.mergeJobItselfToArgs {
                report.feedback.args = feedback.args.setting([("job_itself", job.itself(onNode: configuration.name))])
            }
            destination(job.distributor).outbox.append(report)
        }
        let creditLink = live[job.id]?.creditLink ?? 0
        if creditLink != 0 { destinations[job.distributor]?.settled(onLink: creditLink) }
        switch transition.next {
        case .wait:
            live[job.id]?.stage = .waiting
            live[job.id]?.creditLink = 0
            timers.insert(job.id, due: job.dueAt)
        case .keep, .remove:
            live[job.id] = nil
        case .park:
            live[job.id] = nil
            logger.warning(
                "no script defines the job any more", metadata: ["job": "\(job.name)", "id": "\(job.id)"])
            if !storage.isDurable { destinations[job.distributor]?.link?.sendReturned([job.id]) }
        }
    }

    private func log(_ transition: JobLifecycle.Transition) {
        let job = transition.job
        switch (transition.next, transition.feedback?.kind) {
        case (.wait, nil), (_, .error):
            var metadata: Logger.Metadata = [
                "job": "\(job.name)", "id": "\(job.id)", "attempt": "\(job.attempt)",
                "status": "\(job.status.rawValue)",
            ]
            if case .wait = transition.next {
                metadata["again in"] = "\(((job.makeAfter ?? 0) * 1000).rounded() / 1000) s"
            }
            if let traceback = job.lastTraceback { metadata["traceback"] = "\(traceback)" }
            logger.warning("\(job.lastError ?? "failed")", metadata: metadata)
        default:
            logger.debug(
                "ran", metadata: ["job": "\(job.name)", "id": "\(job.id)", "status": "\(job.status.rawValue)"])
        }
    }

    // MARK: Time

    private func armTimer() {
        guard let due = timers.nextDue, !isStopping else { return }
        if let armed, armed.due <= due { return }
        armed?.timer.cancel()
        let wait = max(0, due.microseconds - clock.now.microseconds)
        // No longer than a day at once, so that a wall clock that is set forward is noticed at last.
        let delay = TimeAmount.microseconds(min(wait, 86_400_000_000))
        armed = (due, loop.assumeIsolated().scheduleTask(in: delay) { self.timerFired() })
    }

    private func timerFired() {
        armed = nil
        let now = clock.now
        let bound = NIOLoopBound(self, eventLoop: loop)
        while let id = timers.popDue(at: now) {
            guard case .waiting = live[id]?.stage else { continue }
            live[id]?.stage = .ready
            storage.load(id) { result in
                bound.eventLoop.runOrExecute { bound.value.due(id, result) }
            }
        }
        runReady()
        armTimer()
    }

    private func due(_ id: JobID, _ result: Result<Job?, StorageError>) {
        guard case .ready = live[id]?.stage else { return }
        switch result {
        case .success(.some(let job)):
            ready.append(job)
            runReady()
        case .success(.none):
            // Destroyed meanwhile.
            live[id] = nil
        case .failure(let error):
            logger.error("the storage fails; a job waits", metadata: ["reason": "\(error)", "id": "\(id)"])
            live[id]?.stage = .waiting
            timers.insert(id, due: clock.now.advanced(bySeconds: 1))
            armTimer()
        }
    }

    // MARK: Looking

    var linkedDistributors: [String] { destinations.values.compactMap { $0.link?.connection.peer }.sorted() }
    var unreportedCount: Int { destinations.values.reduce(0) { $0 + $1.outbox.count } }
    var runningCount: Int { running }
    var readyCount: Int { ready.count }
    var waitingCount: Int { live.count - running - ready.count }

    func load(_ id: JobID, _ done: @escaping (Result<Job?, StorageError>) -> Void) {
        let bound = NIOLoopBound(done, eventLoop: loop)
        storage.load(id) { result in bound.eventLoop.runOrExecute { bound.value(result) } }
    }
}
