internal import NIOCore

/// A question to another thread that may be late with its answer, or never have one: it is put once, however many ask, and
/// nobody waits longer than some time. On one event loop.
final class SharedQuestion<Answer: Sendable> {
    private let loop: any EventLoop
    private let put: @Sendable () async -> Answer
    private var isUnderWay = false
    private var lastNumber = 0
    private var waiting: [Int: EventLoopPromise<Answer>] = [:]

    init(on loop: any EventLoop, _ put: @escaping @Sendable () async -> Answer) {
        self.loop = loop
        self.put = put
    }

    /// The answer, or `late` after that time.
    func ask(within time: TimeAmount, else late: Answer) -> EventLoopFuture<Answer> {
        lastNumber += 1
        let (number, promise) = (lastNumber, loop.makePromise(of: Answer.self))
        waiting[number] = promise
        let timer = loop.assumeIsolated().scheduleTask(in: time) {
            self.waiting.removeValue(forKey: number)?.succeed(late)
        }
        promise.futureResult.assumeIsolated().whenComplete { _ in timer.cancel() }
        if !isUnderWay { begin() }
        return promise.futureResult
    }

    private func begin() {
        isUnderWay = true
        let (bound, put) = (NIOLoopBound(self, eventLoop: loop), put)
        Task {
            let answer = await put()
            bound.eventLoop.execute {
                bound.value.isUnderWay = false
                let waiting = bound.value.waiting
                bound.value.waiting = [:]
                for promise in waiting.values { promise.succeed(answer) }
            }
        }
    }
}
