import JobReactorCore
import Testing

@testable import JobReactor

@Suite("What waits for a distributor's storage") struct KeeperQueueTests {
    private typealias Queue = KeeperQueue<Int>

    private func job(_ number: Int) -> Job {
        Job(
            id: JobID(high: 0, low: UInt64(number)), name: "work", args: JobArguments(),
            createdAt: Timestamp(microseconds: 0))
    }

    private func queue(_ jobs: ClosedRange<Int>) -> Queue {
        var queue = Queue()
        for number in jobs { queue.add(job(number), number) }
        return queue
    }

    private func numbers(_ items: [Queue.Item]?) -> [Int]? { items?.map(\.waiter) }

    @Test("goes in one save, and what comes meanwhile in the next") func together() {
        var queue = queue(1...2)
        #expect(!queue.isSaved)
        expect(numbers(queue.nextSave()) == [1, 2])
        queue.add(job(3), 3)
        queue.add(nil, 4)
        expect(numbers(queue.nextSave()) == nil)
        expect(!queue.answered())
        expect(numbers(queue.nextSave()) == [3, 4])
        #expect(!queue.isSaved)
        expect(!queue.answered())
        #expect(queue.isSaved)
    }

    @Test("is tried again before what came later, after a pause") func again() {
        var queue = queue(1...2)
        let batch = queue.nextSave() ?? []
        queue.add(job(3), 3)
        expect(queue.answered(again: Array(batch.prefix(1))))
        expect(numbers(queue.nextSave()) == nil)
        queue.pauseEnded()
        expect(numbers(queue.nextSave()) == [1, 3])
    }

    @Test("waits also where only those are left who wait for others") func waiters() {
        var queue = Queue()
        queue.add(nil, 1)
        let batch = queue.nextSave() ?? []
        expect(queue.answered(again: batch))
        expect(numbers(queue.nextSave()) == nil)
    }

    @Test("changes go out beside a save, in batches of a size that a storage takes") func changes() {
        var queue = queue(1...1)
        _ = queue.nextSave()
        queue.add(.remove(job(1).id))
        let first = queue.nextChanges()
        #expect(first == [.remove(job(1).id)])
        expect(queue.nextChanges() == nil)
        #expect(queue.changeBatches == 0)
        for number in 0...Queue.batchLimit { queue.add(.remove(job(number).id)) }
        #expect(queue.changeBatches == 2)
        expect(queue.nextChanges()?.count == Queue.batchLimit)
        expect(queue.nextChanges()?.count == 1)
    }

    @Test("nothing is given to a storage that is being opened again; what is restored goes first") func reopening() {
        var queue = queue(1...1)
        let batch = queue.nextSave() ?? []
        expect(queue.beginReopening())
        expect(!queue.beginReopening())
        queue.add(.remove(job(1).id))
        expect(!queue.answered(again: batch))
        expect(numbers(queue.nextSave()) == nil)
        expect(queue.nextChanges() == nil)
        queue.reopened([Queue.Item(job: job(9), waiter: 9)])
        expect(numbers(queue.nextSave()) == [9, 1])
        expect(queue.nextChanges()?.count == 1)
    }

    @Test("a storage that is about to close gets all there is, in saves of a size that it takes") func hurry() {
        let count = 2 * Queue.batchLimit + 1
        var queue = queue(1...count)
        _ = queue.nextSave()
        var saved = Queue.batchLimit
        for _ in 0..<queue.hurry() {
            saved += queue.nextSave()?.count ?? 0
            _ = queue.hurry()
        }
        #expect(saved == count)
    }

    @Test("after the end nothing is given out, and who waits is known") func end() {
        var queue = queue(1...2)
        _ = queue.nextSave()
        queue.add(job(3), 3)
        queue.add(.remove(job(1).id))
        expect(numbers(queue.end()) == [3])
        #expect(queue.isOver)
        expect(!queue.answered())
        queue.add(job(4), 4)
        expect(numbers(queue.nextSave()) == nil)
        expect(queue.nextChanges() == nil)
        expect(!queue.beginReopening())
    }
}
