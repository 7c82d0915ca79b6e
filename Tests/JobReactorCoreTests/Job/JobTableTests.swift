import JobReactorTesting
import Testing

@testable import JobReactorCore

@Suite("The table of jobs")
struct JobTableTests {
    @Test("does what a dictionary does, whatever comes in whatever order")
    func likeADictionary() {
        var random = SeededGenerator(seed: 71)
        for round in 0..<30 {
            var table = JobTable<Int>()
            var model: [JobID: Int] = [:]
            // Few ids meet often; some rounds have many.
            let ids = (0..<(round % 3 == 0 ? 2000 : 24)).map { number in
                JobID(high: UInt64.random(in: 0...3, using: &random), low: UInt64(number))
            }
            for step in 0..<4000 {
                guard let id = ids.randomElement(using: &random) else { continue }
                switch Int.random(in: 0..<8, using: &random) {
                case 0, 1:
                    table[id] = step
                    model[id] = step
                case 4:
                    // In place: what is there grows, goes when it is even, and comes when there is nothing.
                    Self.change(&table[id])
                    Self.change(&model[id])
                case 5:
                    table[id]? += 1
                    model[id]? += 1
                case 6 where model[id] == nil:
                    table.insert(step, forNew: id)
                    model[id] = step
                case 2:
                    #expect(table.removeValue(forKey: id) == model.removeValue(forKey: id))
                default:
                    table[id] = nil
                    model[id] = nil
                }
                #expect(table[id] == model[id] && table.contains(id) == (model[id] != nil))
            }
            #expect(table.count == model.count && table.isEmpty == model.isEmpty)
            #expect(Dictionary(uniqueKeysWithValues: table.elements.map { ($0.key, $0.value) }) == model)
            for id in ids { #expect(table[id] == model[id], "round \(round)") }
        }
    }

    private static func change(_ value: inout Int?) {
        guard let known = value else { return value = 7 }
        value = known.isMultiple(of: 2) ? nil : known + 1
    }

    @Test("finds ids that differ in one half alone, in either")
    func halves() {
        var table = JobTable<UInt64>()
        for number in 0..<5000 as Range<UInt64> {
            table[JobID(high: 7, low: number)] = number
            table[JobID(high: number << 16, low: 7)] = number
        }
        for number in 0..<5000 as Range<UInt64> {
            #expect(table[JobID(high: 7, low: number)] == number)
            #expect(table[JobID(high: number << 16, low: 7)] == number)
        }
        #expect(table[JobID(high: 8, low: 8)] == nil)
        table.removeAll()
        #expect(table.isEmpty && table[JobID(high: 7, low: 1)] == nil)
    }

    @Test("does so with more ids than its recent part takes, whose order is not that of their coming")
    func many() {
        var random = SeededGenerator(seed: 72)
        var table = JobTable<Int>()
        var model: [JobID: Int] = [:]
        var ids: [JobID] = []
        for step in 0..<120_000 {
            let time = Bool.random(using: &random) ? UInt64(step) << 4 : .random(in: 0...1 << 21, using: &random)
            let id = JobID(high: time, low: .random(in: 0...1, using: &random))
            ids.append(id)
            table[id] = step
            model[id] = step
            guard let other = ids.randomElement(using: &random) else { continue }
            #expect(table[other] == model[other])
            if step % 3 == 0 { #expect(table.removeValue(forKey: other) == model.removeValue(forKey: other)) }
        }
        #expect(table.count == model.count && table.count > 50_000)
        for id in ids { #expect(table[id] == model[id]) }
        for id in ids { #expect(table.removeValue(forKey: id) == model.removeValue(forKey: id)) }
        #expect(table.isEmpty)
        table[ids[0]] = 1
        #expect(table[ids[0]] == 1)
    }

    @Test("gives the memory of many jobs back when they are gone, and goes on")
    func emptied() {
        var table = JobTable<Int>()
        let ids = (0..<20_000).map { JobID(high: UInt64($0), low: 1) }
        for (number, id) in ids.enumerated() { table[id] = number }
        for id in ids { table[id] = nil }
        #expect(table.isEmpty && table.values.isEmpty && table.places.capacity == 0)
        table[ids[3]] = 3
        #expect(table[ids[3]] == 3 && table.count == 1)
    }

    @Test("pages have the next ids of all, in either direction, whatever has come and gone")
    func pages() {
        var random = SeededGenerator(seed: 72)
        var table = JobTable<Int>()
        var model: Set<JobID> = []
        for step in 0..<3000 {
            let id = JobID(
                high: UInt64.random(in: 0...40, using: &random), low: UInt64.random(in: 0...40, using: &random))
            if Int.random(in: 0..<3, using: &random) == 0 {
                table[id] = nil
                model.remove(id)
            } else {
                table[id] = step
                model.insert(id)
            }
        }
        let sorted = model.sorted()
        for limit in [1, 2, 7, 400, 5000] {
            var ascending: [JobID] = []
            while case let page = table.ids(after: ascending.last, limit: limit), !page.isEmpty { ascending += page }
            var descending: [JobID] = []
            while case let page = table.ids(before: descending.last, limit: limit), !page.isEmpty { descending += page }
            #expect(ascending == sorted && descending == sorted.reversed())
        }
        #expect(table.ids(after: nil, limit: 0).isEmpty && table.ids(before: nil, limit: -1).isEmpty)
        #expect(JobTable<Int>().ids(after: nil, limit: 5).isEmpty)
    }

    @Test("who looks at all in pieces meets each that stays once, while others come and go")
    func visits() {
        var table = JobTable<Int>()
        for number in 0..<1000 { table[id(number)] = number }
        var met: [JobID: Int] = [:]
        var place: Int? = 0
        var next = 1000
        while let from = place {
            place = table.visit(from: from, count: 64) { id, _ in met[id, default: 0] += 1 }
            // Half of those that were there go, and as many come.
            for number in next - 1000..<next - 968 where number % 2 == 0 {
                table[id(number)] = nil
                table[id(5000 + number)] = number
            }
            next += 32
        }
        for number in 0..<1000 where number % 2 == 1 { #expect(met[id(number)] == 1) }
        #expect(met.values.allSatisfy { $0 == 1 })
        #expect(table.visit(from: 100_000, count: 5) { _, _ in Issue.record("there is none") } == nil)
    }
}
