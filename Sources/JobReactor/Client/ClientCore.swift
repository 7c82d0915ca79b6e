internal import DequeModule
internal import JobReactorCore
internal import JobReactorWire
internal import Logging
internal import NIOCore

/// The client's state and all that changes it, on one event loop.
final class ClientCore {
    private struct Entry {
        var job: Job
        /// When its next run is due.
        var due: DueTime
        var feedback: JobFeedback
        var lastRun: Int32 = 0
        /// It went out over some connection.
        var isSent = false
        /// It had before it went out last.
        var wasSentBefore = false
        /// The distributor is told, again on each new connection.
        var isCancelled = false
    }

    let loop: any EventLoop
    private let clock: WallClock
    let security: WireSecurity
    let logger: Logger
    /// Tells this process from all others, so that outcomes find their way back over a new connection.
    let identity: String
    private let address: Address
    private var dialer: Dialer?
    private var entries: [JobID: Entry] = [:]
    /// Who is told of the outcomes of this client's jobs of a name.
    var handlers = JobHandlers()
    private let memory: JobMemory
    /// Where the program has a backend for them.
    private let metrics: ClientMetrics?
    /// What those take, as ``JobMemory`` counts it.
    private var bytes = 0
    /// Jobs to send, as far as there is credit.
    private var unsent: Deque<JobID> = []
    private var parkedNames = ParkedNames()
    /// What went out over the connection that is up.
    private var handOvers = HandOvers(awaitsAnswers: true)
    private var credit = 0
    private weak var link: ClientLink?
    /// The identity of the distributor's process.
    private var distributor: String?
    private var ready: EventLoopPromise<Void>?
    private var flushes: [EventLoopPromise<Void>] = []
    private var drained: EventLoopPromise<Void>?
    private var isClosed = false

    init(
        to address: Address, security: WireSecurity, memory: JobMemory, metrics: MetricsBackend?,
        on loop: any EventLoop, clock: WallClock, logger: Logger
    ) {
        self.memory = memory
        self.metrics = metrics.map { ClientMetrics($0) }
        self.address = address
        self.security = security
        self.loop = loop
        self.clock = clock
        self.logger = logger
        var ids = JobID.Generator()
        identity = ids.next(at: clock.now).description
    }

    // MARK: Life

    /// Done when the first connection is good.
    func start() -> EventLoopFuture<Void> {
        guard !isClosed else { return loop.makeFailedFuture(Self.stopped) }
        let promise = loop.makePromise(of: Void.self)
        ready = promise
        let dialer = Dialer(to: address, on: loop, security: security, logger: logger) {
            Connection(role: .client, limits: RESPLimits(), session: ClientLink(self))
        }
        // The dialer and this hold each other until the stop.
        dialer.onFailure = { [address] error in
            // Only the first try is the caller's to hear of.
            self.ready?.fail((error as? WireError) ?? WireError.unreachable(address, error))
            self.ready = nil
        }
        self.dialer = dialer
        dialer.start()
        return promise.futureResult
    }

    /// Done when the distributor has accepted what was submitted, at the latest after `grace` seconds; at once when there
    /// is no connection.
    func drain(grace: Double) -> EventLoopFuture<Void> {
        let promise = loop.makePromise(of: Void.self)
        drained = promise
        if link == nil || grace <= 0 {
            finishDraining()
        } else {
            let timer = loop.assumeIsolated().scheduleTask(in: .seconds(clamping: grace)) { self.finishDraining() }
            promise.futureResult.assumeIsolated().whenComplete { _ in timer.cancel() }
            noteProgress()
        }
        return promise.futureResult
    }

    private func finishDraining() {
        drained?.succeed()
        drained = nil
    }

    /// Ends all that waits, and the connection.
    func close() -> EventLoopFuture<Void> {
        isClosed = true
        ready?.fail(Self.stopped)
        ready = nil
        for promise in flushes { promise.fail(Self.stopped) }
        flushes = []
        for entry in entries.values { entry.feedback.onStop?() }
        handlers.removeAll().tell { $0.onStop?() }
        entries = [:]
        bytes = 0
        memory.has(0)
        link?.connection?.close()
        let closed = dialer?.closed ?? loop.makeSucceededVoidFuture()
        dialer?.stop()
        dialer = nil
        return closed
    }

    private static let stopped = JobError(.stopped, "the client was stopped: make another")

    /// Done when the distributor has accepted every job submitted so far; fails when the client is closed before.
    func flush() -> EventLoopFuture<Void> {
        guard !isClosed else { return loop.makeFailedFuture(Self.stopped) }
        let promise = loop.makePromise(of: Void.self)
        flushes.append(promise)
        noteProgress()
        return promise.futureResult
    }

