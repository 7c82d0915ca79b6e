import JobReactorLua
import Testing

/// In a test nothing leaves the process, and time stands still.
@Suite struct FakesTests {
    private let jobs = """
        local get, pause, clock = http.get, sleep, now
        job('gets', { max_attempt = 1 }, function(args)
          local answer = get(args.url, { headers = { Accept = 'x' } })
          args.status, args.body, args.answered = answer.status, answer.body, answer.url
          args.type = answer.headers['content-type']
        end)
        job('posts', function(args) args.cats = http.post('http://h/', nil, { json = { n = 1 } }):json().cats end)
        job('deletes', function(args) args.status = http.request { url = 'http://h/', method = 'delete' }.status end)
        job('execs', { max_attempt = 1 }, function(args)
          local result = exec('convert', args.path, '-v')
          args.status, args.stdout = result.status, result.stdout
          args.sorted = exec { 'sort', '-n', stdin = '2' }.stdout
        end)
        job('redis', { max_attempt = 1 }, function(args)
          local cache = redis.connect()
          args.answer = cache:call('SET', 'k', 1)
          cache:close()
          args.after = select(2, pcall(cache.call, cache, 'GET'))
        end)
        job('performs', { max_attempt = 1 }, function(args) args.result = perform('resize', { w = args.w }).w end)
        job('told', function(args)
          enqueue('resize', { w = 1 }, nil, function(a) args.good = a.w end, function(a) args.bad = a.error end)
        end)
        job('sleeps', function(args)
          local began = clock()
          pause(100)
          args.seconds = clock() - began
        end)
        job('tasks', function(args)
          args.order = {}
          local function note(what) args.order[#args.order + 1] = what .. ' ' .. (now() - 1000) end
          local beat = every(2, function() note('beat') end)
          local cancelled = spawn(function() sleep(1) note('never') end)
          after(5, note, 'after')
          spawn(function() sleep(3) note('a') sleep(0.5) note('b') end)
          cancelled:cancel()
          sleep(6.5)
          beat:cancel()
          note('end')
        end)
        job('slow_beats', function(args)
          args.beats = {}
          local beat = every(2, function()
            args.beats[#args.beats + 1] = now() - 1000
            sleep(5)
          end)
          sleep(14)
        end)
        job('broken_beats', { max_attempt = 1 }, function()
          every(1, function() error('no beat', 0) end)
          sleep(5)
        end)
        job('shares', function(args) args.n = shared.incr('n') end)
        job('dates', function(args) args.time, args.date = os.time(), os.date('!%Y-%m-%d') end)
        """

