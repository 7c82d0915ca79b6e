internal import DequeModule
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
    }

    /// A job that is not finished, or whose outcome is not known.
    struct Entry {
        enum Place {
            /// Not accepted yet: it is being stored.
            case saving
            case waiting
            case node(Dispatcher.NodeHandle)
            /// Saved by the durable node of that name, which owns it.
            case owned(by: String)
            /// Sent to the durable node of that name, which was lost before it had said whether it has the job.
            case inDoubt(at: String)
        }

        var name: String
        var sink: Sink
        var place: Place = .waiting
        /// Our copy, while no node owns the job.
        var job: Job?
        /// The last run reported by whoever has the job now.
        var lastRun: Int32 = 0
        /// The keeper has a record of it.
        var isStored = false
    }

    let configuration: DistributorConfiguration
    let loop: any EventLoop
    let logger: Logger
    /// Tells this process from all others, so that reports find their way back whatever the address is called.
    let identity: String
    /// What jobs are marked with; the same after a restart.
    private(set) var name = ""
    let startedAt = Timestamp.now
    let clock = WallClock.system

    private(set) var dispatcher: Dispatcher
    private(set) var entries = JobTable<Entry>()
    private(set) var counters = DistributorCounters()
    private(set) var listener: Listener?
    private(set) var isStopping = false
    private var links: [Dispatcher.NodeHandle: NodeLink] = [:]
    private var registrations: [String: NodeRegistration] = [:]
    private var producers: [String: Producer] = [:]
    /// Who is told of the outcomes of jobs of a name.
    private var handlers: [String: [JobFeedback]] = [:]
    /// Jobs that nodes have and that are to be cancelled: a node that comes back is told again.
    private var cancelling: Set<JobID> = []
    /// Jobs that were given to another node when the link to the first was lost: both may report.
    private var givenTwice = RecentIDs(limit: 100_000)
    /// How many reports have come from each node's process, so that none comes twice.
    private var received: [String: (instance: String, count: Int)] = [:]
    private var ids = JobID.Generator()
    private let keeper: JobKeeper?
    /// Jobs in doubt, by the name of the node that may have them, with what ends the wait for it.
    /// Durable nodes that were lost and may not come back, with where their storage is, when others share it.
    private var lostNodes: [String: LostNode] = [:]

    private struct LostNode {
        let place: String
        /// It has had its time: its jobs are for another.
        var isGivenUp = false
        var deadline: Scheduled<Void>?
    }

    /// Places of which it was asked whether nodes have left jobs there, before this process was.
    private var askedPlaces: Set<String> = []
    private var inDoubt: [String: (jobs: [JobID], deadline: Scheduled<Void>)] = [:]
    private var drained: EventLoopPromise<Void>?

    init(_ configuration: DistributorConfiguration, on loop: any EventLoop) {
        self.configuration = configuration
        self.loop = loop
        logger = configuration.logger
        dispatcher = Dispatcher(alwaysUseSpecifiedNode: configuration.alwaysUseSpecifiedNode)
        identity = ids.next(at: .now).description
        keeper = configuration.storage.map { JobKeeper($0, on: loop, logger: configuration.logger) }
    }

    // MARK: Life

    func start() -> EventLoopFuture<Int> {
        let bound = NIOLoopBound(self, eventLoop: loop)
        return openStorage().flatMap { bound.value.listen() }
    }

    /// Takes up what an earlier process has accepted.
    private func openStorage() -> EventLoopFuture<Void> {
        guard let keeper else { return loop.makeSucceededVoidFuture() }
        let address = configuration.address
        name = configuration.name ?? Address(host: Transport.hostName, port: address.port).description
        keeper.triesAgain = { [unowned self] job, error in self.couldNotSave(job, error) }
        keeper.onLost = { [unowned self] error in
            self.logger.critical(
                "another distributor of this name has taken over the storage: this one accepts nothing any more; stop it",
                metadata: ["reason": "\(error)"])
            self.isStopping = true
        }
        var count = 0
        let bound = NIOLoopBound(self, eventLoop: loop)
        return keeper.open(name, address: address.description) { jobs in
            count += jobs.count
            for job in jobs { self.takeUp(job) }
        }.map {
            let core = bound.value
            guard !core.entries.isEmpty else { return }
            core.logger.info("jobs of an earlier process taken up", metadata: ["jobs": "\(core.entries.count)"])
        }
    }

    private func takeUp(_ stored: Job) {
        guard entries[stored.id] == nil else { return }
        let words = stored.distributor.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        var job = stored
        job.distributor = ""
        let producer = words.first.flatMap { $0.isEmpty ? nil : self.producer(String($0)) }
        producer?.expectReturn()
        var entry = Entry(name: job.name, sink: producer.map { .producer($0) } ?? .none, job: job)
        entry.isStored = true
        if words.count == 2 {
            entry.place = .owned(by: String(words[1]))
            entry.job = nil
        } else {
            entry.place = .waiting
            // There is no node yet that it could go to.
            _ = dispatcher.enqueue(job)
        }
        entries[job.id] = entry
    }

    private func listen() -> EventLoopFuture<Int> {
        let bound = NIOLoopBound(self, eventLoop: loop)
        return Listener.bind(
            to: configuration.address, on: loop, security: configuration.security,
            maximumConnections: configuration.maximumConnections
        ) { [configuration, loop] in
            CommandSession.accept(
                limits: configuration.limits, password: configuration.security.password, service: bound.value, on: loop)
        }.map { listener in
            let core = bound.value
            core.listener = listener.value
            core.name =
                core.configuration.name ?? Address(host: Transport.hostName, port: listener.value.port).description
            var address = core.configuration.address
            address.port = listener.value.port
            core.logger.info("distributor listens", metadata: ["address": "\(address)"])
            return listener.value.port
        }
    }

    /// Ends when the jobs that nodes have are done, at the latest after `grace` seconds.
    func stop(grace: Double) -> EventLoopFuture<Void> {
        isStopping = true
        listener?.stopAccepting()
        let promise = loop.makePromise(of: Void.self)
        if isIdle || grace <= 0 {
            promise.succeed()
        } else {
            drained = promise
            loop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(grace * 1000))) { self.finishDraining() }
        }
        let bound = NIOLoopBound(self, eventLoop: loop)
        return promise.futureResult.flatMap {
            let core = bound.value
            core.abandon()
            let kept = core.keeper?.close() ?? core.loop.makeSucceededVoidFuture()
            return core.closeAll().and(kept).map { _ in }
        }
    }

    private var isIdle: Bool {
        let now = clock.now
        return !entries.elements.contains { _, entry in
            guard case .node = entry.place, let job = entry.job else { return false }
            return job.dueAt <= now
        }
    }

    /// Calls `body` when every job that was submitted before is stored.
    func whenSaved(_ body: @escaping () -> Void) {
        if let keeper { keeper.whenSaved(body) } else { body() }
    }

    /// Done when every job that was submitted before is stored; at once without a storage.
    func flush() -> EventLoopFuture<Void> {
        let promise = loop.makePromise(of: Void.self)
        whenSaved { promise.succeed() }
        return promise.futureResult
    }

    private func finishDraining() {
        drained?.succeed()
        drained = nil
    }

    private func abandon() {
        for (_, entry) in entries.elements {
            switch entry.sink {
            case .application(let feedback): feedback.onStop?()
            case .command(let session, let ticket, let deadline):
                deadline?.cancel()
                session.pay(ticket) { $0.writeRESPError("ERR the distributor stopped before the outcome was known") }
                session.connection.close(reason: "the distributor stops")
            case .acknowledgement(let session, let ticket):
                session.pay(ticket) { $0.writeRESPError("ERR the distributor stopped before the job was stored") }
            case .producer, .none: break
            }
        }
        entries.removeAll()
    }

    private func closeAll() -> EventLoopFuture<Void> {
        let registrations = Array(registrations.values)
        self.registrations = [:]
        for registration in registrations { registration.close(reason: "the distributor stops") }
        return listener?.closeConnections(on: loop) ?? loop.makeSucceededVoidFuture()
    }

    // MARK: Jobs in

    func submit(_ batch: [Submission]) {
        for submission in batch {
            let feedback = submission.feedback
            submit(submission.job, feedback.isTold ? .application(feedback) : .none)
        }
    }

    /// Returns false when the job is there already: the same id twice is one job. `accepted` is called when the job, new
    /// or not, is as safe as it will be.
    @discardableResult
    func submit(_ job: Job, _ sink: Sink, accepted: @escaping () -> Void = {}) -> Bool {
        guard entries[job.id] == nil else {
            // A producer that comes back to another process of ours.
            if case .producer = sink, entries[job.id]?.sink.isNobody == true { entries[job.id]?.sink = sink }
            whenSaved(accepted)
            return false
        }
        counters.enqueued += 1
        var entry = Entry(name: job.name, sink: sink, job: job)
        if let keeper {
            entry.place = .saving
            entries[job.id] = entry
            keeper.save(Self.record(job, of: sink, at: nil)) {
                self.saved(job.id)
                accepted()
            }
            return true
        }
        if let node = dispatcher.enqueue(job) { place(&entry, job, at: node) }
        entries[job.id] = entry
        accepted()
        return true
    }

    /// As the keeper has it.
    private static func record(_ job: Job, of sink: Sink, at node: String?) -> Job {
        var record = job
        if case .producer(let producer) = sink { record.distributor = producer.id }
        if let node { record.distributor += " \(node)" }
        return record
    }

    private func saved(_ id: JobID) {
        guard var entry = entries[id], let job = entry.job else { return }
        entry.isStored = true
        entry.place = .waiting
        if case .acknowledgement = entry.sink { entry.sink = .none }
        if cancelling.remove(id) != nil { return finishCancelled(entry, job) }
        if let node = dispatcher.enqueue(job) { place(&entry, job, at: node) }
        entries[id] = entry
    }

    /// A job that is not stored is not accepted: who waits for the answer is told, for the others it is tried again.
    private func couldNotSave(_ job: Job, _ error: StorageError) -> Bool {
        guard let entry = entries[job.id] else { return false }
        switch entry.sink {
        case .command(let session, let ticket, let deadline):
            deadline?.cancel()
            session.pay(ticket) { $0.writeRESPError("ERR the job is not enqueued, as it cannot be stored: \(error)") }
        case .acknowledgement(let session, let ticket):
            session.pay(ticket) { $0.writeRESPError("ERR the job is not enqueued, as it cannot be stored: \(error)") }
        case .application, .producer, .none: return true
        }
        entries[job.id] = nil
        return false
    }

    func makeJob(_ request: JobRequest) -> Job {
        let now = clock.now
        return Job(
            id: request.options.id ?? ids.next(at: now), name: request.name, args: request.args,
            options: request.options, createdAt: now)
    }

    // MARK: Jobs out

    /// Sends the job to a node that has credit for it.
    private func place(_ entry: inout Entry, _ job: Job, at node: Dispatcher.NodeHandle, isAgain: Bool = false) {
        entry.place = .node(node)
        entry.lastRun = 0
        counters.sent += 1
        links[node]?.send(job, isAgain: isAgain, now: clock.now)
    }

    private func sendWaiting(to node: Dispatcher.NodeHandle) {
        while let id = dispatcher.takeNext(for: node) {
            guard var entry = entries.removeValue(forKey: id) else { continue }
            if let job = entry.job { place(&entry, job, at: node) }
            entries[id] = entry
        }
    }

    /// Puts a job back that a node had and does not own.
    private func giveBack(_ id: JobID, from node: Dispatcher.NodeHandle) {
        guard var entry = entries[id], case .node(node) = entry.place, let job = entry.job else { return }
        counters.givenBack += 1
        if cancelling.remove(id) != nil { return finishCancelled(entry, job) }
        entry.place = .waiting
        if let other = dispatcher.giveBack(job) { place(&entry, job, at: other) }
        entries[id] = entry
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
        dispatcher.announce(node, jobs: Set(jobs))
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

    func node(_ node: Dispatcher.NodeHandle, returned ids: [JobID]) {
        for id in ids { giveBack(id, from: node) }
    }

    /// A durable node has saved the job and owns it now.
    func node(_ node: Dispatcher.NodeHandle, owns id: JobID) {
        guard let entry = entries[id], case .node(node) = entry.place else { return }
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
            entries[id]?.place = .owned(by: name)
            entries[id]?.job = nil
        case .application, .command:
            // They do not outlive this process.
            if entry.isStored { keeper?.apply(.remove(id)) }
            entries[id]?.isStored = false
            entries[id]?.place = .owned(by: name)
            entries[id]?.job = nil
        }
        noteProgress()
    }

    func nodeLost(_ node: Dispatcher.NodeHandle, _ introduction: NodeIntroduction, reason: String?) {
        let (name, isDurable) = (introduction.name, introduction.isDurable)
        links[node] = nil
        if let place = introduction.place { expectReturn(of: name, at: place) }
        dispatcher.disconnect(node)
        // In the order of their ids, which is that of their age.
        let unfinished = entries.elements.lazy.filter { if case .node(node) = $0.value.place { true } else { false } }
            .map(\.key).sorted()
        if isDurable {
            doubt(unfinished, at: name)
        } else {
            for id in unfinished {
                givenTwice.insert(id)
                giveBack(id, from: node)
            }
        }
        logger.info(
            "node disconnected",
            metadata: [
                "node": "\(name)", "reason": "\(reason ?? "closed")", "jobs given back": "\(unfinished.count)",
            ])
    }

    // MARK: Adoption

    /// A node on a shared storage is gone. When it does not come back another takes over its jobs.
    private func expectReturn(of name: String, at place: String) {
        guard !isStopping else { return }
        lostNodes[name]?.deadline?.cancel()
        let deadline = loop.assumeIsolated().scheduleTask(
            in: .milliseconds(Int64(configuration.takeoverTime * 1000))
        ) {
            self.lostNodes[name]?.isGivenUp = true
            self.handOver(name)
        }
        lostNodes[name] = LostNode(place: place, deadline: deadline)
    }

    private func handOver(_ name: String) {
        guard let lost = lostNodes[name], lost.isGivenUp,
            let heir = links.values.first(where: { $0.introduction.place == lost.place })
        else { return }
        logger.notice(
            "a node has not come back: another takes over its jobs",
            metadata: ["node": "\(name)", "by": "\(heir.introduction.name)"])
        heir.sendAdopt(name)
    }

    /// A node is there: it is not lost, and may take over from those that are. The first of a place also looks whether
    /// some were lost that this process does not know.
    private func nodeCameBack(_ link: NodeLink) {
        lostNodes.removeValue(forKey: link.introduction.name)?.deadline?.cancel()
        guard let place = link.introduction.place else { return }
        for (name, lost) in lostNodes where lost.place == place && lost.isGivenUp { handOver(name) }
        guard askedPlaces.insert(place).inserted else { return }
        loop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(configuration.takeoverTime * 1000))) {
            let someone = self.links.values.first { $0.introduction.place == place }
            if let someone { someone.sendAdopt(nil) } else { self.askedPlaces.remove(place) }
        }
    }

    func adopted(_ name: String?, _ isDone: Bool, by link: NodeLink) {
        guard let name, let lost = lostNodes[name] else { return }
        guard isDone else {
            // It lives, without a connection to us, or its lease has not ended: it has its time once more.
            return expectReturn(of: name, at: lost.place)
        }
        lostNodes[name] = nil
        let heir = link.introduction.name
        for (id, entry) in entries.elements {
            if case .owned(name) = entry.place { entries[id]?.place = .owned(by: heir) }
        }
        // The heir knows what it has taken over, and takes the rest.
        guard let node = link.handle else { return }
        sendInDoubt(of: name, to: node, link)
    }

    // MARK: Jobs in doubt

    /// A durable node is gone that had not said of these jobs whether it has them. It will when it comes back.
    private func doubt(_ jobs: [JobID], at name: String) {
        guard !jobs.isEmpty else { return }
        let earlier = inDoubt.removeValue(forKey: name)
        earlier?.deadline.cancel()
        for id in jobs { entries[id]?.place = .inDoubt(at: name) }
        let deadline = loop.assumeIsolated().scheduleTask(
            in: .milliseconds(Int64(configuration.takeoverTime * 1000))
        ) { self.endDoubt(about: name) }
        inDoubt[name] = ((earlier?.jobs ?? []) + jobs, deadline)
    }

    /// The node is back, and has reported what it has done: what it has not reported it gets again, and knows by the id
    /// what it has already.
    private func sendInDoubt(of name: String, to node: Dispatcher.NodeHandle, _ link: NodeLink) {
        guard link.introduction.isDurable, let (jobs, deadline) = inDoubt.removeValue(forKey: name) else { return }
        deadline.cancel()
        for id in jobs {
            guard var entry = entries[id], case .inDoubt(name) = entry.place, let job = entry.job else { continue }
            dispatcher.useCredit(of: node)
            place(&entry, job, at: node, isAgain: true)
            entries[id] = entry
            if cancelling.contains(id) { link.sendCancel(id) }
        }
    }

    /// The node has not come back in time.
    private func endDoubt(about name: String) {
        if let lost = lostNodes[name], links.values.contains(where: { $0.introduction.place == lost.place }) {
            // They go to the node that takes over from it.
            return
        }
        guard let (jobs, _) = inDoubt.removeValue(forKey: name) else { return }
        logger.warning(
            "a node has not come back: jobs that it may have go to others",
            metadata: ["node": "\(name)", "jobs": "\(jobs.count)"])
        for id in jobs {
            guard var entry = entries[id], case .inDoubt(name) = entry.place, let job = entry.job else { continue }
            givenTwice.insert(id)
            counters.givenBack += 1
            if cancelling.remove(id) != nil {
                finishCancelled(entry, job)
                continue
            }
            entry.place = .waiting
            if let other = dispatcher.giveBack(job) { place(&entry, job, at: other) }
            entries[id] = entry
        }
    }

    func reported(_ report: JobReport) {
        guard var entry = entries.removeValue(forKey: report.id) else { return reportedByStranger(report) }
        guard report.run > entry.lastRun else {
            entries[report.id] = entry
            counters.repeatedReports += 1
            return
        }
        switch report.feedback.kind {
        case .success: counters.succeeded += 1
        case .error: counters.failed += 1
        }
        if !cancelling.isEmpty { cancelling.remove(report.id) }
        let isFinished = report.status.isFinished
        let sink = entry.sink
        if !isFinished {
            entry.lastRun = report.run
            // A periodic job keeps its state in its args: so must the copy that another node would get.
            if let job = entry.job {
                entry.job?.args = report.feedback.args
                entry.job?.dueAt = clock.now.advanced(bySeconds: job.period ?? 0)
                if entry.isStored, let job = entry.job {
                    keeper?.apply(.update(Self.record(job, of: sink, at: nil)))
                }
            }
            if case .command = sink { entry.sink = .none }
            entries[report.id] = entry
        }
        if isFinished, entry.isStored { keeper?.apply(.remove(report.id)) }
        deliver(report, name: entry.name, to: sink)
        if isFinished { noteProgress() }
    }

    private func deliver(_ report: JobReport, name: String, to sink: Sink) {
        if !handlers.isEmpty {
            for handler in handlers[name] ?? [] {
                handler.deliver(report.feedback, id: report.id, name: name, status: report.status)
            }
        }
        switch sink {
        case .application(let feedback):
            feedback.deliver(report.feedback, id: report.id, name: name, status: report.status)
        case .producer(let producer):
            producer.report(report)
        case .command(let session, let ticket, let deadline):
            deadline?.cancel()
            session.pay(ticket) { buffer in
                switch report.feedback.kind {
                case .success: buffer.writeRESPBulk(report.feedback.args.bytes)
                case .error: buffer.writeRESPError(code: "JOBFAILED", report.feedback.args.bytes)
                }
            }
        case .acknowledgement, .none: break
        }
    }

    /// The outcome of a job that this process does not know: that of an earlier one, or one that has had its outcome.
    private func reportedByStranger(_ report: JobReport) {
        guard !givenTwice.contains(report.id), handlers[report.name] != nil else {
            counters.repeatedReports += 1
            return
        }
        switch report.feedback.kind {
        case .success: counters.succeeded += 1
        case .error: counters.failed += 1
        }
        deliver(report, name: report.name, to: .none)
    }

    func progressed(_ progress: Progress) {
        guard let entry = entries[progress.id], progress.run > entry.lastRun else { return }
        let shown = JobProgress(
            id: progress.id, name: entry.name, fraction: progress.fraction, text: progress.text)
        for handler in handlers[entry.name] ?? [] { handler.onProgress?(shown) }
        switch entry.sink {
        case .application(let feedback): feedback.onProgress?(shown)
        case .producer(let producer): producer.progressed(progress)
        case .command, .acknowledgement, .none: break
        }
    }

    func handle(_ name: String, _ feedback: JobFeedback) {
        handlers[name, default: []].append(feedback)
    }

    // MARK: Reports counted

    /// How many reports have come from this process of the node, over all its links.
    func receivedCount(from node: NodeIntroduction) -> Int {
        guard let known = received[node.name], known.instance == node.instance else { return 0 }
        return known.count
    }

    func noteReceived(_ count: Int, from node: NodeIntroduction) {
        received[node.name] = (node.instance, receivedCount(from: node) + count)
    }

    // MARK: Cancelling

    /// Returns whether the job is known and not finished.
    func cancel(_ id: JobID) -> Bool {
        guard let entry = entries[id] else { return false }
        switch entry.place {
        case .saving, .inDoubt:
            cancelling.insert(id)
        case .waiting:
            guard let job = entry.job else { return false }
            entries[id] = nil
            dispatcher.withdraw(job)
            finishCancelled(entry, job)
        case .node(let node):
            cancelling.insert(id)
            links[node]?.sendCancel(id)
        case .owned(let name):
            cancelling.insert(id)
            link(toNode: name)?.sendCancel(id)
        }
        return true
    }

    /// Ends a job here that no node has.
    private func finishCancelled(_ entry: Entry, _ job: Job) {
        entries[job.id] = nil
        if entry.isStored { keeper?.apply(.remove(job.id)) }
        counters.succeeded += 1
        let ended = JobLifecycle.cancel(job, policy: JobPolicy())
        guard let feedback = ended.feedback else { return }
        // A run of its own, as far as those are concerned who tell reports apart by their runs.
        let report = JobReport(
            id: job.id, name: job.name, feedback: feedback, status: ended.job.status, run: entry.lastRun &+ 1)
        deliver(report, name: entry.name, to: entry.sink)
        noteProgress()
    }

    private func resendCancellations(to link: NodeLink) {
        for id in cancelling {
            if case .owned(link.introduction.name) = entries[id]?.place { link.sendCancel(id) }
        }
    }

    private func link(toNode name: String) -> NodeLink? {
        links.values.first { $0.introduction.name == name }
    }

    // MARK: Showing

    /// The record of a job, name and value in turn: the node's when one has it. Empty when it is not known.
    func show(_ id: JobID) -> EventLoopFuture<[String]> {
        guard let entry = entries[id] else { return loop.makeSucceededFuture([]) }
        let link: NodeLink?
        switch entry.place {
        case .saving, .waiting, .inDoubt: link = nil
        case .node(let node): link = links[node]
        case .owned(let name): link = self.link(toNode: name)
        }
        let known = entry.job.map { job in
            var job = job
            job.distributor = name
            return job.shownFields
        }
        guard let link else { return loop.makeSucceededFuture(known ?? []) }
        let node = link.introduction.name
        return link.show(id).map { fields in (fields.isEmpty ? known ?? [] : fields) + ["on_node", node] }
    }

    private func noteProgress() {
        if drained != nil, isIdle { finishDraining() }
    }

    /// A `PERFORM` is no longer waited for; the job goes on.
    func forgetSink(of id: JobID, ticket: CommandSession.Ticket) {
        if case .command(_, ticket, _) = entries[id]?.sink { entries[id]?.sink = .none }
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
                load: state.load, jobs: state.jobs.sorted())
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

/// The last ids put in, up to a limit.
private struct RecentIDs {
    private var ids: Set<JobID> = []
    private var order: Deque<JobID> = []
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    mutating func insert(_ id: JobID) {
        guard ids.insert(id).inserted else { return }
        order.append(id)
        if order.count > limit, let oldest = order.popFirst() { ids.remove(oldest) }
    }

    func contains(_ id: JobID) -> Bool { ids.contains(id) }
}
