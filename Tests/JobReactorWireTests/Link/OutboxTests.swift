import JobReactorTesting
import JobReactorCore
import Testing

@testable import JobReactorWire

@Suite struct OutboxTests {
    enum Event: Sendable {
        case append(Int)
        case restart
        /// The same process, which has had those up to this number.
        case resume(Int)
        case taken(Int)
        /// Sends the rest, and these go out. In these tests a report is named by its number.
        case sends([Int])
    }

    @Test(
        "what goes out after what has happened, and how many are left",
        arguments: [
            ([.sends([])], 0),
            ([.append(1), .sends([1]), .sends([])], 1),
            ([.append(1), .append(2), .sends([1, 2]), .append(3), .sends([3]), .sends([])], 3),
            ([.append(1), .append(2), .sends([1, 2]), .taken(1), .sends([])], 1),
            ([.append(1), .append(2), .sends([1, 2]), .taken(2), .append(3), .sends([3]), .taken(3)], 0),
            // An acknowledgement that comes twice, or late, takes nothing more.
            ([.append(1), .append(2), .sends([1, 2]), .taken(1), .taken(1)], 1),
            ([.append(1), .append(2), .sends([1, 2]), .taken(2), .append(3), .sends([3]), .taken(1)], 1),
            // A new connection: what the other side does not have goes out again, in its order.
            ([.append(1), .append(2), .sends([1, 2]), .restart, .sends([1, 2])], 2),
            (
                [
                    .append(1), .append(2), .append(3), .sends([1, 2, 3]), .taken(1), .restart, .append(4),
                    .sends([2, 3, 4]),
                ], 3
            ),
            ([.append(1), .restart, .restart, .sends([1]), .restart, .sends([1])], 1),
            ([.restart, .append(1), .sends([1]), .taken(1), .restart, .sends([])], 0),
            // The same process comes back: what arrived before its receipt was lost does not go out again.
            ([.append(1), .append(2), .sends([1, 2]), .resume(1), .sends([2])], 1),
            ([.append(1), .append(2), .sends([1, 2]), .taken(1), .resume(1), .sends([2])], 1),
            ([.append(1), .append(2), .sends([1, 2]), .taken(1), .resume(2), .append(3), .sends([3])], 1),
            ([.append(1), .sends([1]), .resume(1), .append(2), .sends([2]), .taken(2), .resume(2), .sends([])], 0),
            ([.append(1), .append(2), .sends([1, 2]), .taken(1), .restart, .sends([2]), .resume(2), .sends([])], 0),
            ([.append(1), .resume(0), .sends([1])], 1),
            // The other side says that it has more than was sent: it has what was sent.
            ([.taken(5), .sends([])], 0),
            ([.append(1), .taken(1), .sends([1])], 1),
            ([.append(1), .sends([1]), .append(2), .taken(4_294_967_296), .sends([2])], 1),
            ([.append(1), .sends([1]), .restart, .taken(1), .sends([1])], 1),
            ([.append(1), .sends([1]), .taken(0), .sends([])], 1),
        ] as [([Event], Int)])
    func transcript(events: [Event], left: Int) {
        var outbox = Outbox()
        for event in events {
            switch event {
            case .append(let number): outbox.append(Self.report(number))
            case .restart: outbox.restart()
            case .resume(let received): outbox.restart(received: received)
            case .taken(let number): outbox.taken(through: number)
            case .sends(let numbers):
                var sent: [JobReport] = []
                outbox.sendRest { number, report in
                    #expect(report == Self.report(number))
                    sent.append(report)
                }
                #expect(sent == numbers.map(Self.report))
            }
        }
        #expect(outbox.count == left)
        #expect(outbox.isEmpty == (left == 0))
    }

    @Test("over connections that are lost at any time, every report arrives, in order, and none is kept")
    func connections() {
        var random = SeededGenerator(seed: 51)
        var outbox = Outbox()
        var made = 0
        var arrived: [Int] = []
        var onTheWay: [Int] = []
        for _ in 0..<10_000 {
            switch Int.random(in: 0..<5, using: &random) {
            case 0, 1:
                outbox.append(Self.report(made))
                made += 1
            case 2: outbox.sendRest { onTheWay.append(Int($1.run)) }
            case 3:
                let count = Int.random(in: 0...onTheWay.count, using: &random)
                arrived += onTheWay.prefix(count)
                onTheWay.removeFirst(count)
                outbox.taken(through: arrived.count)
            case 4 where Bool.random(using: &random):
                // Some arrived, their receipt did not.
                let count = Int.random(in: 0...onTheWay.count, using: &random)
                arrived += onTheWay.prefix(count)
                outbox.restart(received: arrived.count)
                onTheWay = []
            default:
                outbox.restart(received: arrived.count)
                onTheWay = []
            }
        }
        outbox.sendRest { onTheWay.append(Int($1.run)) }
        #expect(arrived + onTheWay == Array(0..<made))
        outbox.taken(through: made)
        #expect(outbox.isEmpty)
    }

    @Test("it knows whose end it holds, until that is taken; a run that is not the last is no end")
    func ends() {
        var outbox = Outbox()
        func holds(_ number: Int) -> Bool { outbox.containsEnd(of: id(number)) }
        outbox.append(Self.report(1))
        var again = Self.report(2)
        again.status = .queued
        outbox.append(again)
        #expect([1, 2].map(holds) == [true, false])
        outbox.append(Self.report(2))
        #expect([1, 2].map(holds) == [true, true])
        outbox.sendRest { _, _ in }
        let taken = outbox.taken(through: 1)
        #expect(taken == [JobReport.Key(id: id(1), run: 1)])
        #expect([1, 2].map(holds) == [false, true])
        // The receipt of the rest was lost with the connection, the reports were not.
        let received = outbox.restart(received: 3)
        #expect(received.count == 2)
        #expect([1, 2].map(holds) == [false, false])
    }

    private static func report(_ number: Int) -> JobReport {
        JobReport(
            id: id(number), name: "n", feedback: Feedback(.success, args: [:]), status: .complete, run: Int32(number))
    }
}
