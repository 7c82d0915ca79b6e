import JobReactorCore
import Testing

@testable import JobReactorNode

/// In seconds.
private func at(_ seconds: Double) -> Timestamp { Timestamp(seconds: seconds) }

@Suite("The agenda of a node") struct AgendaTests {
    private static func id(_ number: Int) -> JobID { JobID(high: 1, low: UInt64(number)) }
    private static func moment(wall: Double, steady: Double) -> Moment { Moment(wall: at(wall), steady: at(steady)) }

    /// The jobs that are due, in their order.
    private static func due(_ agenda: inout Agenda, wall: Double, steady: Double) -> [Int] {
        var due: [Int] = []
        while let (id, _) = agenda.popDue(at: moment(wall: wall, steady: steady)) { due.append(Int(id.low)) }
        return due
    }

    @Test("waits end by the steady clock and dates come by the wall clock, whichever of them is set")
    func transcript() {
        var agenda = Agenda()
        #expect(agenda.isEmpty && Self.due(&agenda, wall: 1e9, steady: 1e9) == [])
        _ = agenda.insert(Self.id(1), .steady(at(10)))
        _ = agenda.insert(Self.id(2), .date(at(1000)))
        _ = agenda.insert(Self.id(3), .steady(at(5)))
        _ = agenda.insert(Self.id(4), .date(at(900)))
        #expect(agenda.count == 4)
        #expect(Self.due(&agenda, wall: 899, steady: 4) == [])
        // Set back an hour, the wall clock holds up no wait.
        #expect(Self.due(&agenda, wall: -2700, steady: 5) == [3])
        // Set on an hour, it ends none.
        #expect(Self.due(&agenda, wall: 4500, steady: 6) == [4, 2])
        #expect(Self.due(&agenda, wall: 4500, steady: 9.9) == [])
        #expect(Self.due(&agenda, wall: 0, steady: 10) == [1])
        #expect(agenda.isEmpty)
    }

    @Test("what is due at once comes first, in the order it came")
    func atOnce() {
        var agenda = Agenda()
        _ = agenda.insert(Self.id(1), .steady(at(0)))
        _ = agenda.insert(Self.id(2), .now)
        _ = agenda.insert(Self.id(3), .now)
        #expect(agenda.wake(at: Self.moment(wall: 0, steady: 5)).map { $0 <= at(5) } == true)
        #expect(Self.due(&agenda, wall: 0, steady: 0) == [2, 3, 1])
    }

    @Test(
        "it is looked at when the first is due, and within two seconds where a date may come by a clock that is set",
        arguments: [
            ([], nil), ([.steady(at(9))], 9), ([.steady(at(9)), .steady(at(7))], 7),
            ([.steady(at(1e9))], 1e9), ([.date(at(1000))], 5), ([.date(at(1000.5))], 5.5), ([.date(at(1002))], 7),
            ([.date(at(1003))], 7), ([.date(at(1e9))], 7), ([.date(at(990))], -5),
            ([.date(at(1e9)), .steady(at(6))], 6), ([.date(at(1001)), .steady(at(9))], 6),
        ] as [([DueTime], Double?)])
    func wakes(dues: [DueTime], wake: Double?) {
        var agenda = Agenda()
        for (number, due) in dues.enumerated() { _ = agenda.insert(Self.id(number), due) }
        #expect(agenda.wake(at: Self.moment(wall: 1000, steady: 5)) == wake.map(at))
    }

    @Test("no two entries of a job have the same number, whatever they wait for")
    func numbers() {
        var agenda = Agenda()
        var numbers: [Agenda.Number] = []
        for _ in 0..<10 {
            numbers.append(agenda.insert(Self.id(1), .now))
            numbers.append(agenda.insert(Self.id(1), .date(at(0))))
            numbers.append(agenda.insert(Self.id(1), .steady(at(1))))
        }
        var popped: [Agenda.Number] = []
        while let (_, number) = agenda.popDue(at: Self.moment(wall: 0, steady: 1)) { popped.append(number) }
        #expect(Set(numbers).count == 30)
        #expect(Set(popped) == Set(numbers))
    }
}
