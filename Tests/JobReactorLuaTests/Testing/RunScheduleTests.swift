import JobReactorLua
import Testing

/// Time over a schedule, as a test fakes it.
@Suite struct RunScheduleTests {
    private let jobs = """
        job('report', { max_attempt = 1 }, function(args)
          args.schedule, args.tick, args.clock = job.schedule, job.tick, now()
          if args.slow then sleep(args.slow) end
          if args.fails then error('no paper', 0) end
        end)
        schedule('nightly', '30 2 * * *', 'report', { kind = 'full' })
        schedule('often', 'every 90s', 'report')
        schedule('slow', 'every 10s', 'report', { slow = 25 })
        schedule('fails', '@hourly', 'report', { fails = true })
        schedule('later', '@daily', { starts = 1774742400, ends = 1774828800 }, 'report')
        """

    @Test(
        "the job of each tick runs once, with the clock at that tick",
        arguments: [
            """
            fake.now(1774656000)
            local outcomes = run_schedule('nightly', 3 * 86400)
            equal(#outcomes, 3)
            equal(outcomes[1].args, { kind = 'full', schedule = 'nightly', tick = 1774665000, clock = 1774665000 })
            equal(outcomes[3].tick - outcomes[1].tick, 2 * 86400)
            equal(now(), 1774656000 + 3 * 86400)
            """,
            """
            fake.now(1000)
            local ticks = {}
            for i, outcome in ipairs(run_schedule('often', 300)) do ticks[i] = outcome.tick end
            equal(ticks, { 1090, 1180, 1270 })
            equal(now(), 1300)
            equal(run_schedule('often', 89), {})
            """,
            // What a job sleeps makes the next tick late.
            """
            fake.now(1000)
            local outcomes = run_schedule('slow', 30)
            equal({ outcomes[1].args.clock, outcomes[2].args.clock, outcomes[2].tick }, { 1010, 1035, 1020 })
            """,
            "fake.now(0) local o = run_schedule('fails', 3600) equal({ #o, o[1].status, o[1].error }, { 1, 'failed', 'no paper' })",
            "fake.now(1774656000) equal(#run_schedule('later', 10 * 86400), 2)",
        ])
    func ticks(body: String) async throws {
        let failure = try await ScriptTests.failure(body, jobs: jobs)
        #expect(failure == nil)
    }

    @Test(
        "what is wrong is told",
        arguments: [
            ("run_schedule('nigthly', 60)", "no script defines the schedule 'nigthly' (did you mean 'nightly'?)"),
            ("run_schedule('often', 1e6)", "more than 1000 ticks are due in that time: use a shorter time"),
            ("run_schedule('often', -1)", "run_schedule: expected seconds from 0 to 1e9, got -1"),
            ("run_schedule(5, 60)", "run_schedule: expected a schedule's name, got number"),
        ])
    func wrong(body: String, message: String) async throws {
        let failure = try await ScriptTests.failure(body, jobs: jobs)
        #expect(failure?.contains(message) == true, "\(failure ?? "none")")
    }
}
