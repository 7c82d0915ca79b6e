internal import JobReactorCore
internal import JobReactorWire
internal import Logging
internal import NIOCore

/// How jobs come in: from this process, from producers and commands, and from the storage of an earlier process.
extension DistributorCore {
    func submit(_ batch: [Submission]) {
        inBatch {
            // By their places: a submission is large to copy.
            for index in batch.indices {
                submit(batch[index].job, batch[index].feedback.isTold ? .application(batch[index].feedback) : .none)
            }
        }
    }

    /// Returns false when the job is there already: the same id twice is one job. `accepted` is called when the job, new
    /// or not, is as safe as it will be. `held` is called instead where another job has its key: with that one's id, and whether
    /// that is an error.
    @discardableResult
    func submit(
        _ job: Job, _ sink: Sink, by account: MemoryShares.Account = MemoryShares.own, isAgain: Bool = false,
        held: ((JobID, Bool) -> Void)? = nil, accepted: @escaping () -> Void = {}
    ) -> Bool {
        if !isAgain, keeper?.isToBeChanged(job.id) == true, let reason = reasonToWait(for: job.id) {
            refuse(job, sink, reason)
            return true
        }
        let follows = ask { $0.isIDHeld(job.id) }
        switch change({ $0.submit(job, sink, by: account, isAgain: isAgain) }) {
        case .known:
            whenSaved {
                guard let held, let elsewhere = self.heldElsewhere[job.id] else { return accepted() }
                held(elsewhere, job.unique?.onConflict != .keep)
            }
            return false
        case .held(let holder, let isRefused):
            // What was changed of that one is stored first.
            whenSaved {
                // It may not have been accepted after all.
                if let elsewhere = self.heldElsewhere[holder] {
                    return self.answer(job, sink, heldBy: elsewhere, held, accepted)
                }
                self.whenApplied {
                    if let held { return held(holder, isRefused) }
                    accepted()
                    self.tell(sink, job, thatHoldsKey: holder)
                }
            }
        case .isBeingCancelled:
            refuse(job, sink, Self.beingCancelled(job.id))
            return true
        case .new(nil):
            accepted()
            tellIfParked(job, sink)
        case .sent(let entry, let node, let number):
            links[node]?.send(job, due: entry.due, number: number, isAgain: false, suspect: nil, now: now)
            accepted()
        case .new(let record?):
            if !heldElsewhere.isEmpty { heldElsewhere[job.id] = nil }
            if follows {
                // The record of the job that had the id before goes first, however often that has to be tried.
                whenApplied { self.save(record, job, sink, held: held, accepted) }
            } else {
                save(record, job, sink, held: held, accepted)
            }
            tellIfParked(job, sink)
        }
        return true
    }

    /// Why a new job may not have that id yet: an earlier one ends, and it would end with that. Nil when it may.
    func reasonToWait(for id: JobID) -> String? {
        if ask({ $0.isBeingCancelled(id) }) { return Self.beingCancelled(id) }
        guard keeper?.isToBeChanged(id) == true, !ask({ $0.isKnown(id) }) else { return nil }
        return "the end of an earlier job with the id \(id) cannot be stored now: enqueue this job later"
    }

    /// Who waits for the new job is told.
    private func refuse(_ job: Job, _ sink: Sink, _ reason: String) {
        switch sink {
        case .command(let session, let ticket, let deadline):
            deadline?.cancel()
            session.pay(ticket) { $0.writeRESPError("ERR \(reason)") }
        case .acknowledgement(let session, let ticket): session.pay(ticket) { $0.writeRESPError("ERR \(reason)") }
        case .application, .producer:
            deliver(.refusal(of: job.id, name: job.name, reason: reason), name: job.name, to: sink)
        case .none: logger.warning("a job is not enqueued: \(reason)", metadata: ["job": "\(job.name)"])
        }
    }

    /// Stores a new job; one with a key not where a job of another distributor that shares the place has that. That one stands; its
    /// args are not replaced from here, and who asks for that is refused.
    private func save(
        _ record: Job, _ job: Job, _ sink: Sink, held: ((JobID, Bool) -> Void)?, _ accepted: @escaping () -> Void
    ) {
        guard controls.isShared, record.unique != nil else {
            keeper?.save(record) {
                self.change { $0.saved(job.id) }
                accepted()
            }
            return
        }
        controls.saveUnique(record) { holder in
            guard let holder else {
                self.change { $0.saved(job.id) }
                return accepted()
            }
            self.change { $0.isHeldElsewhere(job.id) }
            // For those who wait behind it, as it had the key here.
            if self.heldElsewhere.count >= 10_000 { self.heldElsewhere = [:] }
            self.heldElsewhere[job.id] = holder
            self.answer(job, sink, heldBy: holder, held, accepted)
        }
    }

    /// A job of another distributor has the key.
    private func answer(
        _ job: Job, _ sink: Sink, heldBy holder: JobID, _ held: ((JobID, Bool) -> Void)?, _ accepted: () -> Void
    ) {
        if let held { return held(holder, job.unique?.onConflict != .keep) }
        accepted()
        tell(sink, job, thatHoldsKey: holder)
    }

