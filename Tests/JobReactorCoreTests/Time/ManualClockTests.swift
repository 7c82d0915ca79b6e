import JobReactorCore
import JobReactorTesting
import Testing

@Suite struct ManualClockTests {
    @Test("it stands still, is set, and advances; its wall clock follows")
    func transcript() {
        let clock = ManualClock(at: start)
        let wallClock = clock.wallClock
        #expect(clock.now == start)
        #expect(wallClock.now == start)

        #expect(clock.advance(bySeconds: 1.5).microseconds == start.microseconds + 1_500_000)
        #expect(wallClock.now.microseconds == start.microseconds + 1_500_000)

        #expect(clock.advance(by: .microseconds(-1_500_001)).microseconds == start.microseconds - 1)
        #expect(clock.advance(by: .seconds(2) + .nanoseconds(1999)).microseconds == start.microseconds + 2_000_000)

        clock.set(Timestamp(microseconds: 7))
        #expect(wallClock.now == Timestamp(microseconds: 7))
        #expect(clock.advance(bySeconds: .infinity).microseconds == .max)
    }

    @Test("of steps made at the same time none is lost")
    func threads() async {
        let clock = ManualClock(at: Timestamp(microseconds: 0))
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { for _ in 0..<1000 { clock.advance(by: .microseconds(1)) } }
            }
        }
        #expect(clock.now.microseconds == 8000)
    }
}
