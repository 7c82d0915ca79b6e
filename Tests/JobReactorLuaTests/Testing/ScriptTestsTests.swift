import JobReactorLua
import Logging
import Testing

/// Test scripts as a whole: found, loaded, run and told of.
@Suite struct ScriptTestsTests {
    @Test func theyAreFoundWithTheirPlaces() async throws {
        try await ScriptTests.with([
            "b_test.lua": "test('later', function() end)",
            "a_test.lua": "\ntest('first', function() end)\ntest('second', function() end)",
            "deep/c_test.lua": "test('deep', function() end)",
            "jobs.lua": "job('x', function() end)",
        ]) { tests in
            #expect(tests.tests.map(\.title) == ["first", "second", "later", "deep"])
            #expect(tests.tests.map(\.line) == [2, 3, 1, 1])
            #expect(tests.tests.first?.file.hasSuffix("/a_test.lua") == true)
            #expect(tests.report.problems == [])
        }
    }

    @Test func aFailureNamesTheLineOfTheTest() async throws {
        let jobs = "function helper(x)\n  return x.y.z\nend"
        let failure = try await ScriptTests.failure("local x = 1\nhelper({})", jobs: jobs)
        #expect(failure == "t_test.lua:3: jobs.lua:2: attempt to index a nil value (field 'y')")
        #expect(try await ScriptTests.failure("assert(1 == 2)") == "t_test.lua:2: assertion failed!")
        #expect(try await ScriptTests.failure("assert(false, 'why')") == "t_test.lua:2: why")
        #expect(try await ScriptTests.failure("error('here')") == "t_test.lua:2: here")
        #expect(try await ScriptTests.failure("error({ code = 7 })") == "t_test.lua:2: { code = 7 }")
        #expect(
            try await ScriptTests.failure("local function f() equal(1, 2) end\nf()")
                == "t_test.lua:2: not equal: got 1, expected 2")
        #expect(try await ScriptTests.failure("cancel_job()")?.contains("the test cancelled itself") == true)
    }

    @Test func longPathsAreWholeInFailures() async throws {
        let name = String(repeating: "long", count: 20) + "/a_test.lua"
        try await ScriptTests.with([name: "test('t', function() error('here') end)"]) { tests in
            let test = try #require(tests.tests.first)
            #expect(await tests.run(test).failure == "\(test.file):1: here")
        }
    }

    @Test func anErrorInATaskFailsTheTest() async throws {
        #expect(
            try await ScriptTests.failure("spawn(function() sleep(1) error('in a task') end)")
                == "t_test.lua:2: in a task")
    }

    @Test func afterAFailureTheOthersRun() async throws {
        let source = """
            test('bad', function() run('unheard_of') end)
            test('good', function() equal(run('x').args, { y = 1 }) end)
            """
        try await ScriptTests.with(["a_test.lua": source, "jobs.lua": "job('x', function(args) args.y = 1 end)"]) {
            tests in
            var failures: [Bool] = []
            for test in tests.tests { failures.append(await tests.run(test).failure != nil) }
            #expect(failures == [true, false])
        }
    }

    @Test func whatTheTestPrintsIsKeptApartFromWhatItsJobsDo() async throws {
        let source = "test('t', function() print('mine') run('x') log.warn('too') end)"
        try await ScriptTests.with(["a_test.lua": source, "jobs.lua": "job('x', function() print('the job') end)"]) {
            tests in
            let test = try #require(tests.tests.first)
            #expect(await tests.run(test).said == ["mine", "warning: too"])
            #expect(await tests.run(test).said == ["mine", "warning: too"])
        }
    }

    @Test func whatScriptsPrintWhileTheyLoadIsKept() async throws {
        try await ScriptTests.with(["jobs.lua": "print('loading') x = 1"]) { tests in
            #expect(tests.said == ["loading"])
            #expect(tests.tests == [])
        }
    }

    @Test func aFolderThatIsNotThereIsAnError() async throws {
        await #expect(throws: ScriptError.self) {
            _ = try await ScriptTests.load(
                LuaLane.Options(scripts: ScriptFolder(JobDirectory("/nowhere")), logger: Logger(label: "test")))
        }
    }

    @Test func aFileThatDoesNotLoadHasNoTests() async throws {
        try await ScriptTests.with([
            "a_test.lua": "test('a', function() end)\nerror('broken')", "b_test.lua": "test('b', function() end)",
        ]) { tests in
            #expect(tests.tests.map(\.title) == ["b"])
            #expect(tests.report.hasErrors)
        }
    }

    @Test func undefinedGlobalsOfTestsAreToldToo() async throws {
        try await ScriptTests.with(["a_test.lua": "test('a', function() eqaul(1, 1) end)"]) { tests in
            #expect(tests.report.failsCheck)
            let message = try #require(tests.report.problems.first?.message)
            #expect(message.hasSuffix("a_test.lua:1: undefined global 'eqaul' (did you mean 'equal'?)"))
        }
    }
}
