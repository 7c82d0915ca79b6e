import JobReactorCore
import Testing

/// In microseconds.
private func at(_ microseconds: Int64) -> Timestamp { Timestamp(microseconds: microseconds) }

@Suite struct DueTimeTests {
    private static let now = Moment(wall: at(1_000), steady: at(50))

    @Test(
        "what counts from some moment is past by the steady clock, a date by the wall clock",
        arguments: [
            (.now, true, nil), (.steady(at(50)), true, 1_000), (.steady(at(49)), true, 999),
            (.steady(at(51)), false, 1_001), (.steady(at(999)), false, 1_949), (.date(at(1_000)), true, 1_000),
            (.date(at(1_001)), false, 1_001), (.date(at(50)), true, 50), (.never, false, .max),
            (.date(at(.min)), true, .min),
        ] as [(DueTime, Bool, Int64?)])
    func table(due: DueTime, isPast: Bool, date: Int64?) {
        #expect(due.isPast(at: Self.now) == isPast)
        #expect(due.date(at: Self.now)?.microseconds == date)
    }

    @Test("no clock is so far off that a date overflows")
    func ends() {
        let first = Moment(wall: at(.min), steady: at(.max))
        #expect(DueTime.steady(at(.min)).date(at: first) == at(.min))
        let last = Moment(wall: at(.max), steady: at(.min))
        #expect(DueTime.steady(at(.max)).date(at: last) == at(.max))
        #expect(last.advanced(bySeconds: 1).wall == at(.max))
        #expect(Self.now.advanced(bySeconds: 2) == Moment(wall: at(2_001_000), steady: at(2_000_050)))
    }

    private static func job(_ options: JobOptions) -> Job {
        Job(id: id(1), name: "resize", args: [:], options: options, createdAt: start)
    }

    @Test("a job with run_at is due at that date, one with after so long from the moment, and others at once")
    func jobs() {
        let moment = Moment(wall: start.advanced(bySeconds: -3600), steady: at(7))
        let date = start.advanced(bySeconds: 5)
        #expect(Self.job(JobOptions(runAt: date)).due(countedFrom: moment) == .date(date))
        #expect(Self.job(JobOptions(after: 1, runAt: date)).due(countedFrom: moment) == .date(date))
        #expect(Self.job(JobOptions(after: 2)).due(countedFrom: moment) == .steady(at(2_000_007)))
        for options in [
            JobOptions(), JobOptions(after: 0), JobOptions(period: 5), JobOptions(runAt: start),
            JobOptions(runAt: at(0)),
        ] {
            #expect(Self.job(options).due(countedFrom: moment) == .now, "\(options)")
        }
    }

    @Test("after its first run a job with a date has none: it waits for its period, or to be tried again")
    func afterTheFirstRun() {
        let moment = Moment(wall: start, steady: at(0))
        let options = JobOptions(runAt: start.advanced(bySeconds: 60), period: 3)
        let running = JobLifecycle.begin(Self.job(options), now: start)
        let again = JobLifecycle.end(running, RunOutcome(.succeeded, args: [:]), policy: JobPolicy(), now: start)
        #expect(again.job.due(countedFrom: moment) == .steady(at(3_000_000)))
        let retried = JobLifecycle.end(running, RunOutcome(.failed, args: [:]), policy: JobPolicy(), now: start)
        #expect(retried.job.due(countedFrom: moment) == .steady(at(3_000_000)))
        #expect(JobLifecycle.retry(Self.job(options), now: start)?.due(countedFrom: moment) == .now)
        #expect(JobLifecycle.takeUp(running, policy: JobPolicy(), now: start)?.job.due(countedFrom: moment) == .now)
    }
}
