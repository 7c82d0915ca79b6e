import JobReactorLua
import Testing

/// What `run` makes of a job: the same as a node.
@Suite struct TestedRunTests {
    private let jobs = """
        job('good', function(args) args.sum = args.a + args.b print('sum', args.sum) log.warn('careful') end)
        job_callback('good', function(args) args.twice = args.sum * 2 end)

        job('bad', { max_attempt = 2, retry_multiplier = 3 }, function(args) args.lost = true error('boom ' .. args.n) end)
        job_errback('bad', function(args) args.kept = args.error end)

        job('table', { max_attempt = 1 }, function() error({ code = 7 }) end)
        job('errback', { max_attempt = 1 }, function() error('first', 0) end)
        job_errback('errback', function() error('second', 0) end)
        job('cancels', function(args) args.x = 1 cancel_job() end)
        job('errback_cancels', function() error('x', 0) end)
        job_errback('errback_cancels', function() cancel_job() end)
        job('retries', function() error('x', 0) end)
        job_errback('retries', function() retry_in(0.25) end)
        job('backoff', { backoff = function(attempt, error) return attempt * 100 end }, function() error('x', 0) end)
        job('about', function(args) args.name, args.attempt, args.id = job.name, job.attempt, #job.id end)
        job('progress', function() progress(0.25) progress(0.5, 'half') end)
        job('enqueues', function(args)
          enqueue('a') enqueue('b', { x = 1 }, { after = 5 })
          args.ids = #enqueue { { 'c', { y = { 2 } } }, { name = 'd' } }
          args.id = #enqueue('e')
        end)
        job('enqueues_wrongly', { max_attempt = 1 }, function() enqueue('a', {}, { afer = 1 }) end)
        job('flaky', function(args)
          args.tries = (args.tries or 0) + 1
          print('try ' .. job.attempt)
          enqueue('tried', { n = job.attempt })
          sleep(1)
          if job.attempt < 4 then error('not yet', 0) end
          args.done = true
        end)
        job('slow', { timeout = 0.05 }, function() while true do end end)
        """

    @Test(
        arguments: [
            // The body and the callbacks, on the same args.
            "local o = run('good', { a = 1, b = 2 }) equal({ o.status, o.args }, { 'complete', { a = 1, b = 2, sum = 3, twice = 6 } })",
            "equal(run('good', { a = 1, b = 2 }).log, { 'sum\\t3', 'warning: careful' })",
            // The errbacks, on the args from before; the error, and when it is tried again.
            """
            local o = run('bad', { n = 1 })
            equal({ o.status, o.retry_in, o.attempt }, { 'error', 3, 1 })
            assert(o.error:find('jobs.lua:4: boom 1', 1, true))
            equal(o.args, { n = 1, kept = o.error })
            assert(o.traceback:find('jobs.lua:4: in function', 1, true))
            """,
            "local o = run('bad', { n = 1 }, 2) equal({ o.status, o.retry_in, o.attempt }, { 'failed', nil, 2 })",
            "local o = run('table') equal({ o.status, o.error }, { 'failed', { code = 7 } })",
            "local o = run('errback') equal({ o.error, o.errback_error }, { 'first', 'second' })",
            "local o = run('cancels') equal({ o.status, o.args }, { 'cancelled', { x = 1 } })",
            "local o = run('errback_cancels') equal({ o.status, o.error }, { 'cancelled', 'x' })",
            "equal(run('retries').retry_in, 0.25)",
            "equal(run('backoff', {}, 3).retry_in, 300)",
            "equal(run('about', {}, 3).args, { name = 'about', attempt = 3, id = 32 })",
            "equal(run('progress').progress, { fraction = 0.5, text = 'half' })",
            """
            local o = run('enqueues')
            equal(o.args, { ids = 2, id = 32 })
            equal(o.enqueued, {
              { name = 'a', args = {} }, { name = 'b', args = { x = 1 }, options = { after = 5 } },
              { name = 'c', args = { y = { 2 } } }, { name = 'd', args = {} }, { name = 'e', args = {} },
            })
            """,
            // What a node would refuse is refused.
            "local o = run('enqueues_wrongly') assert(o.error:find(\"unknown option 'afer'\", 1, true), o.error) equal(o.enqueued, {})",
            // Until the end, with what all attempts did.
            """
            local o = run_until_done('flaky', { n = 1 })
            equal(o.status, 'complete')
            equal(o.args, { n = 1, tries = 1, done = true })
            equal({ o.attempt, o.slept, o.waits }, { 4, 4, { 5, 10, 15 } })
            equal(o.log, { 'try 1', 'try 2', 'try 3', 'try 4' })
            equal(#o.enqueued, 4)
            """,
            "local o = run_until_done('bad', { n = 1 }) equal({ o.status, o.waits }, { 'failed', { 3 } })",
            "local o = run('slow') assert(o.error:find('longer than its timeout of 0.05 s', 1, true), o.error)",
            // Args travel as JSON.
            "local args = { a = 1, b = 2 } run('good', args) equal(args, { a = 1, b = 2 })",
        ])
    func aRunComesToWhatItComesToInANode(body: String) async throws {
        #expect(try await ScriptTests.failure(body, jobs: jobs) == nil)
    }

    @Test(
        arguments: [
            ("run('godo')", "no script defines the job 'godo' (did you mean 'good'?)"),
            ("run(7)", "run: expected a job's name, got number"),
            ("run('good', 7)", "run: expected a table of args, got number"),
            ("run('good', {}, 0)", "run: the attempt must be a whole number from 1 on, got 0"),
            ("run_until_done('unheard_of')", "no script defines the job 'unheard_of'"),
            ("enqueue('good')", "enqueue: there is no node in a test: run('name', args) runs a job"),
            ("test('inner', print)", "test: a test cannot have others in it"),
        ])
    func whatCannotBeRunIsAFailure(body: String, failure: String) async throws {
        #expect(try await ScriptTests.failure(body, jobs: jobs) == "t_test.lua:2: \(failure)")
    }
}
