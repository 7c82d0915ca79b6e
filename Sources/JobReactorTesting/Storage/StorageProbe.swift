internal import JobReactorCore

/// Drives a storage for a check: turns its callbacks into values, waits with a deadline, and counts the answers.
final class StorageProbe: Sendable {
    private let makeStorage: @Sendable () async throws -> any JobStorage
    private let made = Locked<[any JobStorage]>([])
    private let current = Locked<Int>(0)
    private let check: String
    private let patience: Duration
    private let started = Locked<[any AnyStorageCall]>([])

    init(
        check: String, patience: Duration, _ makeStorage: @escaping @Sendable () async throws -> any JobStorage
    ) {
        self.makeStorage = makeStorage
        self.check = check
        self.patience = patience
    }

    // MARK: Storages

    /// Makes a storage, which all that follows is about.
    func make() async throws(StorageConformanceFailure) {
        do {
            let storage = try await makeStorage()
            let number = made.withLock { made in
                made.append(storage)
                return made.count - 1
            }
            current.withLock { $0 = number }
        } catch {
            throw failure("makeStorage to return a storage", "\(error)")
        }
    }

    /// The one made last, unless another is in use again.
    var storage: any JobStorage {
        let number = current.withLock { $0 }
        return made.withLock { $0.indices.contains(number) ? $0[number] : MemoryStorage() }
    }

    /// What follows is about the one made first.
    func useFirst() { current.withLock { $0 = 0 } }

    static let owner = StorageOwner(name: "worker_1", address: "localhost:5001")

    func open(_ owner: StorageOwner = StorageProbe.owner) async throws(StorageConformanceFailure) {
        try await value(of: startOpen(owner))
    }

    func close() async throws(StorageConformanceFailure) {
        try await value(of: startClose())
    }

    /// Ends the ownership of every storage that was made, whether or not it is open.
    func closeAll() async {
        for storage in made.withLock({ $0 }) { _ = await startClose(storage).result() }
    }

    // MARK: Calls that do not wait

    func startOpen(_ owner: StorageOwner = StorageProbe.owner) -> StorageCall<Void> {
        start("open as \(owner.name)") { storage.open(owner, done: $0) }
    }

    func startClose(_ storage: (any JobStorage)? = nil) -> StorageCall<Void> {
        start("close") { done in (storage ?? self.storage).close { done(.success(())) } }
    }

    func startReports(after key: JobReport.Key?, limit: Int) -> StorageCall<[StoredReport]> {
        start("reports, limit \(limit)") { storage.reports(after: key, limit: limit, done: $0) }
    }

    func startSave(_ jobs: [Job]) -> StorageCall<Set<JobID>> {
        start("save of \(jobs.count) jobs") { storage.save(jobs, done: $0) }
    }

    func startApply(_ changes: [JobChange]) -> StorageCall<Void> {
        start("apply of \(changes.count) changes") { storage.apply(changes, done: $0) }
    }

    func startLoad(_ id: JobID) -> StorageCall<Job?> {
        start("load of \(id)") { storage.load(id, done: $0) }
    }

    func startJobs(after id: JobID?, limit: Int) -> StorageCall<[Job]> {
        start("jobs after \(id.map(\.description) ?? "nil"), limit \(limit)") {
            storage.jobs(after: id, limit: limit, done: $0)
        }
    }

    func startJobs(before id: JobID?, limit: Int) -> StorageCall<[Job]> {
        start("jobs before \(id.map(\.description) ?? "nil"), limit \(limit)") {
            storage.jobs(before: id, limit: limit, done: $0)
        }
    }

    /// Makes a call that a fault was injected into again, before any other; not for ever.
    func start<Value>(
        _ name: String, _ body: (@escaping @Sendable (Result<Value, StorageError>) -> Void) -> Void
    ) -> StorageCall<Value> {
        var call: StorageCall<Value>
        var tries = 0
        repeat {
            let next = StorageCall<Value>(name, patience: patience)
            body { next.answer($0) }
            call = next
            tries += 1
        } while call.hasInjectedFault && tries < 100
        started.withLock { [call] in $0.append(call) }
        return call
    }

    // MARK: Calls that wait

    @discardableResult
    func save(_ jobs: [Job]) async throws(StorageConformanceFailure) -> Set<JobID> {
        try await value(of: startSave(jobs))
    }

    func apply(_ changes: [JobChange]) async throws(StorageConformanceFailure) {
        try await value(of: startApply(changes))
    }

    func load(_ id: JobID) async throws(StorageConformanceFailure) -> Job? {
        try await value(of: startLoad(id))
    }

    func jobs(after id: JobID? = nil, limit: Int = 1000) async throws(StorageConformanceFailure) -> [Job] {
        try await value(of: startJobs(after: id, limit: limit))
    }

    func jobs(before id: JobID?, limit: Int = 1000) async throws(StorageConformanceFailure) -> [Job] {
        try await value(of: startJobs(before: id, limit: limit))
    }

    func reports(
        after key: JobReport.Key? = nil, limit: Int = 1000
    ) async throws(StorageConformanceFailure) -> [StoredReport] {
        try await value(of: startReports(after: key, limit: limit))
    }

