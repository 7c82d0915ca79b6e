internal import JobReactorCore
internal import JobReactorWire
internal import NIOCore

/// A producer elsewhere (a `JobClient`): known by its id across its connections, so that outcomes wait for it while it is
/// away.
final class Producer {
    let id: String
    private let core: DistributorCore
    private var outbox = Outbox()
    private weak var link: ProducerLink?
    /// Whose it is, and its outcomes: that of its last connection, held open until the producer is forgotten. Nil before the
    /// first.
    private var account: MemoryShares.Account?
    /// What it takes beside its outcomes, about.
    private static let base = 1000
    private var expiry: Scheduled<Void>?
    /// Of how many jobs of a name that no node defines it was told.
    private var parkedJobs: [String: Int] = [:]
    private static let mostParked = 100

    init(id: String, core: DistributorCore) {
        self.id = id
        self.core = core
    }

    func connected(_ link: ProducerLink) {
        expiry?.cancel()
        expiry = nil
        self.link?.connection.close(reason: "the producer connected again")
        self.link = link
        use(core.openAccount(of: link.connection))
        outbox.restart()
        sendReports()
    }

    private func use(_ next: MemoryShares.Account?) {
        note(-outbox.bytes)
        if let account {
            note(-Self.base)
            core.close(account)
        }
        account = next
        note(outbox.bytes + (next == nil ? 0 : Self.base))
    }

    private func note(_ bytes: Int) { core.noteOutcomes(bytes, of: account ?? MemoryShares.own) }

    func disconnected(_ link: ProducerLink) {
        guard self.link === link else { return }
        self.link = nil
        expectReturn()
    }

    /// It is away, and forgotten when that takes too long.
    func expectReturn() {
        guard link == nil, expiry == nil else { return }
        expiry = core.loop.assumeIsolated().scheduleTask(
            in: .milliseconds(Int64(core.configuration.reportTTL * 1000))
        ) {
            self.core.forgetReports(self.changeOutbox { $0.removeAll() })
            self.use(nil)
            self.core.forgetProducer(self.id)
        }
    }

    /// Whether the outcome of the job is here, and waits for the producer.
    func hasEnd(of id: JobID) -> Bool { outbox.containsEnd(of: id) }

    func report(_ report: JobReport) {
        changeOutbox { $0.append(report) }
        sendReports()
    }

    func progressed(_ progress: Progress) {
        link?.connection.write { LinkMessage.writeProgress(progress, to: &$0) }
    }

    /// Where many jobs of a name are parked, it is told of the first ones.
    func hearsOfParking(_ name: String) -> Bool {
        link != nil && parkedJobs[name, default: 0] < Self.mostParked
    }

    /// A job of its waits as no connected node defines it.
    func parked(_ job: Job, _ reason: String) {
        guard hearsOfParking(job.name) else { return }
        parkedJobs[job.name, default: 0] += 1
        progressed(Progress(id: job.id, run: 0, fraction: nil, text: reason))
    }

    /// A node defines these jobs.
    func unparked(_ names: [String]) {
        for name in names { parkedJobs[name] = nil }
    }

    func taken(through number: Int) {
        core.forgetReports(changeOutbox { $0.taken(through: number) })
    }

    /// An outcome that an earlier process has not told.
    func keep(_ report: JobReport) {
        changeOutbox { $0.append(report) }
        expectReturn()
    }

    private func changeOutbox<Result>(_ body: (inout Outbox) -> Result) -> Result {
        let before = outbox.bytes
        let result = body(&outbox)
        note(outbox.bytes - before)
        return result
    }

    /// A job comes, or, when the connection was lost before its outcome had arrived, comes again. One whose outcome is on
    /// its way is done.
    func accept(_ job: Job, by account: MemoryShares.Account, isAgain: Bool, accepted: @escaping () -> Void) {
        if isAgain, outbox.containsEnd(of: job.id) || core.change({ $0.tellAgain(job.id, .producer(self)) }) {
            return core.whenSaved(accepted)
        }
        core.submit(job, .producer(self), by: account, isAgain: isAgain, accepted: accepted)
    }

    private func sendReports() {
        guard let link else { return }
        outbox.sendRest { number, report in link.connection.write { LinkMessage.writeResult(number, report, to: &$0) } }
    }
}

/// The connection of a producer: jobs come in, acknowledgements and outcomes go out.
final class ProducerLink: ConnectionSession {
    let connection: Connection
    let account: MemoryShares.Account
    private let producer: Producer
    private let core: DistributorCore
    private var accepted = HandOverRanges()
    private var isReading = false
    /// Credit that it gets when there is room.
    private var withheld = 0
    /// Credit that it has had, and how much of it was used.
    private var granted = 0
    private var used = 0
    /// Jobs for which there is no room: the producer has them again.
    private var returned: [HandOver] = []

