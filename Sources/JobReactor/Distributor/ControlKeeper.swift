internal import JobReactorCore
internal import Logging
internal import NIOCore

/// What decides when jobs run, as a distributor keeps it: here, and in its storage where that can. Everything that changes in one
/// turn of the loop goes there at once; one call at a time, and what is refused is tried again.
final class ControlKeeper {
    private struct Change {
        var changes: [ControlChange]
        var jobs: [Job]
        let done: () -> Void
    }

    private let storage: (any ControlStorage)?
    private let loop: any EventLoop
    private let logger: Logger
    private var current: [StoredControl.Key: [UInt8]] = [:]
    private var waiting: [Change] = []
    private var isStoring = false
    private var isScheduled = false
    private var isOver = false
    private var saysThatItFails = false

    /// So many changes and jobs go to the storage at once, at most.
    private static let batchLimit = 1000

    init(_ storage: (any JobStorage)?, on loop: any EventLoop, logger: Logger) {
        self.storage = storage as? any ControlStorage
        self.loop = loop
        self.logger = logger
    }

    /// Whether jobs can be stored in one step with what is kept.
    var savesJobs: Bool { storage != nil }

    subscript(key: StoredControl.Key) -> [UInt8]? { current[key] }

    /// All of a kind, in the order of their names.
    func all(_ kind: StoredControl.Kind) -> [StoredControl] {
        current.filter { $0.key.kind == kind }.map { StoredControl($0.key, $0.value) }.sorted { $0.key < $1.key }
    }

    /// Reads what an earlier process has left; the storage is open.
    func open() -> EventLoopFuture<Void> {
        guard let storage else { return loop.makeSucceededVoidFuture() }
        let bound = NIOLoopBound(self, eventLoop: loop)
        return loop.answer { storage.controls(done: $0) }.map { controls in
            for control in controls { bound.value.current[control.key] = control.value }
        }
    }

    /// Keeps it, and stores the jobs in the same step. `done` is called when that is stored; at once where the storage cannot.
    /// Never when the process ends before.
    func change(_ changes: [ControlChange], saving jobs: [Job] = [], done: @escaping () -> Void = {}) {
        for change in changes {
            switch change {
            case .set(let control): current[control.key] = control.value
            case .remove(let key): current[key] = nil
            }
        }
        guard storage != nil, !isOver else { return done() }
        waiting.append(Change(changes: changes, jobs: jobs, done: done))
        storeSoon()
    }

    /// What was stored is gone, and the storage is open again: all of it is stored anew.
    func emptied() {
        guard !current.isEmpty else { return }
        let all = current.map { ControlChange.set(StoredControl($0.key, $0.value)) }
        waiting.insert(Change(changes: all, jobs: [], done: {}), at: 0)
        storeSoon()
    }

    /// Nothing more is stored.
    func close() {
        store(isLast: true)
        isOver = true
        waiting = []
    }

    private func storeSoon() {
        guard !isScheduled, !isStoring else { return }
        isScheduled = true
        loop.assumeIsolated().execute {
            self.isScheduled = false
            self.store()
        }
    }

    /// `isLast`: the storage is about to close, and carries its calls out in order.
    private func store(isLast: Bool = false) {
        guard let storage, !isOver, isLast || !isStoring, !waiting.isEmpty else { return }
        isStoring = true
        var (batch, size) = ([Change](), 0)
        while let next = waiting.first, isLast || batch.isEmpty || size < Self.batchLimit {
            size += next.changes.count + next.jobs.count
            batch.append(next)
            waiting.removeFirst()
        }
        let bound = NIOLoopBound((self, batch), eventLoop: loop)
        storage.change(batch.flatMap(\.changes), saving: batch.flatMap(\.jobs)) { result in
            bound.eventLoop.runOrExecute { bound.value.0.stored(bound.value.1, result) }
        }
    }

    private func stored(_ batch: [Change], _ result: Result<Set<JobID>, StorageError>) {
        guard !isOver else { return }
        switch result {
        case .success:
            (isStoring, saysThatItFails) = (false, false)
            for change in batch { change.done() }
            store()
        case .failure(let error):
            if error.code == .lost { return close() }
            if !saysThatItFails {
                logger.error(
                    "what decides when jobs run could not be stored; it waits", metadata: ["reason": "\(error)"])
            }
            saysThatItFails = true
            waiting = batch + waiting
            loop.assumeIsolated().scheduleTask(in: .seconds(1)) { [weak self] in
                self?.isStoring = false
                self?.store()
            }
        }
    }
}
