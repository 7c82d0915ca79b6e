import JobReactorCore
import JobReactorTesting
import Testing

@Suite struct TurnQueueTests {
    @Test("has the turns of a fair queue, whatever comes and goes", arguments: 0..<20)
    func asFairQueue(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var (queue, fair) = (TurnQueue<Int>(), FairQueue<String, Int>())
        // Long times of one turn among others, and lines that grow beyond the longest.
        let names = ["a", "b", "a longer name that is not stored in place"]
        var held: Set<String> = []
        for number in 0..<6000 {
            let isPlain = number / 1500 % 2 == 0
            let key = isPlain ? names[0] : names.randomElement(using: &random) ?? ""
            let priority = isPlain ? JobPriority.usual : Int.random(in: 0...9, using: &random)
            switch Int.random(in: 0..<20, using: &random) {
            case 0..<11:
                queue.push(number, key: key, priority: priority)
                fair.push(number, key: key, priority: priority)
            case 11:
                queue.pushFirst(number, key: key, priority: priority)
                fair.pushFirst(number, key: key, priority: priority)
            case 12..<18:
                let popped = queue.pop { !held.contains($0) }
                #expect(popped == fair.pop { !held.contains($0) })
            case 18 where number % 7 == 0:
                if held.remove(key) == nil { held.insert(key) }
                for name in names where !held.contains(name) {
                    queue.resume(name)
                    fair.resume(name)
                }
            case 18 where number % 97 == 1:
                queue.removeAll { $0 % 3 == 0 }
                fair.removeAll { $0 % 3 == 0 }
            default:
                let one = queue.removeOne { $0 % 5 == 1 }
                // Which of those that match is not said.
                if let one { #expect(fair.removeOne { $0 == one } == one) }
            }
            #expect(queue.count == fair.count && queue.isEmpty == fair.isEmpty)
            #expect(queue.hasTurns == fair.hasTurns)
        }
        #expect(queue.elements.sorted() == fair.elements.sorted())
        for name in names {
            queue.resume(name)
            fair.resume(name)
        }
        if seed % 2 == 0 {
            #expect(queue.popAll() == fair.popAll())
        } else {
            while let next = fair.pop() { #expect(queue.pop() == next) }
        }
        #expect(queue.isEmpty && queue.pop() == nil && !queue.hasTurns)
    }
}
