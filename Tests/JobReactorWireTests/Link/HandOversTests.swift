import JobReactorCore
import JobReactorTesting
import Testing

@testable import JobReactorWire

@Suite("Hand-overs") struct HandOversTests {
    private func numbers(_ handOvers: inout HandOvers, _ first: Int, through last: Int) -> [Int] {
        var numbers: [Int] = []
        handOvers.answer(first, through: last) { numbers.append($0.number) }
        return numbers
    }

    @Test("are counted from 1, and each is answered once, by its number")
    func once() {
        var handOvers = HandOvers(awaitsAnswers: true)
        let sent = (1...4).map { handOvers.add(id($0)) }
        #expect(sent == [1, 2, 3, 4])
        let middle = numbers(&handOvers, 2, through: 3)
        #expect(middle == [2, 3])
        let rest = numbers(&handOvers, 1, through: 4)
        #expect(rest == [1, 4])
        #expect(handOvers.areAllAnswered)
        let again = numbers(&handOvers, 1, through: 4)
        #expect(again == [])
        let fifth = handOvers.add(id(1))
        #expect(fifth == 5)
        #expect(!handOvers.areAllAnswered)
    }

    @Test("a late answer to an earlier sending is none to a later one of the same job")
    func late() {
        var handOvers = HandOvers(awaitsAnswers: true)
        let first = HandOver(handOvers.add(id(1)), id(1))
        let isAnswered = handOvers.answer(first)
        #expect(isAnswered)
        let second = HandOver(handOvers.add(id(1)), id(1))
        // The storage refused the first: it was returned. That it is dealt with is said once more, later.
        let late = numbers(&handOvers, first.number, through: first.number)
        #expect(late == [])
        let isAnsweredTwice = handOvers.answer(first)
        #expect(!isAnsweredTwice)
        #expect(!handOvers.areAllAnswered)
        let isSecondAnswered = handOvers.answer(second)
        #expect(isSecondAnswered)
    }

    @Test(
        "an answer that fits none has no effect",
        arguments: [
            HandOver(0, id(1)), HandOver(2, id(1)), HandOver(1, id(2)), HandOver(-1, id(1)), HandOver(.max, id(1)),
        ])
    func unknown(handOver: HandOver) {
        var handOvers = HandOvers(awaitsAnswers: true)
        _ = handOvers.add(id(1))
        let isAnswered = handOvers.answer(handOver)
        #expect(!isAnswered)
        let beyond = numbers(&handOvers, 2, through: .max)
        #expect(beyond == [])
        let all = numbers(&handOvers, .min, through: .max)
        #expect(all == [1])
    }

    @Test("those that nobody answers are only counted")
    func counted() {
        var handOvers = HandOvers(awaitsAnswers: false)
        let sent = (1...3).map { handOvers.add(id($0)) }
        #expect(sent == [1, 2, 3])
        #expect(handOvers.areAllAnswered)
        let isAnswered = handOvers.answer(HandOver(1, id(1)))
        #expect(!isAnswered)
    }

    @Test("whatever the order of the answers, each ends its own hand-over")
    func randomly() {
        var random = SeededGenerator(seed: 77)
        var handOvers = HandOvers(awaitsAnswers: true)
        var open: [HandOver] = []
        for _ in 0..<20_000 {
            switch Int.random(in: 0..<4, using: &random) {
            case 0, 1:
                let job = id(Int.random(in: 0..<50, using: &random))
                open.append(HandOver(handOvers.add(job), job))
            case 2:
                guard let index = open.indices.randomElement(using: &random) else { continue }
                let isAnswered = handOvers.answer(open.remove(at: index))
                #expect(isAnswered)
            default:
                guard let low = open.randomElement(using: &random)?.number else { continue }
                let high = low + Int.random(in: 0..<5, using: &random)
                let expected = open.filter { (low...high).contains($0.number) }
                open.removeAll { (low...high).contains($0.number) }
                var answered: [HandOver] = []
                handOvers.answer(low, through: high) { answered.append($0) }
                #expect(answered == expected.sorted { $0.number < $1.number })
            }
            #expect(handOvers.unansweredCount == open.count)
        }
    }

    @Test(
        "numbers that are saved are acknowledged as ranges",
        arguments: [
            ([], []), ([1], [1...1]), ([1, 2, 3], [1...3]), ([1, 3, 4, 9], [1...1, 3...4, 9...9]),
            ([5, 4], [5...5, 4...4]),
        ] as [([Int], [ClosedRange<Int>])])
    func ranges(numbers: [Int], ranges: [ClosedRange<Int>]) {
        var saved = HandOverRanges()
        for number in numbers { saved.add(number) }
        #expect(saved.ranges == ranges)
        #expect(saved.count == numbers.count)
        let taken = saved.take()
        #expect(taken.ranges == ranges)
        #expect(saved.isEmpty)
    }
}