    private func noteProgress() {
        guard unsent.isEmpty, handOvers.areAllAnswered, link?.isGood == true || entries.isEmpty else { return }
        let done = flushes
        flushes = []
        for promise in done { promise.succeed() }
        finishDraining()
    }

    // MARK: Jobs

    func submit(_ batch: [Submission]) {
        let now = loop.moment(clock)
        for submission in batch {
            guard entries[submission.job.id] == nil else { continue }
            entries[submission.job.id] = Entry(
                job: submission.job, due: submission.job.due(countedFrom: now), feedback: submission.feedback)
            count(submission.job, 1)
            metrics?.enqueued(submission.job.name)
            unsent.append(submission.job.id)
        }
        memory.has(bytes)
        sendJobs()
    }

    /// The job has come, or has gone.
    private func count(_ job: Job, _ sign: Int) {
        bytes += sign * JobMemory.bytes(job.name, job.args)
        // Those of a batch are counted when all of it is here.
        if sign < 0 { memory.has(bytes) }
    }

    private func sendJobs() {
        guard let link, link.isGood else { return }
        let now = loop.moment(clock)
        while credit > 0, let id = unsent.popFirst() {
            guard let entry = entries[id] else { continue }
            credit -= 1
            let options = entry.job.optionsToSend(entry.due, now: now)
            link.send(entry.job, options, HandOver(handOvers.add(id), id), isAgain: entry.isSent)
            entries[id]?.wasSentBefore = entry.isSent
            entries[id]?.isSent = true
            if entries[id]?.isCancelled == true { link.sendCancel(id) }
        }
    }

    // MARK: The link

    func linked(_ link: ClientLink, distributor: String) {
        self.link = link
        if distributor != self.distributor {
            // Another process counts the runs of a job anew.
            for id in entries.keys { entries[id]?.lastRun = 0 }
            self.distributor = distributor
        }
        dialer?.succeeded()
        credit = 0
        handOvers = HandOvers(awaitsAnswers: true)
        // The distributor may be another process, or this one may have missed something: everything without an outcome
        // goes out again, in the order of its making.
        unsent = Deque(entries.keys.sorted())
        ready?.succeed()
        ready = nil
    }

    func unlinked(_ link: ClientLink, reason: String?) {
        if self.link === link { self.link = nil }
        if let promise = ready {
            ready = nil
            promise.fail(WireError(.connect, "\(address) refuses: \(reason ?? "it closed the connection")"))
        }
        finishDraining()
    }

    func granted(_ count: Int) {
        credit = min(credit + count, 1 << 40)
        sendJobs()
        // What was to go out again may have had its outcome first: then nothing was sent, and no answer ends a flush.
        noteProgress()
    }

    func accepted(_ first: Int, through last: Int) {
        handOvers.answer(first, through: last) { _ in }
        noteProgress()
    }

    /// The distributor has no room for these jobs: they go out again, first of all, when there is credit.
    func returned(_ returned: [HandOver]) {
        for handOver in returned.reversed() where handOvers.answer(handOver) {
            guard let entry = entries[handOver.id] else { continue }
            entries[handOver.id]?.isSent = entry.wasSentBefore
            unsent.prepend(handOver.id)
        }
        sendJobs()
        noteProgress()
    }

    /// The distributor can never take the job.
    func refused(_ handOver: HandOver, because reason: String) {
        guard handOvers.answer(handOver), let entry = entries.removeValue(forKey: handOver.id) else { return }
        count(entry.job, -1)
        metrics?.refused(entry.job.name)
        let error = Array(JSONValue.string(reason).json.utf8)
        let feedback = Feedback(.error, args: entry.job.args.setting([("error", error)]))
        deliver(feedback, of: handOver.id, entry, .failed)
        noteProgress()
    }

    func reported(_ report: JobReport) {
        guard var entry = entries.removeValue(forKey: report.id) else { return }
        count(entry.job, -1)
        if !parkedNames.isEmpty { _ = parkedNames.forget([entry.job.name]) }
        guard report.run > entry.lastRun else {
            entries[report.id] = entry
            count(entry.job, 1)
            return
        }
        if let metrics {
            let now = loop.moment(clock)
            let due = entry.due.date(at: now) ?? entry.job.dueAt
            metrics.ended(entry.job.name, report, due: due, at: now.wall)
        }
        if !report.status.isFinished {
            entry.lastRun = report.run
            entry.job.args = report.feedback.args
            if let period = entry.job.period {
                entry.due = .steady(loop.moment(clock).advanced(bySeconds: period).steady)
            }
            entries[report.id] = entry
            count(entry.job, 1)
        }
        deliver(report.feedback, of: report.id, entry, report.status)
    }

    private func deliver(_ feedback: Feedback, of id: JobID, _ entry: Entry, _ status: JobStatus) {
        let name = entry.job.name
        if !handlers.isEmpty { handlers[name].tell { $0.deliver(feedback, id: id, name: name, status: status) } }
        entry.feedback.deliver(feedback, id: id, name: name, status: status)
    }

