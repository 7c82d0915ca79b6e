internal import JobReactorCore

extension DistributorLedger {
    /// What is to be done.
    enum Action {
        /// Over the node's link, by the hand-over with this number. `isAgain` means that the node may already have the
        /// job.
        case send(LedgerEntry, to: Node, number: Int, isAgain: Bool)
        case cancel(JobID, at: Node)
        /// Stop reading from the node for a moment.
        case rest(Node)
        /// The node takes over the jobs of another node; nil: of any node that has left jobs.
        case adopt(String?, by: Node)
        /// The requested run at the node may begin.
        case permit(JobID, at: Node)
        /// The requested run must not begin, because that limit is full: the job ends as cancelled.
        case discard(JobID, limit: String, at: Node)
        /// Call ``DistributorLedger/lookAtLimits()`` after this many seconds.
        case lookAtLimits(after: Double)
        /// Store the result of ``DistributorLedger/takeStarts()``, in a second.
        case keepStarts
        /// Call ``DistributorLedger/sendWaiting(to:)`` in the next turn of the loop.
        case sendWaiting(Node)
        /// Replace the args of the node's job by those of ``DistributorLedger/replacement(of:)``.
        case replace(JobID, at: Node)
        /// Call ``DistributorLedger/expireKeys()`` after this many seconds.
        case expireKeys(after: Double)
        case store(JobChange)
        /// The records of these jobs are read, after so many seconds: ``loaded(_:_:)`` with the number of the batch.
        case load(Int, [JobID], after: Double)
        case deliver(JobReport, name: String, to: Sink)
        /// The job of the tick has ended as far as its schedule is concerned: it is cancelled, and its node is away.
        case endTick(JobID, JobTick)
        case wake(Takeovers.Timer, after: Double)
        case log(Event)
    }

    /// What an operator is told.
    enum Event: Hashable, Sendable {
        case disconnected(node: String, reason: String, givenBack: Int)
        case refused(JobID, name: String, reason: String)
        case takenOver(node: String, by: String)
        case notBack(node: String, jobs: Int)
        /// An attempt of the job counts because its node ended during it; the record says which attempt.
        case endedWithNode(Job, isLast: Bool)
        /// A durable node is gone, and has so many jobs of which some have keys, or are those of schedules.
        case keeps(node: String, jobs: Int)
        /// A job is cancelled whose node is away: its key and its schedule do not wait for the node.
        case released(JobID, name: String, node: String)
        /// The job ends as cancelled, because a limit is full.
        case discarded(JobID, name: String, limit: String)
        /// A node has reported a job that it did not get.
        case foreignReport(JobID, name: String, node: String)
        /// Jobs that waited only in the storage are gone.
        case recordsGone(Int)
        /// This many of those cannot be read; reading is retried.
        case unreadable(Int, StorageError)
        /// Only the latest of the jobs that failed here are kept.
        case failuresGo(kept: Int)
    }

    enum Acceptance {
        /// The job is new. Without a storage it is accepted; otherwise it is accepted when it is stored: then call
        /// ``saved(_:)``.
        case new(toBeStored: Job?)
        /// As ``new(toBeStored:)`` without a storage, and it goes to a node at once, as most jobs do.
        case sent(LedgerEntry, to: Node, number: Int)
        /// An unfinished job with the same id: both are one job.
        case known
        /// Another job holds its key: that job stays, with the new args if they replace its own. `isRefused` means an
        /// error.
        case held(by: JobID, isRefused: Bool)
        /// A job with that id is being cancelled: the new job is not accepted, because it would end as well.
        case isBeingCancelled
    }
}

/// What a distributor has done since its start.
struct DistributorCounters: Hashable, Sendable {
    var enqueued = 0
    var sent = 0
    var succeeded = 0
    var failed = 0
    var givenBack = 0
    var repeatedReports = 0
    /// Of jobs that the node that reported was not given.
    var refusedReports = 0
}

extension Job {
    /// As the storage of a distributor has it.
    func record(for sink: Sink, at node: String?, isInDoubt: Bool = false, isCancelled: Bool = false) -> Job {
        var record = self
        let producer = if case .producer(let producer) = sink { producer.id } else { "" }
        record.distributor =
            KeptFor(producer: producer, node: node, isInDoubt: isInDoubt, isCancelled: isCancelled).text
        return record
    }
}
