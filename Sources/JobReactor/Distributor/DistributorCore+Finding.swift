internal import JobReactorCore
internal import NIOCore

/// Jobs that durable nodes have and nobody here waits for: the distributor has no entry of them, but knows as a rule which
/// node has each. Where it does not, as after a restart, it asks all durable nodes that are connected.
extension DistributorCore {
    struct Found {
        let link: NodeLink
        /// The record, name and value in turn.
        let fields: [String]

        var isFinished: Bool { JobStatus(rawValue: self["status"])?.isFinished == true }

        /// Of several records of an id that was used again, the last job's counts: as a rule the only one that is not
        /// finished.
        func isLater(than other: Found) -> Bool {
            if isFinished != other.isFinished { return !isFinished }
            return Double(self["run_at"]) ?? 0 > Double(other["run_at"]) ?? 0
        }

        private subscript(name: String) -> String {
            stride(from: 0, to: fields.count - 1, by: 2).first { fields[$0] == name }.map { fields[$0 + 1] } ?? ""
        }
    }

    /// Searches under way at one time.
    static let searchLimit = 1000
    /// Seconds that a node has for its answer.
    static let searchTime: Int64 = 5

    /// Looks for a job of which there is no entry; `done` gets nil when no node has it.
    func find(_ id: JobID, _ done: @escaping (Result<Found?, JobError>) -> Void) {
        guard searches < Self.searchLimit else {
            return done(.failure(JobError(.unreachable, "too many jobs are being looked for: try again")))
        }
        searches += 1
        let finish: (Result<Found?, JobError>) -> Void = { result in
            self.searches -= 1
            done(result)
        }
        let likely = ledger.likelyOwner(of: id).flatMap { links[$0] }
        ask(likely.map { [$0] } ?? [], id) { found in
            if case .success(.some) = found { return finish(found) }
            let others = self.links.values.filter { $0.introduction.isDurable && $0 !== likely }
            self.ask(others, id) { rest in
                if case .success(.none) = rest { finish(found) } else { finish(rest) }
            }
        }
    }

    /// Asks nodes for a job. Where several have a record of it, the last counts.
    private func ask(_ links: [NodeLink], _ id: JobID, _ done: @escaping (Result<Found?, JobError>) -> Void) {
        guard !links.isEmpty else { return done(.success(nil)) }
        let question = Question(to: links, done)
        question.deadline = loop.assumeIsolated().scheduleTask(in: .seconds(Self.searchTime)) { question.end() }
        for link in links {
            link.show(id).assumeIsolated().whenComplete { result in
                // One that fails has not answered.
                guard case .success(let fields) = result else { return question.failed() }
                question.answered(by: link, fields)
            }
        }
    }

    /// What several nodes are asked, until the last has answered or the time is over.
    private final class Question {
        var deadline: Scheduled<Void>?
        private var silent: Set<String>
        private var awaited: Int
        private var best: Found?
        private var done: ((Result<Found?, JobError>) -> Void)?

        init(to links: [NodeLink], _ done: @escaping (Result<Found?, JobError>) -> Void) {
            silent = Set(links.lazy.map(\.introduction.name))
            awaited = links.count
            self.done = done
        }

        func answered(by link: NodeLink, _ fields: [String]) {
            silent.remove(link.introduction.name)
            if !fields.isEmpty {
                let found = Found(link: link, fields: fields)
                if best.map({ found.isLater(than: $0) }) ?? true { best = found }
            }
            failed()
        }

        func failed() {
            awaited -= 1
            if awaited == 0 { end() }
        }

        func end() {
            deadline?.cancel()
            let done = done
            self.done = nil
            if best != nil || silent.isEmpty {
                done?(.success(best))
            } else {
                let names = silent.sorted().joined(separator: ", ")
                done?(.failure(JobError(.unreachable, "no answer from the nodes that may have the job (\(names))")))
            }
        }
    }

    // MARK: Use