    func progressed(_ progress: Progress) {
        guard let entry = entries[progress.id] else { return }
        if progress.run == 0 { return parked(entry, progress.text) }
        guard progress.run > entry.lastRun else { return }
        tell(
            JobProgress(id: progress.id, name: entry.job.name, fraction: progress.fraction, text: progress.text),
            of: entry)
    }

    private func tell(_ progress: JobProgress, of entry: Entry) {
        handlers[progress.name].tell { $0.onProgress?(progress) }
        entry.feedback.onProgress?(progress)
    }

    /// No node that is connected to the distributor defines the job.
    private func parked(_ entry: Entry, _ reason: String) {
        if parkedNames.note(entry.job.name) == .name {
            logger.warning("\(reason)", metadata: ["job": "\(entry.job.name)"])
        }
        tell(
            JobProgress(id: entry.job.id, name: entry.job.name, fraction: nil, text: reason, isParked: true),
            of: entry)
    }

    /// Cancels a job of this client; nil when it is none of those that wait for their outcome.
    func cancel(_ id: JobID) -> Bool? {
        guard entries[id] != nil else { return nil }
        // Behind the job itself on the same connection. A new connection brings the job again, and this word with it.
        entries[id]?.isCancelled = true
        link?.sendCancel(id)
        return true
    }
}

/// The connection to the distributor: the producer's end.
final class ClientLink: ConnectionSession {
    private let core: ClientCore
    private(set) weak var connection: Connection?
    /// The distributor has answered.
    private(set) var isGood = false
    private var awaitsAuthentication: Bool
    /// The distributor takes jobs with the options that came later: the mark of those that are awaited, and the trace.
    private var takesLaterOptions = false
    private var reportToTake: Int?
    private var refusal: String?

    init(_ core: ClientCore) {
        self.core = core
        awaitsAuthentication = core.security.password != nil
    }

    func connected(_ connection: Connection) {
        self.connection = connection
        connection.expectAnswer()
        if let login = core.security.login { connection.write { $0.writeRESPCommand(login) } }
        connection.write { Handshake.producer(id: self.core.identity).write(to: &$0) }
    }

    func send(_ job: Job, _ options: JobOptions, _ handOver: HandOver, isAgain: Bool) {
        var request = JobRequest(name: job.name, args: job.args, options: options)
        request.isAwaited = job.isAwaited && takesLaterOptions
        if !takesLaterOptions { (request.options.trace, request.options.priority) = (nil, nil) }
        connection?.write { LinkMessage.writeJob(handOver, request, isAgain: isAgain, to: &$0) }
    }

    func sendCancel(_ id: JobID) {
        connection?.write { LinkMessage.writeCancel(id, to: &$0) }
    }

    func received(_ frame: RESPFrame, on connection: Connection) {
        if awaitsAuthentication, frame.kind(ofToken: 0) == .simple {
            awaitsAuthentication = false
            return
        }
        guard isGood else { return greeted(frame, connection) }
        do throws(CommandError) {
            switch try LinkMessage(frame) {
            case .result(let number, let report):
                reportToTake = number
                core.reported(report)
            case .credit(let count): core.granted(count)
            case .saved(let first, let last): core.accepted(first, through: last)
            case .returned(let handOvers): core.returned(handOvers)
            case .refused(let handOver, let reason): core.refused(handOver, because: reason)
            case .progress(let progress): core.progressed(progress)
            case .ping: break
            case .takesLaterOptions: takesLaterOptions = true
            case .job, .again, .unacceptable, .taken, .cancel, .adopt, .adopted, .show, .shown,
                .storageError, .jobs, .drain, .begun, .paused, .waits, .defines, .permit, .permitted, .discarded,
                .release, .holds, .began, .replace, .replaced, .kept, .hold:
                throw CommandError("ERR a distributor does not send that to a producer")
            }
        } catch {
            connection.close(reason: error.line)
        }
    }

    private func greeted(_ frame: RESPFrame, _ connection: Connection) {
        guard case .distributor(let distributor, _)? = try? Handshake(frame) else {
            refusal = RESPValue(frame).text ?? "an invalid answer"
            core.logger.error("the distributor refuses this client", metadata: ["reason": "\(refusal ?? "")"])
            return connection.close(reason: refusal)
        }
        isGood = true
        connection.answered()
        connection.becomeLink()
        core.linked(self, distributor: distributor)
    }

    func readCompleted(on connection: Connection) {
        guard let number = reportToTake else { return }
        reportToTake = nil
        connection.write { LinkMessage.writeTaken(number, to: &$0) }
    }

    func disconnected(_ connection: Connection, reason: String?) {
        core.unlinked(self, reason: refusal ?? reason)
    }
}
