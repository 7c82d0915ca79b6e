import JobReactorCore
import Testing

@Suite struct ScheduleTickTests {
    private static let midnight = Timestamp(microseconds: 1_767_225_600_000_000)

    @Test("the id of a tick's job is made from the schedule's name and the time, by everybody alike")
    func id() {
        let tick = ScheduleTick(of: "nightly_report", at: Self.midnight)
        #expect(tick == ScheduleTick(of: "nightly_report", at: Self.midnight))
        // Other versions make the same.
        #expect(tick.id.description == "019b76daa8003389d1d43929b6a19ce7")
        #expect(tick.id != ScheduleTick(of: "nightly_reports", at: Self.midnight).id)
        #expect(tick.id != ScheduleTick(of: "nightly_report", at: Self.midnight.advanced(bySeconds: 1)).id)
        #expect(tick.id != ScheduleTick(of: "nightly_report", at: Self.midnight.advanced(byMicroseconds: 1)).id)
    }

    @Test("ids of ticks are in the order of their times, as others are, and none is the same")
    func order() {
        var ids: [JobID] = []
        for second in 0..<2000 {
            let tick = ScheduleTick(of: "s\(second % 3)", at: Self.midnight.advanced(bySeconds: Double(second)))
            ids.append(tick.id)
        }
        #expect(ids == ids.sorted() && Set(ids).count == 2000)
        var generator = JobID.Generator()
        let made = generator.next(at: Self.midnight.advanced(bySeconds: 1000.5))
        #expect(ids[1000] < made && made < ids[1001])
    }

    @Test("each tick is late by a share of the jitter that its id decides")
    func jitter() {
        var shares: [Double] = []
        for second in 0..<1000 {
            let tick = ScheduleTick(of: "s", at: Self.midnight.advanced(bySeconds: Double(second)))
            #expect(tick.due(jitter: 0) == tick.at)
            let due = tick.due(jitter: 100)
            #expect(due == ScheduleTick(of: "s", at: tick.at).due(jitter: 100))
            shares.append(due.seconds - tick.at.seconds)
        }
        #expect(shares.allSatisfy { $0 >= 0 && $0 < 100 })
        // They are spread.
        for tenth in 0..<10 {
            let count = shares.count { Int($0 / 10) == tenth }
            #expect(count > 50 && count < 150, "\(tenth)")
        }
    }
}
