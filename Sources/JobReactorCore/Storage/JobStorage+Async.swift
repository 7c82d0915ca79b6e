/// Asynchronous variants of the calls, for tasks. A node does not use them, because it makes calls without waiting for
/// their answers.
extension JobStorage {
    public func open(_ owner: StorageOwner) async throws(StorageError) {
        try await result { open(owner, done: $0) }
    }

    @discardableResult
    public func save(_ jobs: [Job]) async throws(StorageError) -> Set<JobID> {
        try await result { save(jobs, done: $0) }
    }

    public func apply(_ changes: [JobChange]) async throws(StorageError) {
        try await result { apply(changes, done: $0) }
    }

    public func load(_ id: JobID) async throws(StorageError) -> Job? {
        try await result { load(id, done: $0) }
    }

    public func jobs(after id: JobID? = nil, limit: Int = 1000) async throws(StorageError) -> [Job] {
        try await result { jobs(after: id, limit: limit, done: $0) }
    }

    /// As ``jobs(after:limit:)``, in falling order of ids.
    public func jobs(before id: JobID?, limit: Int = 1000) async throws(StorageError) -> [Job] {
        try await result { jobs(before: id, limit: limit, done: $0) }
    }

    public func reports(
        after key: JobReport.Key? = nil, limit: Int = 1000
    ) async throws(StorageError) -> [StoredReport] {
        try await result { reports(after: key, limit: limit, done: $0) }
    }

    public func close() async {
        await withCheckedContinuation { continuation in close { continuation.resume() } }
    }

    private func result<Value: Sendable>(
        _ call: (@escaping @Sendable (Result<Value, StorageError>) -> Void) -> Void
    ) async throws(StorageError) -> Value {
        let result = await withCheckedContinuation { continuation in call { continuation.resume(returning: $0) } }
        return try result.get()
    }
}