    @Test(
        arguments: [
            """
            local asked
            fake.http(function(request) asked = request return { status = 404, body = 'no cat', headers = { ['Content-Type'] = 't' } } end)
            equal(run('gets', { url = 'http://h/cat' }).args,
              { url = 'http://h/cat', status = 404, body = 'no cat', answered = 'http://h/cat', type = 't' })
            equal(asked, { method = 'GET', url = 'http://h/cat', headers = { accept = 'x' } })
            """,
            """
            fake.http(function(request)
              equal(request.body, '{"n":1}')
              equal({ request.method, request.headers['content-type'] }, { 'POST', 'application/json' })
              return { json = { cats = 7 } }
            end)
            equal(run('posts').args.cats, 7)
            """,
            "fake.http(function(request) return { status = request.method == 'DELETE' and 204 } end) equal(run('deletes').args.status, 204)",
            "fake.http(function() error('no route to host', 0) end) equal(run('gets', { url = 'u' }).error, 'no route to host')",
            """
            local calls = {}
            fake.exec(function(program, ...) calls[#calls + 1] = { program, ... } return { stdout = program } end)
            equal(run('execs', { path = 'cat.png' }).args, { path = 'cat.png', status = 0, stdout = 'convert', sorted = 'sort' })
            equal(calls, { { 'convert', 'cat.png', '-v' }, { 'sort', '-n', { stdin = '2' } } })
            """,
            """
            fake.redis(function(command, ...) equal({ ... }, { 'k', 1 }) return command .. ' done' end)
            local args = run('redis').args
            equal(args.answer, 'SET done')
            assert(args.after:find('the connection is closed', 1, true))
            """,
            "fake.perform('resize', function(args) args.w = args.w * 2 return args end) equal(run('performs', { w = 4 }).args.result, 8)",
            "fake.perform('resize', function() error('too big', 0) end) equal(run('performs', { w = 4 }).error, 'too big')",
            "fake.perform('resize', function(args) return { w = args.w + 1 } end) equal(run('told').args, { good = 2 })",
            "fake.perform('resize', function() error('x', 0) end) equal(run('told').args, { bad = 'x' })",
            "local o = run('told') equal({ o.args, #o.enqueued }, { {}, 1 })",
            // Time.
            "local o = run('sleeps') equal({ o.args.seconds, o.slept }, { 100, 100 })",
            "fake.now(5) sleep(2.5) equal(now(), 7.5) equal(now(), 7.5)",
            "fake.now(86400.9) equal(run('dates').args, { time = 86400, date = '1970-01-02' })",
            "equal(os.time { year = 2000, month = 1, day = 1, hour = 12 }, os.time { year = 2000, month = 1, day = 1 })",
            """
            fake.now(1000)
            local outcome = run('tasks')
            equal(outcome.args.order, { 'beat 2.0', 'a 3.0', 'b 3.5', 'beat 4.0', 'after 5.0', 'beat 6.0', 'end 6.5' })
            equal(outcome.slept, 6.5)
            """,
            "fake.now(1000) local o = run('slow_beats') equal({ o.args.beats, o.slept }, { { 2, 7, 12 }, 14 })",
            "local o = run('broken_beats') equal(o.slept, 5)",
            "fake.none() local began = now() sleep(0.001) assert(now() > began) assert(now() - began < 60)",
            "fake.none() fake.now(5) sleep(1000) equal(now(), 1005)",
            // Between tests.
            "equal(run('shares').args.n, 1) equal(run('shares').args.n, 2)",
        ])
    func jobsGetTheFakes(body: String) async throws {
        #expect(try await ScriptTests.failure(body, jobs: jobs) == nil)
    }

    @Test(
        arguments: [
            ("gets", "http.get('http://h/')", "fake.http(function(request) … end)"),
            ("execs", "exec('convert')", "fake.exec(function(program, ...) … end)"),
            ("redis", "redis.connect()", "fake.redis(function(command, ...) … end)"),
        ])
    func withoutAFakeTheErrorSaysWhichIsMissing(job: String, call: String, fake: String) async throws {
        let failure = try await ScriptTests.failure("error(run('\(job)', { url = 'http://h/' }).error, 0)", jobs: jobs)
        #expect(failure?.contains("jobs.lua:") == true)
        #expect(
            failure?.hasSuffix(
                "\(call) in a test: say what it answers with \(fake), or let the test out with fake.none()")
                == true)
    }

    @Test func withoutAFakePerformSaysSo() async throws {
        let failure = try await ScriptTests.failure("error(run('performs').error, 0)", jobs: jobs)
        #expect(failure?.hasSuffix("say what it answers with fake.perform('resize', function(args) … end)") == true)
    }

    @Test func fakesAndSharedValuesEndWithTheirTest() async throws {
        let tests = """
            test('one', function()
              fake.http(function() return {} end)
              fake.now(5)
              equal(http.get('u').status, 200)
              equal(run('shares').args.n, 1)
            end)
            test('two', function()
              equal(run('shares').args.n, 1)
              assert(now() > 1e9)
              equal(run('gets', { url = 'u' }).status, 'failed')
            end)
            """
        try await ScriptTests.with(["jobs.lua": jobs, "a_test.lua": tests]) { tests in
            for test in tests.tests { #expect(await tests.run(test).failure == nil, "\(test.title)") }
            #expect(tests.tests.count == 2)
        }
    }

    @Test(
        arguments: [
            ("fake.http(7)", "fake.http: expected a function, got number"),
            ("fake.http(function() end) http.get('u')", "fake.http: its function must return a table, got nil"),
            ("fake.perform(print)", "fake.perform: expected a job's name, got function"),
            ("fake.now('noon')", "fake.now: expected seconds since 1970, got string"),
            ("sleep(-1)", "sleep: expected seconds from 0 to 1e9, got -1"),
            ("every(0, print)", "every: expected at least 0.001 seconds, got 0"),
        ])
    func wrongArgumentsAreTold(body: String, failure: String) async throws {
        #expect(try await ScriptTests.failure(body) == "t_test.lua:2: \(failure)")
    }
}