    /// Who waits for the job is told that another stands in its place.
    private func tell(_ sink: Sink, _ job: Job, thatHoldsKey holder: JobID) {
        switch sink {
        case .command(let session, let ticket, let deadline):
            deadline?.cancel()
            session.pay(ticket) { $0.writeRESPError("UNIQUE \(holder)") }
        case .application(let feedback):
            let report = JobReport.held(job, by: holder)
            feedback.deliver(report.feedback, id: job.id, name: job.name, status: report.status)
        case .producer(let producer): producer.report(.held(job, by: holder))
        case .acknowledgement(let session, let ticket): session.pay(ticket) { $0.writeRESPBulk(holder) }
        case .none: break
        }
    }

    static func beingCancelled(_ id: JobID) -> String {
        "a job with the id \(id) is being cancelled: enqueue this job later, or with another id"
    }

    /// A job that is not stored is not accepted: who waits for the answer is told, for the others it is tried again.
    private func couldNotSave(_ job: Job, _ error: StorageError) -> Bool {
        guard let sink = change({ $0.couldNotSave(job.id) }) else { return true }
        let message = "ERR the job is not enqueued, because it cannot be stored: \(error)"
        switch sink {
        case .command(let session, let ticket, let deadline):
            deadline?.cancel()
            session.pay(ticket) { $0.writeRESPError(message) }
        case .acknowledgement(let session, let ticket): session.pay(ticket) { $0.writeRESPError(message) }
        case .application, .producer, .none: break
        }
        noteProgress()
        return false
    }

    func makeJob(_ request: JobRequest) -> Job {
        let now = clock.now
        var job = Job(
            id: request.options.id ?? ids.next(at: now), name: request.name, args: request.args,
            options: request.options, createdAt: now)
        job.isAwaited = request.isAwaited
        return job
    }

    /// Takes up what an earlier process has accepted.
    func openStorage() -> EventLoopFuture<Void> {
        guard let keeper else {
            hasOpened = true
            return loop.makeSucceededVoidFuture()
        }
        let address = configuration.address
        name = configuration.name ?? Address(host: Transport.hostName, port: address.port).description
        keeper.triesAgain = { [unowned self] job, error in self.couldNotSave(job, error) }
        keeper.onLost = { [unowned self] error in
            self.logger.critical(
                "another distributor of this name has taken over the storage: this process ends",
                metadata: ["reason": "\(error)"])
            self.isStopping = true
            self.onStorageLost(error)
        }
        change { $0.keys.isShared = controls.isShared }
        keeper.onEmptied = { [unowned self] in
            self.controls.emptied()
            return self.change { $0.emptied() }
        }
        var count = 0
        let bound = NIOLoopBound(self, eventLoop: loop)
        return keeper.open(name, address: address.description) { jobs in
            count += jobs.count
            for job in jobs { self.takeUp(job) }
        } reports: { reports in
            for stored in reports { self.takeUp(stored) }
        }.flatMap { bound.value.controls.open() }.map {
            let core = bound.value
            core.takeUpPauses()
            core.takeUpStarts()
            core.hasOpened = true
            core.change { $0.tookUp() }
            guard core.ledger.count > 0 else { return }
            core.logger.info("jobs of an earlier process recovered", metadata: ["jobs": "\(core.ledger.count)"])
        }.flatMap { bound.value.beginLeading() }.map {
            if !bound.value.controls.isShared { bound.value.takeUpSchedules() }
        }
    }

    private func takeUp(_ stored: StoredReport) {
        let oldest = clock.now.advanced(bySeconds: -configuration.reportTTL)
        guard stored.madeAt >= oldest else { return forgetReports([stored.report.key]) }
        producer(stored.distributor).keep(stored.report)
    }

    private func takeUp(_ stored: Job) {
        let kept = KeptFor(stored)
        let producer = stored.status.isFinished || kept.producer.isEmpty ? nil : self.producer(kept.producer)
        producer?.expectReturn()
        change { $0.takeUp(stored, kept, for: producer.map { .producer($0) } ?? .none) }
    }

    /// Calls `body` when every job that was submitted before is stored; `failed` instead when the storage is lost or closed before.
    func whenSaved(_ body: @escaping () -> Void, failed: @escaping (StorageError) -> Void = { _ in }) {
        guard let keeper else { return body() }
        keeper.whenSaved({ self.controls.whenSaved(body, failed: failed) }, failed: failed)
    }

    /// Done when every job that was submitted before is stored; at once without a storage. Fails when the storage is lost
    /// or closed before.
    func flush() -> EventLoopFuture<Void> {
        let promise = loop.makePromise(of: Void.self)
        whenSaved({ promise.succeed() }, failed: { promise.fail($0) })
        return promise.futureResult
    }
}

extension JobReport {
    /// Of a job that is not enqueued, as another has its key.
    fileprivate static func held(_ job: Job, by holder: JobID) -> JobReport {
        let key = (job.unique?.key ?? "").cut(toBytes: 300)
        let text = "not enqueued: the job \(holder) holds the key '\(key)'"
        let args = JobArguments([("error", .string(text)), ("unique", .string(holder.description))])
        return JobReport(id: job.id, name: job.name, feedback: Feedback(.error, args: args), status: .failed, run: 1)
    }
}
