internal import JobReactorCore
internal import JobReactorWire
internal import NIOCore

/// The connection over which one distributor gives jobs and gets reports.
final class DistributorLink: ConnectionSession {
    /// The distributor's name.
    let distributor: String
    /// The identity of its process.
    let process: String
    /// How many reports have arrived there from this process of the node.
    let received: Int
    let connection: Connection
    /// Tells this link from those before it.
    let number: UInt32
    private let core: NodeCore
    private let ended: (String?) -> Void
    private var jobs: [Job] = []
    /// Of those jobs, in their order.
    private var numbers: [Int] = []
    /// The number of the last hand-over.
    private var lastNumber = 0
    private var granted = 0
    /// Hand-overs of jobs that were here already.
    private var knownCount = 0
    /// Those of jobs that runs wait for.
    private var awaitedCount = 0
    private var receivedAt: Moment
    /// Whether it knows of limits: it has said that it takes what came later.
    private(set) var givesPermits = false
    private(set) var hasSpoken = false
    /// Whether it was told what the scripts say of when jobs run.
    private var hasDefined = false
    /// Those of them that have been here before.
    private var known: Set<JobID> = []
    /// Those that may have been, and have ended: their records would say so.
    private var doubtful: Set<JobID> = []
    /// Those of them that are suspects.
    private var suspects: Set<JobID> = []
    /// Those of them that have their place in limits.
    private var permitted: Set<JobID> = []

    /// `ended` is called once, when the connection is gone.
    init(
        distributor: String, process: String, received: Int, connection: Connection, core: NodeCore,
        ended: @escaping (String?) -> Void
    ) {
        self.distributor = distributor
        self.process = process
        self.received = received
        self.connection = connection
        self.core = core
        self.ended = ended
        number = core.destinations.nextLinkNumber()
        receivedAt = core.now
    }

    /// Takes over the connection.
    func begin() {
        connection.handOver(to: self)
        connection.becomeLink()
        core.linked(self)
    }

    func sendGreeting(
        jobs: [String], _ definitions: NodeDefinitions, holds: [Permits.Held], storageError: StorageError?
    ) {
        connection.write { LinkMessage.writeTakesLaterOptions(to: &$0) }
        sendJobs(jobs, definitions, holds: holds)
        if let storageError { send(storageError) }
    }

    /// Says that the node's storage refuses; nil: that it works again.
    func send(_ error: StorageError?) {
        connection.write { LinkMessage.writeStorageError(error?.message ?? "", to: &$0) }
    }

    /// A distributor of an earlier release is spared what it does not know, where there is nothing to say.
    func sendJobs(_ jobs: [String], _ definitions: NodeDefinitions, holds: [Permits.Held] = []) {
        if hasDefined || !definitions.isEmpty {
            hasDefined = true
            connection.write { LinkMessage.writeDefines(definitions, to: &$0) }
        }
        for held in holds {
            connection.write {
                LinkMessage.writeHolds(held.id, secondsAgo: held.secondsAgo, held.needs, to: &$0)
            }
        }
        connection.write { LinkMessage.writeJobs(jobs, to: &$0) }
    }

    /// Jobs are stored. Of a storage that forgets the distributor keeps them anyhow: it need not be woken.
    func acknowledge(_ numbers: [Int]) {
        guard core.storage.isDurable else { return }
        var saved = HandOverRanges()
        for number in numbers { saved.add(number) }
        connection.write { saved.write(to: &$0) }
    }

    func grant(_ credit: Int) {
        granted += credit
        connection.write { LinkMessage.writeCredit(credit, to: &$0) }
    }

    /// Credit that was granted and that no job has used yet; negative when jobs came again that need none.
    var unusedCredit: Int { granted - lastNumber }

    func sendReturned(_ handOvers: [HandOver]) {
        connection.write { LinkMessage.writeReturned(handOvers, to: &$0) }
    }

    /// The hand-over whose number ends in these bits: of those the last, which is right as long as no job is here for longer
    /// than four thousand million others take.
    func handOver(of id: JobID, lowerHalf: UInt32) -> HandOver {
        HandOver(lastNumber - Int(UInt32(truncatingIfNeeded: lastNumber) &- lowerHalf), id)
    }

    /// Newer args of a job are stored.
    func sendReplaced(_ number: HandOver) { connection.write { LinkMessage.writeReplaced(number, to: &$0) } }

    /// The first run of the job of a tick begins.
    func sendBegan(_ id: JobID) { connection.write { LinkMessage.writeBegan(id, to: &$0) } }

    /// Nothing comes of newer args.
    func sendKept(_ number: HandOver) { connection.write { LinkMessage.writeKept(number, to: &$0) } }

    func sendDrain() {
        connection.write { LinkMessage.writeDrain(to: &$0) }
    }

