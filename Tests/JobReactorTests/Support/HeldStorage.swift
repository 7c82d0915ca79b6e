import JobReactor
import JobReactorCore
import JobReactorTesting

/// A memory storage that answers no call of one kind before it is closed, and tells when such a call has come.
final class HeldStorage: ForwardingStorage {
    enum Kind: Sendable { case open, save }

    let storage: any JobStorage = MemoryStorage()
    /// One for each call that is held.
    let held = Collector<Kind>()
    private let kind: Kind
    private let waiting = Locked<[@Sendable () -> Void]>([])

    init(holding kind: Kind) { self.kind = kind }

    private func hold(_ end: @escaping @Sendable () -> Void) {
        waiting.withLock { $0.append(end) }
        held.append(kind)
    }

    func open(_ owner: StorageOwner, done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        guard kind == .open else { return storage.open(owner, done: done) }
        hold { done(.failure(StorageError("closed before the opening was through"))) }
    }

    func save(_ jobs: [Job], done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void) {
        guard kind == .save else { return storage.save(jobs, done: done) }
        hold { done(.failure(StorageError("closed before the save was through"))) }
    }

    func close(done: @escaping @Sendable () -> Void) {
        let ends = waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        for end in ends { end() }
        storage.close(done: done)
    }
}
