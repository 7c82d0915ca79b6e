import JobReactorCore
import JobReactorTesting
import Testing

/// The suite finds what it is there to find: storages with one fault each, and the check that must name it.
@Suite struct StorageConformanceTests {
    @Test("the checks have names of their own")
    func names() {
        let names = StorageConformance.checks.map(\.name)
        #expect(Set(names + StorageConformance.durableChecks.map(\.name)).count == names.count + 4)
        #expect(StorageConformance.checks.map(\.description) == names)
    }

    /// Each fault with the check that must find it.
    static let faults: [(FaultyStorage.Fault, String)] = [
        (.servesUnopened, "a storage that is not open serves nobody"),
        (.opensTwice, "an open storage is not opened again, and says who has it"),
        (.doesNotSayWhoHolds, "an open storage is not opened again, and says who has it"),
        (.forgetsAtClosing, "a storage that was closed serves nobody, until it is opened again"),
        (.servesUnopened, "a storage that was closed serves nobody, until it is opened again"),
        (.losesReports, "a report is kept with its change until it is taken"),
        (.keepsTaken, "a report is kept with its change until it is taken"),
        (.takesAtTheEnd, "a report that is stored and taken in one call is gone, one taken and stored again is there"),
        (.oneReportPerJob, "each run of a job has a report of its own"),
        (.keepsReportsOfMissing, "of a job that is not there no report is kept"),
        (.rewritesArguments, "reports come back byte for byte"),
        (.ignoresLimit, "pages of reports begin after the key and hold at most the limit"),
        (.savesNothing, "a new job is saved and returned as new"),
        (.overwrites, "an id that is already there changes nothing"),
        (.reportsAllAsNew, "an id that is already there changes nothing"),
        (.reportsAllAsNew, "of concurrent saves of one id, one is new"),
        (.lastOfBatchWins, "an id twice in one batch is one job, the first"),
        (.neverForgetsIDs, "an id whose record was removed is new again"),
        (.keepsFinished, "a finished job makes room for a new one of its id, however it ended"),
        (.silentOnEmptyBatch, "an empty batch is saved as nothing"),
        (.capsBatches, "10,000 jobs in a batch are saved, listed, updated and removed"),
        (.mergesUpdates, "an update replaces the whole record"),
        (.removesAll, "a removal removes that job alone"),
        (.updateInserts, "an update of a missing job changes nothing"),
        (.failsOnMissing, "an update of a missing job changes nothing"),
        (.failsOnMissing, "a removal of a missing job is no error"),
        (.appliesBackwards, "the changes of a batch take effect in order"),
        (.removesAll, "an empty batch of changes is applied as nothing"),
        (.losesTraceback, "every field survives a save and an update"),
        (.losesTraceback, "every optional field survives alone"),
        (.roundsTimes, "every field survives a save and an update"),
        (.losesStatus, "every status survives"),
        (.rewritesArguments, "args come back byte for byte"),
        (.cutsTextsAtZero, "texts come back byte for byte"),
        (.inventsJobs, "there is no job in an empty storage"),
        (.signedOrder, "jobs are listed by id, all 128 bits of it, without a sign"),
        (.ignoresLimit, "pages begin after the id and hold at most the limit"),
        (.includesAfter, "pages begin after the id and hold at most the limit"),
        (.ignoresLimit, "pages from the other end have the greatest id first"),
        (.includesAfter, "pages from the other end have the greatest id first"),
        (.signedOrder, "ids at the edges are in their order from the other end, too"),
        (.fillsPages, "a page of large jobs from the other end is short, and none is missed"),
        (.fillsPages, "a page of large jobs is short, and none is missed"),
        (.fillsPages, "a page of large reports is short, and none is missed"),
        (.wantsAfterPresent, "a page may begin after an id that is not there"),
        (.appliesLate, "calls take effect in the order they are made, without waiting"),
        (.appliesLate, "concurrent callers do not disturb each other"),
        (.answersTwice, "done is called once for every call"),
        (.answersNever, "done is called once for every call"),
    ]

