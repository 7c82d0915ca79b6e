internal import JobReactor
internal import JobReactorCore
internal import JobReactorLua
internal import NIOCore

/// Jobs that come again after a lost connection, and that this node may have had and ended.
///
/// A new job may take the id of a finished one. One that comes again may not: it is that job, and what it came to is told once
/// more, as nobody else would.
extension NodeCore {
    /// Looks into the records of those that are in doubt, then goes on as with any jobs.
    func receive(_ received: ReceivedJobs, known: Set<JobID>, doubtful: Set<JobID>, over link: DistributorLink) {
        guard life.takesJobs else { return giveBack(received, known: known, over: link) }
        // A cancellation that comes meanwhile waits for them, as for others that are being saved.
        runs.looksForRecords()
        let bound = NIOLoopBound((self, link), eventLoop: loop)
        let (loop, storage) = (loop, storage)
        let records = doubtful.map { id in loop.answer { storage.load(id, done: $0) } }
        EventLoopFuture.whenAllSucceed(records, on: loop).flatMap { records in
            let found = records.compactMap { $0 }
            return bound.value.0.storeReports(of: found.filter(\.status.isFinished)).map { Set(found.map(\.id)) }
        }.whenComplete { result in
            let (core, link) = bound.value
            switch result {
            case .success(let found):
                core.receive(received, known: known.union(found), over: link)
                core.flushDestinations()
            case .failure(let error):
                core.storageRefused(error as? StorageError ?? StorageError("\(error)"))
                core.giveBack(received, known: known, over: link)
            }
            core.runs.lookedForRecords()
            core.noteProgress()
        }
    }

    /// The reports of the ends of these jobs wait again for their distributors.
    private func storeReports(of ended: [Job]) -> EventLoopFuture<Void> {
        guard !ended.isEmpty else { return loop.makeSucceededVoidFuture() }
        let now = now.wall
        let reports = ended.map { job in
            StoredReport(runs.report(of: job, job.lastFeedback), distributor: job.distributor, madeAt: now)
        }
        let isDurable = storage.isDurable
        let changes = zip(ended, reports).map { JobChange.update($0, isDurable ? $1 : nil) }
        let bound = NIOLoopBound(self, eventLoop: loop)
        return loop.answer { storage.apply(changes, done: $0) }.map {
            for stored in reports { bound.value.keep(stored) }
        }
    }
}

extension Job {
    /// What the application was told of the end of a finished job, as far as its record says.
    fileprivate var lastFeedback: Feedback {
        guard status == .failed else { return Feedback(.success, args: args) }
        let error = JSONValue.string((lastError ?? "failed").cut(toBytes: JobLimits.argsTextBytes)).json
        return Feedback(.error, args: args.setting([("error", Array(error.utf8))]))
    }
}
