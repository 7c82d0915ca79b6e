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
        let page: [Job]
        do throws(StorageError) { page = try result.get() } catch { return ended.fail(error) }
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
