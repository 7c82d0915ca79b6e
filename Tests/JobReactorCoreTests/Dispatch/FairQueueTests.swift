import JobReactorCore
import JobReactorTesting
import Testing

@Suite struct FairQueueTests {
    private typealias Queue = FairQueue<String, Int>

    private static func all(_ queue: inout Queue) -> [Int] {
        var elements: [Int] = []
        while let element = queue.pop() { elements.append(element) }
        return elements
    }

    @Test("one key is a queue")
    func oneKey() {
        var queue = Queue()
        #expect(queue.isEmpty && queue.pop() == nil && !queue.hasTurns)
        for number in 1...5 { queue.push(number, key: "a") }
        #expect(queue.count == 5 && queue.keyCount == 1 && queue.count(of: "a") == 5 && queue.count(of: "b") == 0)
        #expect(queue.pop() == 1)
        queue.push(6, key: "a")
        #expect(Self.all(&queue) == [2, 3, 4, 5, 6])
        #expect(queue.isEmpty && queue.keyCount == 0 && !queue.hasTurns)
    }

    @Test("keys take turns: one element waits for no more than one of each other key, however many those have")
    func turns() {
        var queue = Queue()
        for number in 0..<6000 { queue.push(number, key: "many") }
        queue.push(10_000, key: "late")
        #expect(queue.pop() == 0 && queue.pop() == 10_000 && queue.pop() == 1)
        for number in 0..<3 { queue.push(20_000 + number, key: "few") }
        queue.push(10_001, key: "late")
        #expect((0..<8).compactMap { _ in queue.pop() } == [2, 20_000, 10_001, 3, 20_001, 4, 20_002, 5])
        #expect(queue.count == 6000 - 6)
    }

    @Test("higher priorities go first, and lower get one turn in sixteen; within each, keys take turns")
    func priorities() {
        var queue = Queue()
        for number in 0..<3 { queue.push(number, key: "low", priority: 0) }
        for number in 0..<100 { queue.push(100 + number, key: ["a", "b"][number % 2], priority: 9) }
        let popped = (0..<32).compactMap { _ in queue.pop() }
        #expect(Array(popped.prefix(16)) == (100..<115) + [0])
        #expect(popped.last == 1)
        // A key may have several priorities; those that are none count as the nearest.
        queue = Queue()
        queue.push(1, key: "a", priority: -5)
        queue.push(2, key: "a", priority: 100)
        queue.push(3, key: "a")
        queue.push(4, key: "b", priority: 6)
        #expect(Self.all(&queue) == [2, 4, 3, 1])
    }

    @Test("an element that is put first is the next of its priority")
    func first() {
        var queue = Queue()
        queue.push(1, key: "a")
        queue.push(2, key: "b")
        queue.pushFirst(3, key: "b")
        queue.pushFirst(4, key: "c")
        #expect(Self.all(&queue) == [4, 3, 1, 2])
    }

    @Test("all come out in the order of their turns, and one that is looked for out of its order")
    func allAndOne() {
        var queue = Queue()
        for number in 0..<6 { queue.push(number, key: number < 4 ? "a" : "b") }
        #expect(queue.removeOne { $0 == 2 } == 2 && queue.removeOne { $0 == 2 } == nil)
        #expect(queue.popAll() == [0, 4, 1, 5, 3] && queue.isEmpty && queue.popAll() == [])
        for number in 0..<4 { queue.push(number, key: number < 2 ? "a" : "b") }
        queue.setAside("a")
        #expect(queue.popAll() == [2, 3, 0, 1] && queue.isEmpty)
    }

    @Test("what is removed leaves no trace")
    func removed() {
        var queue = Queue()
        let handles = (0..<6).map { queue.push($0, key: ["a", "b"][$0 % 2]) }
        #expect(queue.remove(handles[0]) == 0 && queue.remove(handles[3]) == 3 && queue.remove(handles[4]) == 4)
        #expect(queue.remove(handles[0]) == nil && queue.remove(-1) == nil && queue.remove(1000) == nil)
        #expect(queue.count == 3)
        #expect(Self.all(&queue) == [2, 1, 5])
        for number in 0..<10 { queue.push(number, key: "\(number % 3)") }
        queue.removeAll { $0 % 2 == 0 }
        #expect(queue.elements.sorted() == [1, 3, 5, 7, 9])
        #expect(Self.all(&queue) == [3, 1, 5, 9, 7])
    }

    @Test("a key that may not leave is set aside, and asked for no more until it is resumed")
    func aside() {
        var queue = Queue()
        for number in 0..<6 { queue.push(number, key: ["a", "b"][number % 2], priority: number / 2) }
        var asked: [String] = []
        func take(_ paused: String) -> Int? {
            queue.pop { key in
                asked.append(key)
                return key != paused
            }
        }
        #expect(take("a") == 5 && take("a") == 3 && take("a") == 1 && take("a") == nil)
        #expect(asked == ["a", "b", "b", "b"])
        #expect(queue.count == 3 && !queue.hasTurns)
        queue.push(6, key: "a", priority: 9)
        #expect(queue.pop() == nil)
        queue.pushFirst(7, key: "a", priority: 9)
        queue.resume("b")
        #expect(queue.pop() == nil)
        queue.resume("a")
        queue.resume("a")
        #expect(Self.all(&queue) == [7, 6, 4, 2, 0])
        // Nothing is known of a key without elements.
        queue.setAside("a")
        queue.push(8, key: "a")
        #expect(queue.pop() == 8)
        let handle = queue.push(9, key: "a")
        queue.setAside("a")
        #expect(queue.remove(handle) == 9)
        queue.push(10, key: "a")
        #expect(queue.pop() == 10)
    }

