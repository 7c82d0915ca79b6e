internal import JobReactorCore
internal import JobReactorWire
internal import NIOCore

/// What concerns many jobs of a distributor at once: pages of those that are looked for, and orders for all that are meant.
extension DistributorCore {
    /// Records that are read at once to be shown: each may have args of some MiB.
    private static let recordsAtOnce = 16

    // MARK: Looking

    /// A row of an answer.
    struct Row {
        let job: Job
        /// The node that has it, or may; nil while it waits here.
        let node: String?
        /// What it waits for, beside its time.
        let reason: String?

        func write(to buffer: inout ByteBuffer) {
            var words = RESPWords()
            JobRecord.write(job, to: &words)
            if let node { words.add("on_node", node) }
            if let reason { words.add("waits_for", reason) }
            words.write(to: &buffer)
        }
    }

    /// The jobs that are asked for, as many as one page has room for.
    func rows(_ query: RecordQuery) -> EventLoopFuture<[Row]> {
        var found = FirstOfMany(query)
        let promise = loop.makePromise(of: [Row].self)
        scan(most: 4096) { piece in
            for listed in piece where query.filter.matches(listed.job) { found.add(listed) }
            return nil
        }.assumeIsolated().whenComplete { result in
            switch result {
            case .success: self.read(found.listed, promise)
            case .failure(let error): promise.fail(error)
            }
        }
        return promise.futureResult
    }

    /// The job of that id, if it is here.
    func row(_ id: JobID) -> EventLoopFuture<Row?> {
        let promise = loop.makePromise(of: [Row].self)
        read(ask { $0.listed(id) }.map { [$0] } ?? [], promise)
        return promise.futureResult.map { $0.first }
    }

    /// Reads those that are in the storage alone, a few at a time, until there is no more room on a page.
    private func read(_ listed: [DistributorLedger.Listed], _ promise: EventLoopPromise<[Row]>) {
        read(listed[...], [], RecordPage(limit: listed.count), promise)
    }

    private func read(
        _ listed: ArraySlice<DistributorLedger.Listed>, _ rows: [Row], _ page: RecordPage<Job>,
        _ promise: EventLoopPromise<[Row]>
    ) {
        let next = listed.prefix(Self.recordsAtOnce)
        guard !next.isEmpty else { return promise.succeed(rows) }
        let stored = next.filter { $0.holder == .paged }.map(\.job.id)
        let isRead: ([(id: JobID, result: Result<Job?, StorageError>)]) -> Void = { records in
            var (rows, page) = (rows, page)
            let records = Dictionary(records.map { ($0.id, $0.result) }) { first, _ in first }
            var reasons = Dispatcher.WaitReasons()
            for listed in next {
                var shown = listed
                switch records[listed.job.id] {
                // It went to a node meanwhile, or has ended.
                case .success(nil)?: continue
                case .success(let job?)?: shown.job = job
                case .failure(let error)?: return promise.fail(error)
                case nil: break
                }
                guard page.add(shown.job) else { return promise.succeed(rows) }
                let reason = self.ask { $0.reason(shown, &reasons) }
                shown.job.distributor = self.name
                rows.append(Row(job: shown.job, node: shown.node, reason: reason?.description))
            }
            self.read(listed.dropFirst(Self.recordsAtOnce), rows, page, promise)
        }
        if let keeper, !stored.isEmpty { keeper.load(stored, isRead) } else { isRead([]) }
    }

    // MARK: Orders

