import JobReactorTesting
import Testing

@testable import JobReactorWire

@Suite("The places of a port") struct AdmissionTests {
    @Test("without a password all places are for all, and beyond them none")
    func withoutPassword() {
        var places = Admission<Int>(limit: 2, asksForPassword: false)
        #expect([1, 2, 3].map { places.accept($0) } == [.admitted, .admitted, .refused])
        places.closed(1)
        let again = places.accept(4)
        #expect(again == .admitted && places.count == 2)
    }

    @Test("strangers have a tenth of the places, and of them the one that has waited longest goes for a new one")
    func strangers() {
        var places = Admission<Int>(limit: 30, asksForPassword: true)
        #expect((1...3).map { places.accept($0) } == [.admitted, .admitted, .admitted])
        var answer = places.accept(4)
        #expect(answer == .admittedInsteadOf(1))
        // One that has said the password leaves its place among them.
        places.authenticated(2)
        answer = places.accept(5)
        #expect(answer == .admitted)
        answer = places.accept(6)
        #expect(answer == .admittedInsteadOf(3))
        places.closed(4)
        answer = places.accept(7)
        #expect(answer == .admitted)
        #expect(places.count == 4 && places.strangersCount == 3)
    }

    @Test("a full port takes a stranger's place for a new connection, and refuses when all have said the password")
    func full() {
        var places = Admission<Int>(limit: 2, asksForPassword: true)
        _ = places.accept(1)
        places.authenticated(1)
        _ = places.accept(2)
        var answer = places.accept(3)
        #expect(answer == .admittedInsteadOf(2))
        places.authenticated(3)
        answer = places.accept(4)
        #expect(answer == .refused)
        places.closed(3)
        answer = places.accept(4)
        #expect(answer == .admitted && places.count == 2)
    }

    @Test(
        "when all places are taken one goes whose peer has ended its input, the one that did so first",
        arguments: [false, true])
    func ended(asksForPassword: Bool) {
        var places = Admission<Int>(limit: 4, asksForPassword: asksForPassword)
        for key in 1...4 {
            _ = places.accept(key)
            places.authenticated(key)
        }
        for key in [3, 2, 4] { places.inputEnded(key) }
        places.closed(2)
        let answers = (5...8).map { key in
            let answer = places.accept(key)
            places.authenticated(key)
            return answer
        }
        #expect(answers == [.admitted, .admittedInsteadOf(3), .admittedInsteadOf(4), .refused])
        #expect(places.count == 4)
    }

    @Test("whatever comes and goes, its counts are those of a list", arguments: 1...10 as ClosedRange<UInt64>)
    func random(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var places = Admission<Int>(limit: 40, asksForPassword: true)
        var (strangers, friends, next) = ([Int](), Set<Int>(), 0)
        for _ in 0..<3000 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<6:
                next += 1
                switch places.accept(next) {
                case .admitted: #expect(strangers.count < 4 && strangers.count + friends.count < 40)
                case .admittedInsteadOf(let gone): #expect(strangers.removeFirst() == gone)
                case .refused:
                    #expect(friends.count == 40)
                    continue
                }
                strangers.append(next)
            case 6..<8:
                guard let index = strangers.indices.randomElement(using: &random) else { continue }
                let friend = strangers.remove(at: index)
                friends.insert(friend)
                places.authenticated(friend)
            case 8:
                guard let index = strangers.indices.randomElement(using: &random) else { continue }
                places.closed(strangers.remove(at: index))
            default:
                guard let gone = friends.randomElement(using: &random) else { continue }
                friends.remove(gone)
                places.closed(gone)
            }
            #expect(places.count == strangers.count + friends.count && places.strangersCount == strangers.count)
        }
    }
}