    /// Jobs that a producer may send before it hears that the first are accepted.
    static let window = 8192

    init(_ producer: Producer, connection: Connection, core: DistributorCore) {
        self.producer = producer
        self.connection = connection
        self.core = core
        account = core.openAccount(of: connection)
    }

    func begin() {
        connection.handOver(to: self)
        connection.becomeLink()
        connection.write {
            Handshake.distributor(id: self.core.identity, name: self.core.name).write(to: &$0)
            LinkMessage.writeTakesLaterOptions(to: &$0)
        }
        // The outcomes first: what has one is not sent again.
        producer.connected(self)
        grant(Self.window)
    }

    func received(_ frame: RESPFrame, on connection: Connection) {
        isReading = true
        do throws(CommandError) {
            switch try LinkMessage(frame, from: .producer) {
            case .job(let handOver, let request):
                try useCredit()
                accept(handOver, request, isAgain: false)
            case .again(let handOver, let request):
                try useCredit()
                accept(handOver, request, isAgain: true)
            case .unacceptable(let handOver, _, let reason):
                try useCredit()
                refuse(handOver, reason)
            case .taken(let number): producer.taken(through: number)
            case .cancel(let id): cancel(id)
            case .ping, .takesLaterOptions: break
            case .credit, .saved, .result, .progress, .returned, .refused, .storageError, .jobs, .drain,
                .show, .shown, .adopt, .adopted, .begun, .paused, .waits, .defines, .permit, .permitted, .discarded,
                .release, .holds, .began, .replace, .replaced, .kept, .hold:
                throw CommandError("ERR a producer does not take jobs")
            }
        } catch {
            connection.refuse(error.line)
        }
    }

    private func useCredit() throws(CommandError) {
        used += 1
        guard used <= granted else {
            throw CommandError(
                "ERR more jobs than this distributor has granted credit for: \(used), with credit for \(granted)")
        }
    }

    private func accept(_ handOver: HandOver, _ request: JobRequest, isAgain: Bool) {
        if connection.user?.seesAllJobs == false,
            core.ask({ $0.isKnown(handOver.id) && $0.producer(of: handOver.id) !== producer })
        {
            return refuse(handOver, DistributorCore.anothersJob(handOver.id))
        }
        if !isAgain, let reason = core.reasonToWait(for: handOver.id) { return refuse(handOver, reason) }
        guard core.mayTake(from: account) || core.ask({ $0.isKnown(handOver.id) }) || producer.hasEnd(of: handOver.id)
        else {
            returned.append(handOver)
            return
        }
        var request = request
        request.options.id = handOver.id
        let number = handOver.number
        producer.accept(core.makeJob(request), by: account, isAgain: isAgain) { self.noteAccepted(number) }
    }

    private func cancel(_ id: JobID) {
        guard connection.user?.has(.operator) != false || core.ask({ $0.producer(of: id) }) === producer else { return }
        core.cancel(id).assumeIsolated().whenSuccess { [connection, core] isKnown in
            guard isKnown else { return }
            core.audit.note("CANCEL", "the job \(id) is cancelled", by: connection.user, over: connection)
        }
    }

    private func refuse(_ handOver: HandOver, _ reason: String) {
        connection.write { LinkMessage.writeRefused(handOver, reason, to: &$0) }
        grant(1)
    }

    /// It may send so many jobs more; when what waits here takes all that it may, not before there is room.
    private func grant(_ credit: Int) {
        guard !core.mayTake(from: account) else {
            granted += credit
            return connection.write { LinkMessage.writeCredit(credit, to: &$0) }
        }
        if withheld == 0 { core.waitForRoom(self) }
        withheld += credit
    }

    func roomCame() {
        let credit = withheld
        withheld = 0
        if credit > 0 { grant(credit) }
    }

    private func noteAccepted(_ number: Int) {
        accepted.add(number)
        guard !isReading, accepted.count == 1 else { return }
        // Stored later: those that were stored together are acknowledged together.
        core.loop.assumeIsolated().execute { self.acknowledge() }
    }

    func readCompleted(on connection: Connection) {
        isReading = false
        acknowledge()
        giveBack()
    }

    private func giveBack() {
        guard !returned.isEmpty else { return }
        let handOvers = returned
        returned = []
        connection.write { LinkMessage.writeReturned(handOvers, to: &$0) }
        grant(handOvers.count)
    }

    private func acknowledge() {
        guard !accepted.isEmpty else { return }
        let saved = accepted.take()
        connection.write { saved.write(to: &$0) }
        grant(saved.count)
    }

    func disconnected(_ connection: Connection, reason: String?) {
        if withheld > 0 { core.stopWaitingForRoom(self) }
        core.close(account)
        producer.disconnected(self)
    }
}