    @Test("a storage with a fault does not pass", arguments: faults)
    func finds(_ fault: FaultyStorage.Fault, check name: String) async throws {
        let check = try #require(StorageConformance.checks.first { $0.name == name })
        let failure = await #expect(throws: StorageConformanceFailure.self) {
            try await check.run(patience: .milliseconds(500)) { FaultyStorage(fault) }
        }
        #expect(failure?.check == name)
        #expect(failure?.expected != failure?.actual)
    }

    @Test("every check has found a fault, and every fault is found")
    func coverage() {
        #expect(Set(Self.faults.map(\.1)) == Set(StorageConformance.checks.map(\.name)))
        #expect(Set(Self.faults.map(\.0)) == Set(FaultyStorage.Fault.allCases))
    }

    @Test("without a fault that storage passes", arguments: StorageConformance.checks)
    func passes(_ check: StorageConformance.Check) async throws {
        try await check.run { FaultyStorage(nil) }
    }

    @Test("memory passes, also when its calls fail one after another", arguments: StorageConformance.checks)
    func memory(_ check: StorageConformance.Check) async throws {
        try await check.run { MemoryStorage() }
        try await check.runWithFaults { MemoryStorage() }
    }

    @Test("a batch that fails and has changed something is found")
    func halfDone() async throws {
        let check = try #require(StorageConformance.checks.first { $0.name.hasPrefix("a new job is saved") })
        await #expect(throws: StorageConformanceFailure.self) {
            try await check.runWithFaults { PlacedStorage(MemoryStorage(), lies: true) }
        }
    }

    @Test("a storage whose every call fails is found, and not asked for ever")
    func failsAlways() async throws {
        let check = try #require(StorageConformance.checks.first { $0.name.hasPrefix("a new job is saved") })
        await #expect(throws: StorageConformanceFailure.self) {
            try await check.run { FaultInjectingStorage(MemoryStorage()) { _ in FaultInjectingStorage.fault } }
        }
    }

    /// Durable storages are tried where they are; here a memory that outlives the objects that open it stands for one.
    @Test("the checks of durable storages find storages that are not", arguments: StorageConformance.durableChecks)
    func durable(_ check: StorageConformance.Check) async throws {
        await #expect(throws: StorageConformanceFailure.self) { try await check.run { MemoryStorage() } }
        let place = MemoryStorage()
        try await check.run { PlacedStorage(place) }
    }

    @Test("a storage that cannot be made fails the check, with the reason")
    func notMade() async throws {
        let check = try #require(StorageConformance.checks.first)
        let failure = await #expect(throws: StorageConformanceFailure.self) {
            try await check.run { throw StorageError("no such file") }
        }
        #expect(failure?.description == "\(check.name): expected makeStorage to return a storage, got no such file")
    }

    @Test("a storage that answers on other threads, later, passes", arguments: StorageConformance.checks)
    func asynchronous(_ check: StorageConformance.Check) async throws {
        try await check.run { QueuedStorage() }
    }
}

/// A storage of the naive kind with one thing wrong.
final class FaultyStorage: JobStorage {
    enum Fault: CaseIterable, Sendable {
        case savesNothing, overwrites, reportsAllAsNew, lastOfBatchWins, neverForgetsIDs, silentOnEmptyBatch,
            capsBatches, keepsFinished
        case mergesUpdates, removesAll, updateInserts, failsOnMissing, appliesBackwards
        case losesTraceback, roundsTimes, losesStatus, rewritesArguments, cutsTextsAtZero
        case inventsJobs, signedOrder, ignoresLimit, fillsPages, includesAfter, wantsAfterPresent
        case appliesLate, answersTwice, answersNever
        case servesUnopened, opensTwice, doesNotSayWhoHolds, forgetsAtClosing
        case losesReports, keepsTaken, takesAtTheEnd, oneReportPerJob, keepsReportsOfMissing
    }

    private struct State {
        var jobs: [JobID: Job] = [:]
        var known: Set<JobID> = []
        var late: [JobChange] = []
        var owner: String?
        var reports: [StoredReport] = []
    }

    private let fault: Fault?
    private let state = Locked(State())

    init(_ fault: Fault?) { self.fault = fault }

    var isDurable: Bool { false }

    func open(_ owner: StorageOwner, done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        let holder = state.withLock { state in
            defer { state.owner = owner.name }
            return fault == .opensTwice ? nil : state.owner
        }
        let shown = fault == .doesNotSayWhoHolds ? "someone" : holder
        done(holder == nil ? .success(()) : .failure(.held(by: shown ?? "", address: nil)))
    }

    func close(done: @escaping @Sendable () -> Void) {
        state.withLock { state in
            state.owner = nil
            if fault == .forgetsAtClosing { state.jobs = [:] }
        }
        done()
    }

    private var isClosed: Bool { fault != .servesUnopened && state.withLock { $0.owner == nil } }

