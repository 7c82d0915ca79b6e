import JobReactorCore
import Testing

@Suite struct TimestampTests {
    @Test(
        "seconds become microseconds, rounded and clamped",
        arguments: [
            (0, 0), (1, 1_000_000), (-1, -1_000_000), (0.000_001, 1), (0.000_000_4, 0), (0.000_000_6, 1),
            (-0.000_000_6, -1), (0.1, 100_000), (1_767_225_600.123456, 1_767_225_600_123_456),
            (9.2e12, .max), (1e300, .max), (.infinity, .max), (-9.2e12, .min), (-.infinity, .min), (.nan, .max),
        ] as [(Double, Int64)])
    func seconds(_ seconds: Double, microseconds: Int64) {
        #expect(Timestamp(seconds: seconds).microseconds == microseconds)
    }

    @Test("a moment of this and the next century survives the way to seconds and back")
    func roundTrip() {
        for microseconds in [0, 1, 999_999, start.microseconds, start.microseconds + 1, 7_258_118_400_000_001] {
            let moment = Timestamp(microseconds: Int64(microseconds))
            #expect(Timestamp(seconds: moment.seconds) == moment)
        }
    }

    @Test(
        "a moment advances by seconds, clamped to what fits",
        arguments: [
            (0, 5, 5_000_000), (5_000_000, -5, 0), (start.microseconds, 0.000_001, start.microseconds + 1),
            (.max, 1, .max), (.max - 1, 0.000_001, .max), (.max, -1, .max - 1_000_000), (.min, -1, .min),
            (.min, 1, .min + 1_000_000), (0, .infinity, .max), (-1, -.infinity, .min), (7, .nan, 7),
        ] as [(Int64, Double, Int64)])
    func advanced(from microseconds: Int64, by seconds: Double, to expected: Int64) {
        #expect(Timestamp(microseconds: microseconds).advanced(bySeconds: seconds).microseconds == expected)
    }

    @Test("moments compare by time")
    func order() {
        let moments = [Int64.min, -1, 0, 1, .max].map { Timestamp(microseconds: $0) }
        for (index, earlier) in moments.enumerated() {
            for later in moments[(index + 1)...] {
                #expect(earlier < later)
                #expect(!(later < earlier))
            }
            #expect(!(earlier < earlier))
        }
    }

    @Test("the system's clock shows a time after these lines were written, and does not lag behind itself")
    func systemClock() {
        let first = Timestamp.now
        #expect(first > Timestamp(seconds: 1_735_689_600))
        #expect(first < Timestamp(seconds: 7_258_118_400))
        let read = WallClock.system.now
        #expect(abs(read.microseconds - first.microseconds) < 3_600_000_000)
    }

    @Test("a wall clock of one's own is asked each time")
    func ownClock() {
        let clock = WallClock { start }
        #expect(clock.now == start)
    }
}
