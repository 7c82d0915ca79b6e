internal import JobReactorCore

extension DistributorLedger {
    /// What is to be done.
    enum Action {
        /// Over the node's link, by the hand-over of this number. `isAgain` says that the node may have the job already.
        case send(LedgerEntry, to: Node, number: Int, isAgain: Bool)
        case cancel(JobID, at: Node)
        /// Nothing is read from the node for a moment.
        case rest(Node)
        /// The node is to take over from another; nil: from any that has left jobs.
        case adopt(String?, by: Node)
        /// The run at the node that has asked may begin.
        case permit(JobID, at: Node)
        /// It is not to be, as that limit is full: the job ends as cancelled.
        case discard(JobID, limit: String, at: Node)
        /// ``DistributorLedger/lookAtLimits()`` after so many seconds.
        case lookAtLimits(after: Double)
        /// What ``DistributorLedger/takeStarts()`` tells is to be kept, in a second.
        case keepStarts
        /// ``DistributorLedger/sendWaiting(to:)`` in the next turn of the loop.
        case sendWaiting(Node)
        /// The node's job is to have other args: those of ``DistributorLedger/replacement(of:)``.
        case replace(JobID, at: Node)
        /// ``DistributorLedger/expireKeys()`` after so many seconds.
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
        /// An attempt of the job counts, as its node ended during it: the record says which.
        case endedWithNode(Job, isLast: Bool)
        /// A durable node is gone, and has so many jobs of which some have keys, or are those of schedules.
        case keeps(node: String, jobs: Int)
        /// A job is cancelled whose node is away: its key and its schedule do not wait for the node.
        case released(JobID, name: String, node: String)
        /// The job ends as cancelled, as a limit of it is full.
        case discarded(JobID, name: String, limit: String)
        /// A node has reported a job that it was not given.
        case foreignReport(JobID, name: String, node: String)
        /// Jobs that waited in the storage alone are not there any more.
        case recordsGone(Int)
        /// So many of those cannot be read, and are tried again.
        case unreadable(Int, StorageError)
        /// Of those that have failed here only the last are kept.
        case failuresGo(kept: Int)
    }

    enum Acceptance {
        /// It is new here. Without a storage it is accepted; else it is when it is stored: call ``saved(_:)`` then.
        case new(toBeStored: Job?)
        /// As ``new(toBeStored:)`` without a storage; it goes to a node at once, as most do.
        case sent(LedgerEntry, to: Node, number: Int)
        /// The same id twice is one job.
        case known
        /// Another has its key: that one stands, and has its args where it is to be so. `isRefused`: that is an error.
        case held(by: JobID, isRefused: Bool)
        /// A job of that id is being cancelled: the new one is not accepted, as it would end with it.
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
