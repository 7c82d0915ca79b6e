import JobReactorTesting
import JobReactorCore
import Testing

@Suite struct TimerQueueTests {
    private func at(_ microseconds: Int64) -> Timestamp { Timestamp(microseconds: microseconds) }

    @Test("elements leave when due, earliest first, ties in the order they came")
    func transcript() {
        var queue = TimerQueue<String>()
        #expect(queue.isEmpty)
        #expect(queue.nextDue == nil)
        #expect(queue.popDue(at: at(.max)) == nil)

        queue.insert("late", due: at(30))
        queue.insert("first of two", due: at(20))
        queue.insert("early", due: at(10))
        queue.insert("second of two", due: at(20))
        #expect(queue.count == 4)
        #expect(queue.nextDue == at(10))

        #expect(queue.popDue(at: at(9)) == nil)
        #expect(queue.popDue(at: at(10)) == "early")
        #expect(queue.popDue(at: at(10)) == nil)
        #expect(queue.nextDue == at(20))
        #expect(queue.popDue(at: at(25)) == "first of two")
        #expect(queue.popDue(at: at(25)) == "second of two")
        #expect(queue.popDue(at: at(25)) == nil)
        #expect(queue.popDue(at: at(1_000_000)) == "late")
        #expect(queue.isEmpty)
        #expect(queue.nextDue == nil)
    }

    @Test("many elements due at one time leave in the order they came")
    func ties() {
        var queue = TimerQueue<Int>()
        for number in 0..<1000 { queue.insert(number, due: at(5)) }
        for number in 0..<1000 { #expect(queue.popDue(at: at(5)) == number) }
        #expect(queue.popDue(at: at(5)) == nil)
    }

    @Test("an element leaves with the number that its insertion returned, and no two have the same")
    func numbers() {
        var queue = TimerQueue<String>()
        let later = queue.insert("a", due: at(2))
        let sooner = queue.insert("a", due: at(1))
        #expect(queue.popDueEntry(at: at(0)) == nil)
        let first = queue.popDueEntry(at: at(3))
        #expect(first?.element == "a" && first?.number == sooner)
        let third = queue.insert("a", due: at(3))
        #expect(queue.popDueEntry(at: at(3))?.number == later)
        #expect(queue.popDueEntry(at: at(3))?.number == third)
        #expect(Set([later, sooner, third]).count == 3)
    }

    @Test("retain keeps what satisfies it, and the order")
    func retain() {
        var queue = TimerQueue<Int>()
        queue.retain { _ in true }
        #expect(queue.isEmpty)
        for number in 0..<100 { queue.insert(number, due: at(Int64(number / 10))) }
        queue.retain { $0 % 3 == 0 }
        #expect(queue.count == 34)
        for number in stride(from: 0, to: 100, by: 3) { #expect(queue.popDue(at: at(100)) == number) }
        queue.insert(1, due: at(1))
        queue.retain { _ in false }
        #expect(queue.isEmpty)
        #expect(queue.nextDue == nil)
    }

    /// The queue as a sorted array.
    private struct Model {
        var entries: [(due: Int64, order: Int, element: Int)] = []

        mutating func insert(_ element: Int, due: Int64, order: Int) {
            entries.append((due, order, element))
            entries.sort { ($0.due, $0.order) < ($1.due, $1.order) }
        }

        mutating func popDue(at now: Int64) -> Int? {
            guard let first = entries.first, first.due <= now else { return nil }
            return entries.removeFirst().element
        }
    }

    @Test("it does what a sorted array does", arguments: [1, 2, 3, 4] as [UInt64])
    func model(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var queue = TimerQueue<Int>()
        var model = Model()
        var now: Int64 = 0
        for step in 0..<3000 {
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<50:
                // Few different times, so that many are equal; some are past.
                let due = now + Int64.random(in: -3...12, using: &random)
                queue.insert(step, due: at(due))
                model.insert(step, due: due, order: step)
            case 50..<97:
                now += Int64.random(in: 0...1, using: &random)
                #expect(queue.popDue(at: at(now)) == model.popDue(at: now), "seed \(seed), step \(step)")
            default:
                let kept = Int.random(in: 2...9, using: &random)
                queue.retain { $0 % kept != 0 }
                model.entries.removeAll { $0.element % kept == 0 }
            }
            #expect(queue.count == model.entries.count, "seed \(seed), step \(step)")
            #expect(queue.nextDue?.microseconds == model.entries.first?.due, "seed \(seed), step \(step)")
        }
        while let expected = model.popDue(at: .max) { #expect(queue.popDue(at: at(.max)) == expected, "seed \(seed)") }
        #expect(queue.popDue(at: at(.max)) == nil)
    }
}