    @Test("a queue that was large is emptied, and used again")
    func large() {
        var queue = Queue()
        for round in 0..<2 {
            for number in 0..<20_000 { queue.push(number, key: "\(number % 7)", priority: number % 3) }
            if round == 0 { queue.removeAll { _ in true } } else { #expect(Self.all(&queue).count == 20_000) }
            #expect(queue.isEmpty && queue.keyCount == 0 && queue.pop() == nil)
            queue.push(1, key: "x")
            #expect(queue.pop() == 1)
        }
    }

    /// The queue as lists that are looked through.
    private struct Model {
        struct Entry {
            let key: String
            let priority: Int
            let number: Int
        }
        var entries: [Entry] = []
        /// By priority, the keys that take turns, in their order.
        var rings: [[String]] = Array(repeating: [], count: 10)
        var aside: Set<String> = []
        var turns = PriorityTurns()

        mutating func push(_ entry: Entry, isFirst: Bool) {
            let isKnown = entries.contains { $0.key == entry.key && $0.priority == entry.priority }
            if isFirst { entries.insert(entry, at: 0) } else { entries.append(entry) }
            guard !aside.contains(entry.key) else { return }
            if isFirst {
                rings[entry.priority].removeAll { $0 == entry.key }
                rings[entry.priority].insert(entry.key, at: 0)
            } else if !isKnown {
                rings[entry.priority].append(entry.key)
            }
        }

        mutating func remove(_ number: Int) {
            guard let index = entries.firstIndex(where: { $0.number == number }) else { return }
            let entry = entries.remove(at: index)
            if !entries.contains(where: { $0.key == entry.key && $0.priority == entry.priority }) {
                rings[entry.priority].removeAll { $0 == entry.key }
            }
            if !entries.contains(where: { $0.key == entry.key }) { aside.remove(entry.key) }
        }

        mutating func setAside(_ key: String) {
            guard entries.contains(where: { $0.key == key }) else { return }
            aside.insert(key)
            for priority in rings.indices { rings[priority].removeAll { $0 == key } }
        }

        mutating func pop(_ refused: Set<String>) -> Int? {
            while true {
                let bits = rings.indices.reduce(UInt16(0)) { rings[$1].isEmpty ? $0 : $0 | 1 << UInt16($1) }
                guard let priority = turns.next(among: bits), let key = rings[priority].first else { return nil }
                if refused.contains(key) {
                    setAside(key)
                    continue
                }
                turns.started(priority, among: bits)
                guard let entry = entries.first(where: { $0.key == key && $0.priority == priority }) else { return nil }
                rings[priority].removeFirst()
                rings[priority].append(key)
                remove(entry.number)
                return entry.number
            }
        }
    }

    @Test("it does what lists do that are looked through", arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func model(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var (queue, model) = (Queue(), Model())
        var handles: [Int: Queue.Handle] = [:]
        let keys = ["a", "b", "c", "d", "e"]
        for step in 0..<4000 {
            let key = keys.randomElement(using: &random) ?? "a"
            let priority = seed % 2 == 0 ? 5 : Int.random(in: 0...9, using: &random)
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<40:
                handles[step] = queue.push(step, key: key, priority: priority)
                model.push(Model.Entry(key: key, priority: priority, number: step), isFirst: false)
            case 40..<45:
                handles[step] = queue.pushFirst(step, key: key, priority: priority)
                model.push(Model.Entry(key: key, priority: priority, number: step), isFirst: true)
            case 45..<80:
                let refused: Set<String> = Bool.random(using: &random) ? [] : [key]
                let popped = queue.pop { !refused.contains($0) }
                try #require(popped == model.pop(refused), "seed \(seed), step \(step)")
                if let popped { handles[popped] = nil }
            case 80..<88:
                guard let number = handles.keys.sorted().randomElement(using: &random), let handle = handles[number]
                else {
                    continue
                }
                try #require(queue.remove(handle) == number)
                handles[number] = nil
                model.remove(number)
            case 88..<92:
                queue.setAside(key)
                model.setAside(key)
            case 92..<99:
                queue.resume(key)
                guard model.aside.remove(key) != nil else { continue }
                // In the order in which the queue keeps the lines of a key; a key has one place in each ring.
                for entry in model.entries where entry.key == key && !model.rings[entry.priority].contains(key) {
                    model.rings[entry.priority].append(key)
                }
            default:
                queue.removeAll { $0 % 7 == 0 }
                for entry in model.entries where entry.number % 7 == 0 {
                    model.remove(entry.number)
                    handles[entry.number] = nil
                }
            }
            try #require(queue.count == model.entries.count, "seed \(seed), step \(step)")
            try #require(queue.count(of: key) == model.entries.count { $0.key == key })
            try #require(queue.keyCount == Set(model.entries.map(\.key)).count)
        }
        for key in keys { queue.resume(key) }
        var rest: [Int] = []
        while let element = queue.pop() { rest.append(element) }
        try #require(rest.sorted() == model.entries.map(\.number).sorted())
    }
}