    /// Cancels, runs again or destroys all jobs here that are meant; where it is dry they are only counted. A piece at a time: the
    /// next when what was ordered about this one is stored. Nothing is changed before what `begin` returns is done.
    func carryOut(
        _ order: JobOrder, _ filter: JobFilter, isDry: Bool, begin: @escaping () -> EventLoopFuture<Void>
    ) -> EventLoopFuture<CarriedOut> {
        let count = NIOLoopBoundBox(0, eventLoop: loop)
        let done = scan(most: isDry ? 4096 : 512) { piece in
            let meant = piece.filter { order.means($0, filter) }
            guard !isDry else {
                count.value += meant.count
                return nil
            }
            guard !meant.isEmpty else { return nil }
            return begin().assumeIsolated().flatMap {
                guard !self.isStopping else { return self.loop.makeFailedFuture(Self.stopped) }
                return meant.map { self.carryOut(order, $0) }.counted(in: count, on: self.loop)
            }.nonisolated()
        }
        return done.map { CarriedOut(count: count.value) }.recover { CarriedOut(count: count.value, failure: $0) }
    }

    private func carryOut(_ order: JobOrder, _ listed: DistributorLedger.Listed) -> EventLoopFuture<Bool> {
        let id = listed.job.id
        switch (order, listed.holder) {
        case (.retry, .kept): return change({ $0.retry(id) }) ? stored(true) : loop.makeSucceededFuture(false)
        case (.destroy, .kept): return change({ $0.destroy(id) }) ? stored(true) : loop.makeSucceededFuture(false)
        case (.cancel, .kept), (.retry, _): return loop.makeSucceededFuture(false)
        case (.cancel, _), (.destroy, _): return cancel(id)
        }
    }

    // MARK: All of them

    /// Calls `visit` with all jobs, those of `most` places in a turn of the loop; the next when what `visit` returns is done.
    private func scan(
        most: Int, _ visit: @escaping ([DistributorLedger.Listed]) -> EventLoopFuture<Void>?
    ) -> EventLoopFuture<Void> {
        do throws(JobError) { try scans.begin() } catch { return loop.makeFailedFuture(error) }
        let promise = loop.makePromise(of: Void.self)
        let scan = ask { $0.beginScan() }
        promise.futureResult.assumeIsolated().whenComplete { _ in
            self.ask { $0.endScan(scan) }
            self.scans.end()
        }
        visitNext(scan, most, visit, promise)
        return promise.futureResult
    }

    private func visitNext(
        _ scan: LedgerScan, _ most: Int, _ visit: @escaping ([DistributorLedger.Listed]) -> EventLoopFuture<Void>?,
        _ promise: EventLoopPromise<Void>
    ) {
        guard !scan.isOver else { return promise.succeed() }
        var piece: [DistributorLedger.Listed] = []
        ask { scan.next(most, of: $0) { piece.append($0) } }
        (visit(piece) ?? loop.makeSucceededVoidFuture()).assumeIsolated().whenComplete { result in
            if case .failure(let error) = result { return promise.fail(error) }
            self.loop.assumeIsolated().execute { self.visitNext(scan, most, visit, promise) }
        }
    }
}

/// Of many jobs those that come first in the order of a query, as many as it asks for.
private struct FirstOfMany {
    private let query: RecordQuery
    private var found: [DistributorLedger.Listed] = []
    /// As many are found that come before it.
    private var last: JobID?

    init(_ query: RecordQuery) { self.query = query }

    private static func isBefore(_ left: JobID, _ right: JobID, in order: RecordQuery.Order) -> Bool {
        switch order {
        case .oldestFirst: left < right
        case .newestFirst: right < left
        }
    }

    mutating func add(_ listed: DistributorLedger.Listed) {
        let id = listed.job.id
        if let start = query.start, !Self.isBefore(start, id, in: query.order) { return }
        if let last, !Self.isBefore(id, last, in: query.order) { return }
        found.append(listed)
        if found.count >= 2 * query.count { keepFirst() }
    }

    private mutating func keepFirst() {
        let order = query.order
        found.sort { Self.isBefore($0.job.id, $1.job.id, in: order) }
        found.removeLast(max(0, found.count - query.count))
        if found.count == query.count { last = found.last?.job.id }
    }

    /// In their order, each once: one may have gone from one place to another while all were looked through.
    var listed: [DistributorLedger.Listed] {
        var all = self
        all.keepFirst()
        var ids: Set<JobID> = []
        return all.found.filter { ids.insert($0.job.id).inserted }
    }
}
