public import JobReactorCore
internal import JobReactorWire

/// What a monitor changes: one job by its id, or all that a filter means.
extension JobMonitor {
    /// A change of a job.
    public enum Change: Hashable, Sendable, CaseIterable {
        /// Cancels an unfinished job; it never runs again. Its distributor gets the outcome, as when the job cancels
        /// itself.
        case cancel
        /// Runs the job now: a failed or cancelled job from its first attempt, a waiting job at once.
        case retry
        /// Removes the job and its record; an unfinished job is cancelled.
        case destroy
    }

    /// Cancels an unfinished job. Its distributor gets the outcome, as when the job cancels itself. Returns false if
    /// there is no such job.
    @discardableResult
    public func cancel(_ id: JobID) async throws -> Bool { try await change(id, .cancel) }

    /// Runs a job now: a failed or cancelled job from its first attempt, a waiting job at once. Returns false if the
    /// job runs or does not exist.
    @discardableResult
    public func retry(_ id: JobID) async throws -> Bool { try await change(id, .retry) }

    /// Removes a job and its record; an unfinished job is cancelled. Returns false if there is no such job.
    @discardableResult
    public func destroy(_ id: JobID) async throws -> Bool { try await change(id, .destroy) }

    /// Destroys all jobs of a node and returns their number. `isDry` only counts them.
    @discardableResult
    public func destroyAllJobs(for node: String, isDry: Bool = false) async throws -> Int {
        let owners = try await ownersInOrder()
        // A distributor of that name has jobs of its own.
        guard let owner = owners.first(where: { $0.role == .node && $0.name == node }) else { return 0 }
        return try await change(.destroy, Filter(node: node), of: owner, among: owners, isDry: isDry)
    }

    /// Changes all matching jobs to which the change applies: unfinished jobs can be cancelled; without a
    /// ``Filter/status``, failed jobs are run again; a distributor runs only jobs again that have failed there. Asks
    /// each running node or distributor once. `isDry` only counts the jobs.
    ///
    /// Returns the number of jobs. If it throws, some of them may have been changed.
    @discardableResult
    public func change(_ change: Change, all filter: Filter, isDry: Bool = false) async throws -> Int {
        var count = 0
        let owners = try await ownersInOrder()
        for owner in owners where filter.means(owner) {
            count += try await self.change(change, filter, of: owner, among: owners, isDry: isDry)
        }
        return count
    }

    // MARK: One

    private func change(_ id: JobID, _ change: Change) async throws -> Bool {
        guard let found = try await load(id) else { return false }
        guard found.owner.isOpen else {
            return try await changeInStorage(of: found.owner) { storage throws(StorageError) in
                guard let job = try await storage.load(id), let step = change.step(for: job, now: .now) else {
                    return 0
                }
                try await storage.apply([step])
                return 1
            } == 1
        }
        return try await self.change([found.job], of: found.owner, change) == 1
    }

    /// Asks the owner for each job by itself, over one connection.
    private func change(_ jobs: [Job], of owner: StoredOwner, _ change: Change) async throws -> Int {
        try await connected(to: owner) { client in
            var count = 0
            for job in jobs {
                guard let command = change.command(for: owner.role, isFinished: job.status.isFinished) else {
                    throw StorageError(
                        "the job waits at the distributor \(owner.name), and runs as soon as a node takes it",
                        code: .held)
                }
                count += try await ask(owner, [command, job.id.description], client).integer ?? 0
            }
            return count
        }
    }

    private func connected<Value>(
        to owner: StoredOwner, _ body: (RESPClient) async throws -> Value
    ) async throws -> Value {
        guard let text = owner.address, let address = Address(text) else {
            throw StorageError(
                "\(owner.name) runs, but does not listen, so it cannot be asked: stop it first, or start it with an"
                    + " address for its server", code: .held)
        }
        let client = try await RESPClient.connect(to: address, security: security)
        do {
            let value = try await body(client)
            await client.close()
            return value
        } catch {
            await client.close()
            throw error
        }
    }

    private func ask(_ owner: StoredOwner, _ words: [String], _ client: RESPClient) async throws -> RESPValue {
        let reply = try await client.send(words)
        if case .error(let text) = reply { throw StorageError("\(owner.name) says \(text)") }
        return reply
    }

    // MARK: Many

