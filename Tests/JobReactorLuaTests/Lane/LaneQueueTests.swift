import Testing

@testable import JobReactorLua

@Suite("The queue of a lane") struct LaneQueueTests {
    private typealias Queue = LaneQueue<Int, String>

    /// Hundreds stand for names of jobs.
    private static func queue() -> Queue { Queue(workers: 1) { ("\($0 / 100)", 5) } }

    private static func take(_ count: Int, from queue: Queue) -> [Int] {
        (0..<count).compactMap { _ in
            if case .element(let element)? = queue.take(worker: 0, until: nil) { element } else { nil }
        }
    }

    @Test("keys take turns: what comes later of another key waits for one of the first")
    func turns() {
        let queue = Self.queue()
        queue.append(Array(100..<150))
        #expect(Self.take(3, from: queue) == [100, 101, 102])
        queue.append([200, 201, 300])
        #expect(Self.take(6, from: queue) == [103, 200, 300, 104, 201, 105])
    }

    @Test("what has not begun is taken back in the order of its turns, and the rest keeps its own")
    func withdrawn() {
        let queue = Self.queue()
        queue.append([100, 101, 102, 200, 201])
        #expect(Self.take(1, from: queue) == [100])
        #expect(queue.workersAt { _ in true }.map(\.element) == [100])
        #expect(queue.withdrawOne { $0 == 100 } == nil && queue.withdrawOne { $0 == 101 } == 101)
        #expect(queue.unbegun.sorted() == [102, 200, 201])
        #expect(queue.withdraw { $0 >= 200 } == [200, 201])
        #expect(Self.take(1, from: queue) == [102])
    }

    @Test("events come before elements, and neither keeps the other away")
    func events() {
        let queue = Self.queue()
        queue.append([100, 101])
        queue.post("a", to: 0)
        guard case .events(["a"])? = queue.take(worker: 0, until: nil) else { return #expect(Bool(false)) }
        queue.post("b", to: 0)
        #expect(Self.take(1, from: queue) == [100])
        guard case .events(["b"])? = queue.take(worker: 0, until: nil) else { return #expect(Bool(false)) }
        #expect(Self.take(1, from: queue) == [101])
        queue.close()
        #expect(queue.take(worker: 0, until: nil) == nil)
    }
}
