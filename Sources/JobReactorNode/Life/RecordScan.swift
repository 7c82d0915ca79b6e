internal import JobReactor
internal import JobReactorCore
internal import JobReactorWire
internal import NIOCore

/// Goes through all records of a storage, a page in each turn of the loop, so that a million jobs hold up nothing. Bound to the
/// loop.
final class RecordScan {
    private let storage: any JobStorage
    private let loop: any EventLoop
    private let order: RecordQuery.Order
    private var last: JobID?
    /// The last id to look at, where there is one.
    private var end: JobID?
    private let visit: ([Job]) -> EventLoopFuture<Bool>
    private let ended: EventLoopPromise<Void>

    private static let page = 256

    private init(
        _ storage: any JobStorage, _ order: RecordQuery.Order, from start: JobID?, on loop: any EventLoop,
        _ visit: @escaping ([Job]) -> EventLoopFuture<Bool>
    ) {
        self.storage = storage
        self.order = order
        last = start
        self.loop = loop
        self.visit = visit
        ended = loop.makePromise()
    }

    /// Begins beyond `start`. `visit` gets each page, and says when it is done with it, and whether there is to be another.
    static func run(
        _ storage: any JobStorage, _ order: RecordQuery.Order = .oldestFirst, from start: JobID? = nil,
        on loop: any EventLoop, _ visit: @escaping ([Job]) -> EventLoopFuture<Bool>
    ) -> EventLoopFuture<Void> {
        let scan = RecordScan(storage, order, from: start, on: loop, visit)
        scan.next()
        return scan.ended.futureResult
    }

    /// As ``run(_:_:from:on:_:)``, through all that are there when it begins. What comes meanwhile has a greater id as a rule,
    /// and is not looked at: else it might never end.
    static func runThroughAll(
        of storage: any JobStorage, on loop: any EventLoop, _ visit: @escaping ([Job]) -> EventLoopFuture<Bool>
    ) -> EventLoopFuture<Void> {
        let scan = RecordScan(storage, .oldestFirst, from: nil, on: loop, visit)
        let bound = NIOLoopBound(scan, eventLoop: loop)
        storage.jobs(before: nil, limit: 1) { result in
            bound.eventLoop.execute { bound.value.begin(through: result) }
        }
        return scan.ended.futureResult
    }

    private func begin(through newest: Result<[Job], StorageError>) {
        do throws(StorageError) { end = try newest.get().first?.id } catch { return ended.fail(error) }
        if end == nil { ended.succeed() } else { next() }
    }

    private func next() {
        let bound = NIOLoopBound(self, eventLoop: loop)
        // In another turn of the loop, also where the storage has answered at once.
        let done: @Sendable (Result<[Job], StorageError>) -> Void = { result in
            bound.eventLoop.execute { bound.value.take(result) }
        }
        switch order {
        case .oldestFirst: storage.jobs(after: last, limit: Self.page, done: done)
        case .newestFirst: storage.jobs(before: last, limit: Self.page, done: done)
        }
    }

    private func take(_ result: Result<[Job], StorageError>) {
        var page: [Job]
        do throws(StorageError) { page = try result.get() } catch { return ended.fail(error) }
        if let end, let first = page.firstIndex(where: { $0.id > end }) { page.removeSubrange(first...) }
        guard let next = page.last?.id else { return ended.succeed() }
        last = next
        visit(page).assumeIsolated().whenComplete { result in
            switch result {
            case .success(true): self.next()
            case .success(false): self.ended.succeed()
            case .failure(let error): self.ended.fail(error)
            }
        }
    }
}
