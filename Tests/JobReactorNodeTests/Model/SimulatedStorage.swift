import JobReactorCore

/// A durable storage whose answers come when the model says so, in the order of the calls. What it keeps is a
/// ``MemoryStorage`` that outlives the process that uses it.
///
/// Used on one thread, as all of a simulation.
final class SimulatedStorage: JobStorage, @unchecked Sendable {
    /// A call that is not answered.
    private struct Call {
        let name: String
        /// Carries it out and returns what tells the caller.
        let carryOut: () -> () -> Void
        let fail: (StorageError) -> Void
    }

    private let disk: MemoryStorage
    private var calls: [Call] = []
    /// Calls are carried out and answered at once: while a process starts.
    var isPrompt = true
    /// Its disk is full: calls are answered, and refused.
    var isFull = false
    /// The process that used it is gone.
    private var isOver = false

    init(_ disk: MemoryStorage) { self.disk = disk }

    var isDurable: Bool { true }
    var isWaiting: Bool { !calls.isEmpty }
    /// For fingerprints.
    var waiting: String { calls.map(\.name).joined(separator: ",") + (isFull ? "full" : "") }

    // MARK: What the model does

    func answerFirst() {
        guard !calls.isEmpty else { return }
        let call = calls.removeFirst()
        if isFull, call.name != "close" { call.fail(StorageError("no room", code: .full)) } else { call.carryOut()() }
    }

    /// The process dies: the first calls may have been carried out.
    func end(afterCalls count: Int) {
        for call in calls.prefix(count) { _ = call.carryOut() }
        isOver = true
        disk.close {}
    }

    /// The end of the simulation: nobody waits for ever.
    func abandon() {
        isOver = true
        while !calls.isEmpty { calls.removeFirst().fail(.notOpen) }
    }

    // MARK: JobStorage

    func open(_ owner: StorageOwner, done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        disk.open(owner, done: done)
    }

    func save(_ jobs: [Job], done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void) {
        let disk = disk
        make("save\(jobs.map { "\($0.id.low)\($0.status.rawValue.first ?? "?")" })", done) { disk.save(jobs, done: $0) }
    }

    func apply(_ changes: [JobChange], done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        let disk = disk
        make("apply\(changes.map(Self.describe))", done) { disk.apply(changes, done: $0) }
    }

    func load(_ id: JobID, done: @escaping @Sendable (Result<Job?, StorageError>) -> Void) {
        let disk = disk
        make("load\(id.low)", done) { disk.load(id, done: $0) }
    }

    func jobs(after id: JobID?, limit: Int, done: @escaping @Sendable (Result<[Job], StorageError>) -> Void) {
        disk.jobs(after: id, limit: limit, done: done)
    }

    func reports(
        after key: JobReport.Key?, limit: Int, done: @escaping @Sendable (Result<[StoredReport], StorageError>) -> Void
    ) {
        disk.reports(after: key, limit: limit, done: done)
    }

    func close(done: @escaping @Sendable () -> Void) {
        // Once all calls before have taken effect.
        let disk = disk
        let call = Call(name: "close") {
            disk.close {}
            return { done() }
        } fail: { _ in
            done()
        }
        if isOver || isPrompt || !isWaiting { return call.carryOut()() }
        calls.append(call)
    }

    private func make<Value: Sendable>(
        _ name: String, _ done: @escaping (Result<Value, StorageError>) -> Void,
        _ carryOut: @escaping (@escaping @Sendable (Result<Value, StorageError>) -> Void) -> Void
    ) {
        guard !isOver else { return done(.failure(.notOpen)) }
        let call = Call(name: name) {
            // The disk answers within the call.
            let answer = Locked<Result<Value, StorageError>>(.failure(.notOpen))
            carryOut { result in answer.withLock { $0 = result } }
            let answered = answer.withLock { $0 }
            return { done(answered) }
        } fail: {
            done(.failure($0))
        }
        guard !isPrompt || isWaiting else { return call.carryOut()() }
        calls.append(call)
    }

    private static func describe(_ change: JobChange) -> String {
        switch change {
        case .update(let job, let report): "\(job.id.low)\(job.status.rawValue.prefix(2))\(report == nil ? "" : "!")"
        case .remove(let id, let report): "-\(id.low)\(report == nil ? "" : "!")"
        case .taken(let key): "taken\(key.id.low)"
        }
    }
}
