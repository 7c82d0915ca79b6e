import JobReactorTesting
import Testing

@testable import JobReactor

@Suite("Batches of changes") struct ChangeBatchesTests {
    @Test("nobody waits when nothing is under way") func nothing() {
        var batches = ChangeBatches<Int>()
        expect(!batches.wait(1, queued: 0))
        let first = batches.given()
        expect(batches.stored(first).isEmpty)
        expect(!batches.wait(2, queued: 0))
    }

    @Test("who waits does so for what was given and queued before, in whatever order it is stored") func order() {
        var batches = ChangeBatches<Int>()
        let first = batches.given()
        expect(batches.wait(1, queued: 0))
        expect(batches.wait(2, queued: 1))
        let second = batches.given()
        let third = batches.given()
        expect(batches.wait(3, queued: 0))
        expect(batches.stored(third).isEmpty)
        expect(batches.stored(second).isEmpty)
        // It was refused, and given again.
        expect(batches.stored(first) == [1, 2, 3])
    }

    @Test("nobody goes before what is queued is given and stored") func queued() {
        var batches = ChangeBatches<Int>()
        let first = batches.given()
        expect(batches.wait(1, queued: 2))
        expect(batches.stored(first).isEmpty)
        let second = batches.given()
        expect(batches.stored(second).isEmpty)
        let third = batches.given()
        expect(batches.stored(third) == [1])
    }

    @Test("who waits when nothing more is stored is told once") func ended() {
        var batches = ChangeBatches<Int>()
        let first = batches.given()
        expect(batches.wait(1, queued: 0))
        expect(batches.wait(2, queued: 3))
        expect(batches.end() == [1, 2])
        expect(batches.end().isEmpty)
        expect(batches.stored(first).isEmpty)
    }

    @Test("at random, each goes as soon as all before it are stored, and not before", arguments: 1...20)
    func random(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var batches = ChangeBatches<Int>()
        var open: Set<Int> = []
        var given = 0
        var waiting: [(id: Int, through: Int)] = []
        for id in 0..<300 {
            switch Int.random(in: 0..<3, using: &random) {
            case 0:
                given = batches.given()
                open.insert(given)
            case 1:
                let waits = batches.wait(id, queued: 0)
                #expect(waits == !open.isEmpty)
                if waits { waiting.append((id, given)) }
            default:
                guard let number = open.sorted().randomElement(using: &random) else { continue }
                open.remove(number)
                let released = batches.stored(number)
                let due = waiting.filter { entry in open.allSatisfy { $0 > entry.through } }.map(\.id)
                #expect(released == due)
                waiting.removeAll { due.contains($0.id) }
            }
        }
    }
}
