import JobReactor
import JobReactorCore
import JobReactorTesting

/// A storage in memory at a place that others could share, which answers calls of one kind only when it is let. Nobody else is there.
final class HeldKeys: ForwardingStorage, SharedControlStorage {
    enum Kind: Sendable { case apply, saveUnique }

    let memory = MemoryStorage()
    var storage: any JobStorage { memory }
    /// Which calls wait; nil for none.
    let holding = Locked<Kind?>(nil)
    /// The job elsewhere that has all keys; nil for none.
    let elsewhere = Locked<JobID?>(nil)
    private let held = Locked<[@Sendable () -> Void]>([])

    var heldCount: Int { held.withLock { $0.count } }

    private func carryOut(_ kind: Kind, _ call: @escaping @Sendable () -> Void) {
        guard holding.withLock({ $0 == kind }) else { return call() }
        held.withLock { $0.append(call) }
    }

    /// Carries out what has waited, and all that comes.
    func release() {
        holding.withLock { $0 = nil }
        let calls = held.withLock { held in
            defer { held = [] }
            return held
        }
        for call in calls { call() }
    }

    func apply(_ changes: [JobChange], done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        carryOut(.apply) { self.memory.apply(changes, done: done) }
    }

    func saveUnique(_ jobs: [Job], done: @escaping @Sendable (Result<[JobID: JobID], StorageError>) -> Void) {
        carryOut(.saveUnique) {
            if let holder = self.elsewhere.withLock({ $0 }) {
                return done(.success(Dictionary(jobs.map { ($0.id, holder) }) { first, _ in first }))
            }
            self.memory.save(jobs) { saved in done(saved.map { _ in [:] }) }
        }
    }

    func change(
        _ changes: [ControlChange], saving jobs: [Job],
        done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void
    ) { memory.change(changes, saving: jobs, done: done) }

    func controls(done: @escaping @Sendable (Result<[StoredControl], StorageError>) -> Void) {
        memory.controls(done: done)
    }

    func lead(done: @escaping @Sendable (Result<String?, StorageError>) -> Void) { done(.success(nil)) }

    func unfinished(_ ids: [JobID], done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void) {
        done(.success([]))
    }

    func freeKeys(
        _ keys: [(key: UniqueKey, job: JobID)], done: @escaping @Sendable (Result<Void, StorageError>) -> Void
    ) { done(.success(())) }
}
