import JobReactorCore
import JobReactorTesting
import Testing

@Suite struct PriorityTurnsTests {
    /// The priorities that start, one after the other, while these wait.
    private static func starts(_ count: Int, among waiting: [Int], _ turns: inout PriorityTurns) -> [Int] {
        let bits = waiting.reduce(UInt16(0)) { $0 | 1 << UInt16($1) }
        return (0..<count).compactMap { _ in
            guard let next = turns.next(among: bits) else { return nil }
            turns.started(next, among: bits)
            return next
        }
    }

    @Test("higher priorities go first, and what is lower still gets one start in sixteen")
    func two() {
        var turns = PriorityTurns()
        let high = Array(repeating: 9, count: 15)
        #expect(Self.starts(34, among: [0, 9], &turns) == high + [0] + high + [0, 9, 9])
        #expect(turns.next(among: 0) == nil)
        #expect(Self.starts(3, among: [4], &turns) == [4, 4, 4])
    }

    @Test("so does each of all ten, and the highest gets the rest")
    func all() {
        var turns = PriorityTurns()
        let starts = Self.starts(160, among: Array(JobPriority.range), &turns)
        #expect(starts.prefix(7).allSatisfy { $0 == 9 })
        for priority in 0..<9 { #expect(starts.count { $0 == priority } == 10, "\(priority)") }
        for window in 0...(160 - 16) { #expect(Set(starts[window..<window + 16]).count == 10) }
        // Those that must start in a row start in order of their priority.
        #expect(Array(starts[7..<16]) == [8, 7, 6, 5, 4, 3, 2, 1, 0])
    }

    @Test("what begins to wait has no claim from before")
    func again() {
        var turns = PriorityTurns()
        #expect(Self.starts(14, among: [1, 5], &turns) == Array(repeating: 5, count: 14))
        #expect(Self.starts(1, among: [5], &turns) == [5])
        #expect(Self.starts(15, among: [1, 5], &turns) == Array(repeating: 5, count: 15))
        #expect(Self.starts(1, among: [1, 5], &turns) == [1])
    }

    @Test(
        "whatever comes and goes, who waits for sixteen starts has one of them", arguments: [1, 2, 3, 4, 5] as [UInt64])
    func model(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var turns = PriorityTurns()
        var waiting: Set<Int> = []
        /// Starts of others since each began to wait or started.
        var ages: [Int: Int] = [:]
        for step in 0..<20_000 {
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let priority = Int.random(in: 0...9, using: &random)
                if Int.random(in: 0..<10, using: &random) < 7 {
                    waiting.insert(priority)
                } else {
                    waiting.remove(priority)
                }
            }
            if seed == 1 { waiting.formUnion(JobPriority.range) }
            ages = ages.filter { waiting.contains($0.key) }
            let bits = waiting.reduce(UInt16(0)) { $0 | 1 << UInt16($1) }
            guard let next = turns.next(among: bits) else {
                try #require(waiting.isEmpty)
                continue
            }
            try #require(waiting.contains(next) && turns.next(among: bits) == next)
            turns.started(next, among: bits)
            for other in waiting where other != next {
                ages[other, default: 0] += 1
                try #require(ages[other, default: 0] <= 15, "seed \(seed), step \(step), \(other)")
            }
            // The highest goes first unless another has to.
            if next != waiting.max() { try #require(ages[next, default: 0] >= 15 - waiting.count) }
            ages[next] = 0
        }
    }
}