    func reports(
        after key: JobReport.Key?, limit: Int, done: @escaping @Sendable (Result<[StoredReport], StorageError>) -> Void
    ) {
        if isClosed { return done(.failure(.notOpen)) }
        let all = state.withLock { $0.reports }.sorted { $0.report.key < $1.report.key }
        let rest = all.filter { report in key.map { report.report.key > $0 } ?? true }
        if fault == .ignoresLimit || fault == .fillsPages {
            return done(.success(fault == .fillsPages ? Array(rest.prefix(limit)) : rest))
        }
        done(.success(rest.page(limit: limit)))
    }

    private func keep(_ report: StoredReport?, _ reports: inout [StoredReport]) {
        guard var report, fault != .losesReports else { return }
        if fault == .oneReportPerJob { reports.removeAll { $0.report.id == report.report.id } }
        if fault == .rewritesArguments, let args = try? JobArguments(json: report.report.feedback.args.value.json) {
            report.report.feedback.args = args
        }
        reports.append(report)
    }

    func save(_ jobs: [Job], done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void) {
        if isClosed { return done(.failure(.notOpen)) }
        if jobs.isEmpty && fault == .silentOnEmptyBatch { return }
        let new = state.withLock { state in
            var new: Set<JobID> = []
            if fault == .savesNothing { return Set(jobs.map(\.id)) }
            for job in fault == .capsBatches ? jobs.prefix(1000) : jobs[...] {
                let there = state.jobs[job.id].map { fault == .keepsFinished || !$0.status.isFinished } ?? false
                let isKnown = fault == .neverForgetsIDs ? state.known.contains(job.id) : there
                let isOfBatch = fault == .lastOfBatchWins && new.contains(job.id)
                if !isKnown || isOfBatch || fault == .overwrites { state.jobs[job.id] = stored(job) }
                if !isKnown || fault == .reportsAllAsNew { new.insert(job.id) }
                state.known.insert(job.id)
            }
            return new
        }
        done(.success(new))
    }

    func apply(_ changes: [JobChange], done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        if fault == .answersNever { return }
        if isClosed { return done(.failure(.notOpen)) }
        let result: Result<Void, StorageError> = state.withLock { state in
            if fault == .removesAll, !changes.contains(where: { if case .update = $0 { true } else { false } }) {
                state.jobs = [:]
            }
            let now = fault == .appliesLate ? state.late : fault == .appliesBackwards ? changes.reversed() : changes
            state.late = changes
            func isTaken(_ change: JobChange) -> Bool { if case .taken = change { true } else { false } }
            let order = fault == .takesAtTheEnd ? now.filter { !isTaken($0) } + now.filter(isTaken) : Array(now)
            for change in order {
                switch change {
                case .update(var job, let report):
                    if state.jobs[job.id] != nil || fault == .keepsReportsOfMissing { keep(report, &state.reports) }
                    if state.jobs[job.id] == nil {
                        if fault == .failsOnMissing { return .failure(StorageError("no such job")) }
                        if fault != .updateInserts { continue }
                    }
                    if fault == .mergesUpdates {
                        job.lastError = job.lastError ?? state.jobs[job.id]?.lastError
                    }
                    state.jobs[job.id] = stored(job)
                case .remove(let id, let report):
                    if state.jobs[id] != nil || fault == .keepsReportsOfMissing { keep(report, &state.reports) }
                    if state.jobs.removeValue(forKey: id) == nil, fault == .failsOnMissing {
                        return .failure(StorageError("no such job"))
                    }
                case .taken(let key):
                    if fault != .keepsTaken { state.reports.removeAll { $0.report.key == key } }
                }
            }
            return .success(())
        }
        done(result)
        if fault == .answersTwice { done(result) }
    }

    func load(_ id: JobID, done: @escaping @Sendable (Result<Job?, StorageError>) -> Void) {
        if isClosed { return done(.failure(.notOpen)) }
        let found = state.withLock { $0.jobs[id] }
        let invented = fault == .inventsJobs ? Job(id: id, name: "resize", args: [:], createdAt: start) : nil
        done(.success(found ?? invented))
    }

    func jobs(after id: JobID?, limit: Int, done: @escaping @Sendable (Result<[Job], StorageError>) -> Void) {
        if isClosed { return done(.failure(.notOpen)) }
        let all = inOrder()
        var rest = all[...]
        if let id {
            rest = all.drop { fault == .includesAfter ? $0.id < id : $0.id <= id }
            if fault == .wantsAfterPresent, !all.contains(where: { $0.id == id }) { rest = [] }
        }
        done(.success(page(of: rest, limit: limit)))
    }

