internal import JobReactor
internal import JobReactorCore
internal import JobReactorWire
internal import NIOCore

/// What concerns many jobs of the node at once: pages of those that are looked for, and orders for all that are meant.
extension NodeCore {
    private func scan<Value: Sendable>(_ body: () -> EventLoopFuture<Value>) -> EventLoopFuture<Value> {
        do throws(JobError) { try scans.begin() } catch { return loop.makeFailedFuture(error) }
        let future = body()
        future.assumeIsolated().whenComplete { _ in self.scans.end() }
        return future
    }

    // MARK: Looking

    /// The records that are asked for, as many as one page has room for.
    func records(_ query: RecordQuery) -> EventLoopFuture<[Job]> {
        guard !query.filter.isEmpty else {
            return loop.answer {
                switch query.order {
                case .oldestFirst: storage.jobs(after: query.start, limit: query.count, done: $0)
                case .newestFirst: storage.jobs(before: query.start, limit: query.count, done: $0)
                }
            }
        }
        return scan {
            let found = NIOLoopBoundBox(RecordPage<Job>(limit: query.count), eventLoop: loop)
            return RecordScan.run(storage, query.order, from: query.start, on: loop) { page in
                for job in page where query.filter.matches(job) {
                    guard found.value.add(job) else { return self.loop.makeSucceededFuture(false) }
                }
                return self.loop.makeSucceededFuture(found.value.records.count < query.count)
            }.map { found.value.records }
        }
    }

    /// The records for one who asks, each with what the job waits for.
    func write(_ jobs: [Job], to buffer: inout ByteBuffer) {
        var budget = Self.hintBudget
        for job in jobs {
            var words = RESPWords()
            JobRecord.write(job, to: &words)
            if let reason = reasonToWait(job, &budget) { words.add("waits_for", reason) }
            words.write(to: &buffer)
        }
    }

    /// How much may be spent on names that are alike in one answer: producers say what jobs are called.
    static let hintBudget = 1_000_000

    /// What a job waits for here, in words, beside its time; ``Job/doing`` says it of one that waits for its lane.
    func reasonToWait(_ job: Job, _ budget: inout Int) -> String? {
        guard runs.isParked(job.id, named: job.name) else { return nil }
        let nearest = NearestName.find(job.name, among: runs.jobNames, budget: &budget)
        return WaitReason.undefined(nearest: nearest).description
    }

    // MARK: Orders

    /// Cancels, runs or destroys all jobs that are meant; where it is dry they are only counted. A page at a time: the next when
    /// what was ordered about this one is stored. Nothing is changed before what `begin` returns is done.
    func carryOut(
        _ order: JobOrder, _ filter: JobFilter, isDry: Bool, begin: @escaping () -> EventLoopFuture<Void>
    ) -> EventLoopFuture<CarriedOut> {
        let count = NIOLoopBoundBox(0, eventLoop: loop)
        let done = scan {
            RecordScan.runThroughAll(of: storage, on: loop) { page in
                let ids = page.filter { order.means($0, filter) }.map(\.id)
                guard !isDry else {
                    count.value += ids.count
                    return self.loop.makeSucceededFuture(true)
                }
                guard !ids.isEmpty else { return self.loop.makeSucceededFuture(true) }
                return begin().assumeIsolated().flatMap {
                    guard !self.life.isStopping else { return self.loop.makeFailedFuture(Self.stopped) }
                    return ids.map { self.carryOut(order, $0) }.counted(in: count, on: self.loop).map { true }
                }.nonisolated()
            }
        }
        return done.map { CarriedOut(count: count.value) }.recover { CarriedOut(count: count.value, failure: $0) }
    }

    private func carryOut(_ order: JobOrder, _ id: JobID) -> EventLoopFuture<Bool> {
        switch order {
        case .cancel: cancel(id)
        case .retry: loop.answer { retry(id, $0) }
        case .destroy: loop.answer { destroy(id, $0) }
        }
    }
}
