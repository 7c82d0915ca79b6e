internal import JobReactorCore
internal import JobReactorWire
internal import Logging
internal import NIOCore

/// How jobs come in: from this process, from producers and commands, and from the storage of an earlier process.
extension DistributorCore {
    func submit(_ batch: [Submission]) {
        let now = now
        for submission in batch {
            let feedback = submission.feedback
            submit(submission.job, feedback.isTold ? .application(feedback) : .none, now: now)
        }
    }

    /// Returns false when the job is there already: the same id twice is one job. `accepted` is called when the job, new
    /// or not, is as safe as it will be.
    @discardableResult
    func submit(_ job: Job, _ sink: Sink, now: Moment? = nil, accepted: @escaping () -> Void = {}) -> Bool {
        if let known = entries[job.id] {
            // A producer that comes back to another process of ours.
            if case .producer = sink, known.sink.isNobody { known.sink = sink }
            whenSaved(accepted)
            return false
        }
        counters.enqueued += 1
        recentReports.forget(job.id)
        let due = job.due(countedFrom: now ?? self.now)
        let entry = Entry(job, sink, keeper == nil ? .waiting : .saving, due: due)
        entries[job.id] = entry
        if let keeper {
            keeper.save(Self.record(job, of: sink, at: nil)) {
                self.saved(job.id)
                accepted()
            }
            return true
        }
        if let node = dispatcher.enqueue(job) { place(entry, job, at: node, now: now) }
        accepted()
        return true
    }

    /// As the keeper has it.
    static func record(_ job: Job, of sink: Sink, at node: String?) -> Job {
        var record = job
        let producer = if case .producer(let producer) = sink { producer.id } else { "" }
        record.distributor = KeptFor(producer: producer, node: node).text
        return record
    }

    func saved(_ id: JobID) {
        guard let entry = entries[id], let job = entry.job else { return }
        entry.isStored = true
        entry.place = .waiting
        if case .acknowledgement = entry.sink { entry.sink = .none }
        if cancelling.remove(id) != nil { return finishCancelled(entry, job) }
        if let node = dispatcher.enqueue(job) { place(entry, job, at: node) }
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

    /// Takes up what an earlier process has accepted.
    func openStorage() -> EventLoopFuture<Void> {
        guard let keeper else { return loop.makeSucceededVoidFuture() }
        let address = configuration.address
        name = configuration.name ?? Address(host: Transport.hostName, port: address.port).description
        keeper.triesAgain = { [unowned self] job, error in self.couldNotSave(job, error) }
        keeper.onLost = { [unowned self] error in
            self.logger.critical(
                "another distributor of this name has taken over the storage: this one ends",
                metadata: ["reason": "\(error)"])
            self.isStopping = true
            self.onStorageLost(error)
        }
        keeper.onEmptied = { [unowned self] in self.recordsOfAll() }
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

    /// What a keeper that has nothing any more is to have: the jobs that no node owns, and whose the others are. Of those, the
    /// nodes have all else.
    private func recordsOfAll() -> [Job] {
        var records: [Job] = []
        let now = now
        for (id, entry) in entries.elements where entry.isStored {
            switch entry.place {
            case .saving: break
            case .waiting, .node, .inDoubt:
                if let job = entry.record(at: now) { records.append(Self.record(job, of: entry.sink, at: nil)) }
            case .owned(let node):
                let job = Job(id: id, name: entry.name, args: JobArguments(), createdAt: now.wall)
                records.append(Self.record(job, of: entry.sink, at: node))
            }
        }
        return records
    }

    private func takeUp(_ stored: Job) {
        guard entries[stored.id] == nil else { return }
        let kept = KeptFor(stored)
        var job = stored
        job.distributor = ""
        let producer = kept.producer.isEmpty ? nil : self.producer(kept.producer)
        producer?.expectReturn()
        let entry = Entry(job, producer.map { .producer($0) } ?? .none, due: .date(job.dueAt))
        entry.isStored = true
        if let node = kept.node {
            entry.place = .owned(by: node)
            entry.job = nil
        } else {
            entry.place = .waiting
            do throws(JobError) { try JobLimits.check(stored: job) } catch {
                // No node takes it.
                entries[job.id] = entry
                return reported(.refusal(of: job.id, name: job.name, reason: error.message))
            }
            // There is no node yet that it could go to.
            _ = dispatcher.enqueue(job)
        }
        entries[job.id] = entry
    }

    /// Calls `body` when every job that was submitted before is stored; never when the storage is lost or closed before.
    func whenSaved(_ body: @escaping () -> Void) {
        if let keeper { keeper.whenSaved(body) } else { body() }
    }

    /// Done when every job that was submitted before is stored; at once without a storage. Fails when the storage is lost
    /// or closed before.
    func flush() -> EventLoopFuture<Void> {
        guard let keeper else { return loop.makeSucceededVoidFuture() }
        let promise = loop.makePromise(of: Void.self)
        keeper.whenSaved({ promise.succeed() }, failed: { promise.fail($0) })
        return promise.futureResult
    }
}