    /// What the node says of a job that it has; what is known here when it says nothing in time.
    func show(_ id: JobID, at link: NodeLink, orElse record: [String]) -> EventLoopFuture<[String]> {
        let promise = loop.makePromise(of: [String].self)
        let holder = ["on_node", link.introduction.name]
        ask([link], id) { result in
            switch result {
            case .success(let found?): promise.succeed(found.fields + holder)
            // Its end may have come before the answer.
            case .success(nil) where self.ledger.find(id) == nil: promise.succeed([])
            case .success(nil), .failure: promise.succeed(record + holder)
            }
        }
        return promise.futureResult
    }

    /// Cancels a job, wherever it is. Says whether it is known and not finished, when that is stored.
    func cancel(_ id: JobID) -> EventLoopFuture<Bool> {
        if let keeper, ask({ $0.paged.contains(id) }) { return cancelPaged(id, in: keeper) }
        let isSaving = ask { $0.isSaving(id) }
        guard let isKnown = change({ $0.cancel(id) }) else { return cancelElsewhere(id) }
        guard isSaving else { return stored(isKnown) }
        let promise = loop.makePromise(of: Bool.self)
        whenSaved(
            { promise.completeWith(self.stored(isKnown)) }, failed: { promise.fail(Self.notStored($0)) })
        return promise.futureResult
    }

    /// Of a job that waits in the storage alone, and may be on its way to a node when its record is read.
    private func cancelPaged(_ id: JobID, in keeper: JobKeeper) -> EventLoopFuture<Bool> {
        let promise = loop.makePromise(of: Bool.self)
        change { $0.beginCancelPaged(id) }
        keeper.load([id]) { records in
            let result = records.first?.result
            if case .failure(let error)? = result {
                self.change { $0.cannotCancelPaged(id) }
                return promise.fail(Self.notStored(error))
            }
            let record: Job? = if case .success(let job)? = result { job } else { nil }
            guard let isKnown = self.change({ $0.cancelPaged(id, record) }) else {
                return promise.completeWith(self.cancel(id))
            }
            promise.completeWith(self.stored(isKnown))
        }
        return promise.futureResult
    }

    /// The answer, when all that it comes from is stored.
    func stored(_ answer: Bool) -> EventLoopFuture<Bool> {
        guard let keeper else { return loop.makeSucceededFuture(answer) }
        let promise = loop.makePromise(of: Bool.self)
        keeper.whenApplied({ promise.succeed(answer) }, failed: { promise.fail(Self.notStored($0)) })
        return promise.futureResult
    }

    private static func notStored(_ error: StorageError) -> JobError {
        switch error.code {
        case .closed, .lost:
            JobError(.stopped, "the distributor ended before the change was stored: try again when it is back")
        default: JobError(.unreachable, "the storage fails: \(error)")
        }
    }

    private func ledgerCancelsLater(_ id: JobID) throws(JobError) -> Bool {
        try change { ledger in Result { () throws(JobError) in try ledger.cancelLater(id) } }.get()
    }

    /// Cancels a job of which there is no entry.
    func cancelElsewhere(_ id: JobID) -> EventLoopFuture<Bool> {
        let promise = loop.makePromise(of: Bool.self)
        find(id) { result in
            switch result {
            case .failure(let error): promise.fail(error)
            case .success(let found?):
                if !found.isFinished {
                    found.link.sendCancel(id)
                    if let node = found.link.handle { self.change { $0.cancelled(id, at: node) } }
                }
                promise.succeed(!found.isFinished)
            case .success(nil):
                // It may be at a node that is away, which is told when it comes back.
                do throws(JobError) { promise.succeed(try self.ledgerCancelsLater(id)) } catch { promise.fail(error) }
            }
        }
        return promise.futureResult
    }

    /// The record of a job of which there is no entry; empty when no node has it.
    func showElsewhere(_ id: JobID) -> EventLoopFuture<[String]> {
        let promise = loop.makePromise(of: [String].self)
        find(id) { result in
            promise.completeWith(
                result.map { $0.map { $0.fields + ["on_node", $0.link.introduction.name] } ?? [] }
                    .mapError { $0 as any Error })
        }
        return promise.futureResult
    }
}