    /// The call is refused for the reason that the code names. Returns what the error says.
    @discardableResult
    func expectRefused<Value>(
        _ call: StorageCall<Value>, _ code: StorageError.Code, _ when: String
    ) async throws(StorageConformanceFailure) -> String {
        switch await call.result() {
        case .failure(let error)? where error.code == code: return error.message
        case .failure(let error)?:
            throw failure("the \(call.name) \(when) to fail as \(code)", "\(error.code): \(error)")
        case .success?: throw failure("the \(call.name) \(when) to fail as \(code)", "success")
        case nil: throw failure("done to be called for the \(call.name)", "nothing within \(patience)")
        }
    }

    /// The call is refused, for whatever reason.
    func expectFailure<Value>(of call: StorageCall<Value>) async throws(StorageConformanceFailure) {
        switch await call.result() {
        case .failure?: return
        case .success?: throw failure("the \(call.name) to be refused", "success")
        case nil: throw failure("done to be called for the \(call.name)", "nothing within \(patience)")
        }
    }

    func expectReports(
        _ reports: [StoredReport], _ when: String
    ) async throws(StorageConformanceFailure) {
        let listed = try await self.reports(limit: reports.count + 1)
        try expect(listed.map(\.report.key), reports.map(\.report.key), "the keys of all reports \(when)")
        for (stored, report) in zip(listed, reports) where stored != report {
            throw failure("the report of \(report.report.id) \(when) to be \(report)", "\(stored)")
        }
    }

    func value<Value>(of call: StorageCall<Value>) async throws(StorageConformanceFailure) -> Value {
        switch await call.result() {
        case nil: throw failure("done to be called for the \(call.name)", "nothing within \(patience)")
        case .failure(let error)?: throw failure("the \(call.name) to succeed", "the error \"\(error)\"")
        case .success(let value)?: return value
        }
    }

    // MARK: Expectations

    func failure(_ expected: String, _ actual: String) -> StorageConformanceFailure {
        StorageConformanceFailure(check: check, expected: expected, actual: actual)
    }

    func expect<Value: Equatable>(
        _ actual: Value, _ expected: Value, _ what: String
    ) throws(StorageConformanceFailure) {
        guard actual == expected else { throw failure("\(what) to be \(expected)", "\(actual)") }
    }

    /// The storage has exactly this record under its id, to the last byte.
    func expectStored(_ job: Job, _ when: String = "") async throws(StorageConformanceFailure) {
        let what = "job \(job.id)\(when.isEmpty ? "" : " ")\(when)"
        guard let stored = try await load(job.id) else { throw failure("\(what) to be stored", "no record") }
        try expectSame(stored, job, what)
    }

    func expectSame(_ stored: Job, _ job: Job, _ what: String) throws(StorageConformanceFailure) {
        for (actual, expected) in zip(Self.fields(of: stored), Self.fields(of: job))
        where !actual.value.utf8.elementsEqual(expected.value.utf8) {
            throw failure("\(expected.name) of \(what) to be \(expected.value)", actual.value)
        }
        guard stored == job else { throw failure("\(what) to be \(job)", "\(stored)") }
    }

    func expectAbsent(_ id: JobID, _ when: String) async throws(StorageConformanceFailure) {
        if let job = try await load(id) { throw failure("no job \(id) \(when)", "\(job)") }
    }

    /// The storage has exactly these jobs, listed in the order of their ids.
    func expectAll(_ jobs: [Job], _ when: String) async throws(StorageConformanceFailure) {
        let listed = try await self.jobs(limit: jobs.count + 1)
        try expect(listed.map(\.id), jobs.map(\.id).sorted(), "the ids of all jobs \(when)")
        for (stored, job) in zip(listed, jobs.sorted { $0.id < $1.id }) {
            try expectSame(stored, job, "job \(job.id) \(when)")
        }
    }

    /// A page is not larger than it may be.
    func expectRoom(for args: [JobArguments], _ what: String) throws(StorageConformanceFailure) {
        let bytes = args.reduce(0) { $0 + $1.bytes.count }
        guard args.count <= 1 || bytes <= JobLimits.pageBytes else {
            throw failure(
                "a page \(what) to have one, or \(JobLimits.pageBytes) bytes of args", "\(args.count) of \(bytes) bytes"
            )
        }
    }

    /// Every call made through this probe has been answered once.
    func expectOneAnswerEach() async throws(StorageConformanceFailure) {
        for call in started.withLock({ $0 }) where !(await call.isAnswered()) {
            throw failure("done to be called for the \(call.name)", "nothing within \(patience)")
        }
        // A second answer may be under way: it comes before that of a call made now, or is beyond what can be seen.
        _ = try await load(JobID(high: .max, low: 0))
        for call in started.withLock({ $0 }) where call.answers != 1 {
            throw failure("done to be called once for the \(call.name)", "\(call.answers) calls")
        }
    }

    /// Every field as text that differs when the field does.
    private static func fields(of job: Job) -> [(name: String, value: String)] {
        JobFieldTable.stored.map { ($0.name, $0.value(job)?.exactText ?? "nil") }
    }
}