    func received(_ frame: RESPFrame, on connection: Connection) {
        do throws(CommandError) {
            let message = try LinkMessage(frame)
            if !hasSpoken { spoke(message) }
            switch message {
            case .job(let handOver, let request):
                try take(handOver, request)
            case .again(let handOver, let request):
                // Now, not at the end of the read: a receipt behind it may be that of the job's report.
                if core.knows(handOver.id, of: distributor) {
                    knownCount += 1
                    known.insert(handOver.id)
                } else {
                    doubtful.insert(handOver.id)
                }
                try take(handOver, request)
            case .unacceptable(let handOver, _, let reason): try refuse(handOver, reason)
            case .taken(let number): core.taken(through: number, by: distributor)
            case .cancel(let id):
                // Behind the jobs that came before it.
                takeJobs()
                core.cancel(id, for: distributor)
            case .show(let id):
                takeJobs()
                show(id)
            case .adopt(let node):
                takeJobs()
                core.adopt(node) { isDone in self.connection.write { LinkMessage.writeAdopted(node, isDone, to: &$0) } }
            case .ping, .takesLaterOptions: break
            case .replace(let number, let request):
                takeJobs()
                core.replace(number, request, over: self)
            case .hold(let isNode, let jobs):
                takeJobs()
                core.hold(isNode: isNode, jobs: jobs, over: self)
            case .permitted(let id): core.permitted(id, over: self)
            case .discarded(let id, let reason): core.discarded(id, reason, over: self)
            case .adopted, .credit, .saved, .result, .progress, .shown, .returned, .refused, .storageError, .jobs,
                .drain, .begun, .paused, .waits, .defines, .permit, .release, .holds, .began, .replaced, .kept:
                throw CommandError("ERR a distributor does not take jobs")
            }
        } catch {
            connection.refuse(error.line)
        }
    }

    /// What it says first tells whether it knows of limits.
    private func spoke(_ message: LinkMessage) {
        hasSpoken = true
        givesPermits = message == .takesLaterOptions
        if givesPermits { core.givesPermits(self) } else { core.givesNoPermits(self) }
    }

    func readCompleted(on connection: Connection) {
        takeJobs()
    }

    private func takeJobs() {
        guard !jobs.isEmpty else { return }
        let received = ReceivedJobs(
            jobs: jobs, numbers: numbers, suspects: suspects, permitted: permitted, at: receivedAt)
        let (receivedBefore, doubtful) = (known, doubtful)
        (jobs, numbers) = ([], [])
        (known, self.doubtful, suspects, permitted) = ([], [], [], [])
        if doubtful.isEmpty {
            core.receive(received, known: receivedBefore, over: self)
        } else {
            core.receive(received, known: receivedBefore, doubtful: doubtful, over: self)
        }
    }

    /// Jobs that came again and are known need no credit; those that came again and are new, as many as the window at most,
    /// and as many that runs wait for.
    private func note(_ handOver: HandOver, isAwaited: Bool = false) throws(CommandError) {
        let window = core.configuration.window
        if isAwaited { awaitedCount += 1 }
        guard handOver.number <= granted + knownCount + window + min(awaitedCount, window) else {
            throw CommandError(
                "ERR more jobs than this node has granted credit for: \(handOver.number), with credit for \(granted)")
        }
        guard handOver.number == lastNumber + 1 else {
            throw CommandError("ERR hand-over \(handOver.number) after \(lastNumber)")
        }
        lastNumber = handOver.number
    }

    private func take(_ handOver: HandOver, _ request: JobRequest) throws(CommandError) {
        try note(handOver, isAwaited: request.isAwaited)
        numbers.append(handOver.number)
        // One moment for all of a read.
        if jobs.isEmpty { receivedAt = core.now }
        var job = Job(
            id: handOver.id, name: request.name, args: request.args, options: request.options,
            distributor: distributor, createdAt: receivedAt.wall)
        job.isAwaited = request.isAwaited
        if request.isPermitted { permitted.insert(handOver.id) }
        if let attempts = request.suspect {
            job.attempt = attempts
            suspects.insert(job.id)
        }
        jobs.append(job)
    }

    /// A job that breaks a rule is refused, whatever comes before and behind it.
    private func refuse(_ handOver: HandOver, _ reason: String) throws(CommandError) {
        try note(handOver)
        connection.write { LinkMessage.writeRefused(handOver, reason, to: &$0) }
        core.settled(over: self)
    }

    private func show(_ id: JobID) {
        core.load(id) { result in
            // Those that came over another distributor are none of this one's business.
            let job = (try? result.get()).flatMap { $0.distributor == self.distributor ? $0 : nil }
            let fields = job.map { self.core.shown($0).shownFields } ?? []
            self.connection.write { LinkMessage.writeShown(id, fields, to: &$0) }
        }
    }

    func disconnected(_ connection: Connection, reason: String?) {
        core.unlinked(self, reason: reason)
        ended(reason)
    }
}
