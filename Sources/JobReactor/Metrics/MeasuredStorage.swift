internal import CoreMetrics
package import JobReactorCore
internal import NIOCore

/// A storage whose calls are timed, and whose refusals are counted.
package struct MeasuredStorage: ForwardingStorage {
    private struct Call: Sendable {
        let time: Timer
        let errors: Counter

        init(_ name: String, of owner: String, _ backend: MetricsBackend) {
            time = backend.timer("jobreactor_\(owner)_storage_time", ("call", name))
            errors = backend.counter("jobreactor_\(owner)_storage_errors", ("call", name))
        }

        /// What counts the answer of a call that begins now.
        func measuring<Value>(
            _ done: @escaping @Sendable (Result<Value, StorageError>) -> Void
        ) -> @Sendable (Result<Value, StorageError>) -> Void {
            let began = NIODeadline.now()
            return { result in
                time.recordNanoseconds((NIODeadline.now() - began).nanoseconds)
                if case .failure = result { errors.increment() }
                done(result)
            }
        }
    }

    package let storage: any JobStorage
    private let saves, changes, loads, lists: Call

    /// `owner` is `node` or `distributor`.
    package init(_ storage: any JobStorage, of owner: String, _ backend: MetricsBackend) {
        self.storage = storage
        saves = Call("save", of: owner, backend)
        changes = Call("apply", of: owner, backend)
        loads = Call("load", of: owner, backend)
        lists = Call("list", of: owner, backend)
    }

    package func save(_ jobs: [Job], done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void) {
        storage.save(jobs, done: saves.measuring(done))
    }

    package func apply(_ given: [JobChange], done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        storage.apply(given, done: changes.measuring(done))
    }

    package func load(_ id: JobID, done: @escaping @Sendable (Result<Job?, StorageError>) -> Void) {
        storage.load(id, done: loads.measuring(done))
    }

    package func jobs(
        after id: JobID?, limit: Int, done: @escaping @Sendable (Result<[Job], StorageError>) -> Void
    ) {
        storage.jobs(after: id, limit: limit, done: lists.measuring(done))
    }

    package func jobs(
        before id: JobID?, limit: Int, done: @escaping @Sendable (Result<[Job], StorageError>) -> Void
    ) {
        storage.jobs(before: id, limit: limit, done: lists.measuring(done))
    }

    package func reports(
        after key: JobReport.Key?, limit: Int,
        done: @escaping @Sendable (Result<[StoredReport], StorageError>) -> Void
    ) {
        storage.reports(after: key, limit: limit, done: lists.measuring(done))
    }
}