    func jobs(before id: JobID?, limit: Int, done: @escaping @Sendable (Result<[Job], StorageError>) -> Void) {
        if isClosed { return done(.failure(.notOpen)) }
        let all = inOrder().reversed() as [Job]
        let rest = id.map { id in all.drop { fault == .includesAfter ? $0.id > id : $0.id >= id } } ?? all[...]
        done(.success(page(of: rest, limit: limit)))
    }

    private func inOrder() -> [Job] {
        state.withLock { state in
            state.jobs.values.sorted { left, right in
                fault == .signedOrder
                    ? (Int64(bitPattern: left.id.high), left.id.low) < (Int64(bitPattern: right.id.high), right.id.low)
                    : left.id < right.id
            }
        }
    }

    private func page(of rest: ArraySlice<Job>, limit: Int) -> [Job] {
        switch fault {
        case .ignoresLimit: Array(rest)
        case .fillsPages: Array(rest.prefix(limit))
        default: rest.page(limit: limit)
        }
    }

    /// The record as it is kept.
    private func stored(_ job: Job) -> Job {
        var job = job
        switch fault {
        case .losesTraceback: job.lastTraceback = nil
        case .roundsTimes: job.dueAt = Timestamp(seconds: job.dueAt.seconds.rounded())
        case .losesStatus: job.status = job.status == .error ? .queued : job.status
        case .rewritesArguments:
            if let args = try? JobArguments(json: job.args.value.json) { job.args = args }
        case .cutsTextsAtZero:
            job.lastError = job.lastError.map { String($0.prefix { $0 != "\u{0}" }) }
        default: break
        }
        return job
    }
}

/// Storage in memory behind a queue of its own, as one on a disk or a socket has: answers come later, elsewhere.
private final class QueuedStorage: JobStorage {
    private let memory = MemoryStorage()
    private let work: AsyncStream<@Sendable () -> Void>.Continuation

    init() {
        let (stream, continuation) = AsyncStream.makeStream(of: (@Sendable () -> Void).self)
        work = continuation
        Task { for await item in stream { item() } }
    }

    deinit { work.finish() }

    var isDurable: Bool { false }

    func open(_ owner: StorageOwner, done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        work.yield { [memory] in memory.open(owner, done: done) }
    }

    func close(done: @escaping @Sendable () -> Void) {
        work.yield { [memory] in memory.close(done: done) }
    }

    func reports(
        after key: JobReport.Key?, limit: Int, done: @escaping @Sendable (Result<[StoredReport], StorageError>) -> Void
    ) {
        work.yield { [memory] in memory.reports(after: key, limit: limit, done: done) }
    }

    func save(_ jobs: [Job], done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void) {
        work.yield { [memory] in memory.save(jobs, done: done) }
    }

    func apply(_ changes: [JobChange], done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        work.yield { [memory] in memory.apply(changes, done: done) }
    }

    func load(_ id: JobID, done: @escaping @Sendable (Result<Job?, StorageError>) -> Void) {
        work.yield { [memory] in memory.load(id, done: done) }
    }

    func jobs(after id: JobID?, limit: Int, done: @escaping @Sendable (Result<[Job], StorageError>) -> Void) {
        work.yield { [memory] in memory.jobs(after: id, limit: limit, done: done) }
    }
}

/// One of several objects for one place: says that it is durable, and, when it lies, of its first save that it failed.
private final class PlacedStorage: ForwardingStorage {
    let storage: any JobStorage
    private let isOpen = Locked(false)
    private let lies: Locked<Bool>

    init(_ place: MemoryStorage, lies: Bool = false) {
        storage = place
        self.lies = Locked(lies)
    }

    var isDurable: Bool { true }

    func open(_ owner: StorageOwner, done: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        storage.open(owner) { result in
            if case .success = result { self.isOpen.withLock { $0 = true } }
            done(result)
        }
    }

    func close(done: @escaping @Sendable () -> Void) {
        let wasOpen = isOpen.withLock { isOpen in
            defer { isOpen = false }
            return isOpen
        }
        if wasOpen { storage.close(done: done) } else { done() }
    }

    func save(_ jobs: [Job], done: @escaping @Sendable (Result<Set<JobID>, StorageError>) -> Void) {
        let lies = lies.withLock { lies in
            defer { lies = false }
            return lies
        }
        storage.save(jobs) { result in done(lies ? .failure(FaultInjectingStorage.fault) : result) }
    }
}