    private func change(
        _ change: Change, _ filter: Filter, of owner: StoredOwner, among owners: [StoredOwner], isDry: Bool
    ) async throws -> Int {
        guard owner.isOpen else {
            let nodes = Set(owners.lazy.filter { $0.role == .node }.map(\.name))
            let means: @Sendable (Job) -> Bool = { job in
                change.order.means(job, filter.records) && !isNoted(job, by: owner, nodes)
            }
            if isDry { return try await count(of: owner, means) }
            return try await changeInStorage(of: owner) { storage throws(StorageError) in
                try await change.carryOut(in: storage, means)
            }
        }
        let words = filter.records.isEmpty ? ["ALL"] : filter.records.words
        let reply = try await connected(to: owner) { client in
            try await client.send([change.order.verb] + words + (isDry ? ["DRY"] : []))
        }
        switch reply {
        case .integer(let count) where count >= 0: return count
        case .error(let text) where text.contains("wrong number of arguments"):
            // An earlier release, which knows no more than one at a time.
            let jobs = try await jobs(Filter(node: owner.name, name: filter.name, status: filter.status))
                .filter { $0.owner.role == owner.role }.map(\.job)
            let meant = jobs.filter { change.order.means($0, filter.records) }
            return isDry ? meant.count : try await self.change(meant, of: owner, change)
        case .error(let text): throw StorageError("\(owner.name) says \(text)")
        default: throw StorageError("\(owner.name) answers \(change.order.verb) with something other than a number")
        }
    }

    private func count(of owner: StoredOwner, _ means: (Job) -> Bool) async throws(StorageError) -> Int {
        var count = 0
        var last: JobID?
        while true {
            let page = try await place.jobs(of: owner, after: last, limit: 1000)
            count += page.count(where: means)
            guard let next = page.last?.id else { return count }
            last = next
        }
    }

    // MARK: In the storage

    /// For an owner that does not run.
    private func changeInStorage(
        of owner: StoredOwner, _ body: (any JobStorage) async throws(StorageError) -> Int
    ) async throws(StorageError) -> Int {
        guard let storage = place.makeStorage() else { throw StorageError("\(owner.name) does not run") }
        try await storage.open(StorageOwner(role: owner.role, name: owner.name))
        do throws(StorageError) {
            let count = try await body(storage)
            await storage.close()
            return count
        } catch {
            await storage.close()
            throw error
        }
    }
}

extension JobMonitor.Change {
    var order: JobOrder {
        switch self {
        case .cancel: .cancel
        case .retry: .retry
        case .destroy: .destroy
        }
    }

    /// What the owner's port calls it; nil for what it cannot do. What is cancelled at a distributor leaves no record; what is
    /// finished there has failed there.
    fileprivate func command(for role: StorageOwner.Role, isFinished: Bool) -> String? {
        switch (self, role, isFinished) {
        case (.cancel, _, _), (.destroy, .distributor, false): "CANCEL"
        case (.retry, .node, _), (.retry, .distributor, true): "RETRY"
        case (.destroy, .node, _), (.destroy, .distributor, true): "DESTROY"
        case (.retry, .distributor, false): nil
        }
    }

    /// Changes the jobs that are meant, of a storage that is open. Returns how many there were.
    fileprivate func carryOut(
        in storage: any JobStorage, _ means: (Job) -> Bool
    ) async throws(StorageError) -> Int {
        var count = 0
        var last: JobID?
        while true {
            let page = try await storage.jobs(after: last, limit: 1000)
            let steps = page.filter(means).compactMap { step(for: $0, now: .now) }
            if !steps.isEmpty { try await storage.apply(steps) }
            count += steps.count
            guard let next = page.last?.id else { return count }
            last = next
        }
    }

    fileprivate func step(for job: Job, now: Timestamp) -> JobChange? {
        switch self {
        case .retry: return JobLifecycle.retry(job, now: now).map { .update($0) }
        case .cancel where job.status.isFinished: return nil
        case .destroy where job.status.isFinished: return .remove(job.id)
        case .cancel, .destroy:
            let ended = JobLifecycle.cancel(job, policy: JobPolicy())
            let report = ended.feedback.map { feedback in
                StoredReport(
                    JobReport(
                        id: job.id, name: job.name, feedback: feedback, status: ended.job.status, run: ended.job.runs),
                    distributor: job.distributor, madeAt: now)
            }
            return .remove(job.id, report)
        }
    }
}
