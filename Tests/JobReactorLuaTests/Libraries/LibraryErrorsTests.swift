import JobReactorCore
import Logging
import Testing

@testable import JobReactorLua

/// Errors that functions of libraries raise, in whatever way.
@Suite("Errors of built-in functions") struct LibraryErrorsTests {
    /// A library that checks nothing.
    private struct Clumsy: ScriptLibrary {
        let name = "clumsy"
        let source = """
            clumsy = {}
            function clumsy.index(value) return value.y.z end
            function clumsy.tells(level) error('told', level) end
            function clumsy.call(f) return (f()) end
            function clumsy.gsub(value) return (string.gsub(value, 'x', 'y')) end
            """
        let functions: [ScriptFunction] = []
    }

    private func run(_ name: String, _ source: String) async throws -> RunOutcome {
        try await TemporaryFolder.with(["errors.lua": source]) { folder in
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let scripts = ScriptFolder(JobDirectory(folder.path))
            let options = LuaLane.Options(scripts: scripts, libraries: [Clumsy()], logger: logger)
            let lane = LuaLane(options) {}
            let generation = try LuaGeneration.load(options, host: LuaHost(lane, options))
            #expect(generation.report.problems.isEmpty, "\(generation.report.problems)")
            let job = Job(id: JobID(high: 1, low: 1), name: name, args: JobArguments(), createdAt: .now)
            let end = generation.run(LuaLane.Run(job: job))
            return try withExtendedLifetime(lane) {
                guard case .ended(let outcome, _) = end else { throw NeverCame() }
                return outcome.outcome
            }
        }
    }

    @Test("have the place of the script that called them, wherever they are caught")
    func places() async throws {
        let source = """
            local function why(f, ...) return (tostring(select(2, pcall(f, ...)))) end
            job('caught', function(args)
                args.direct = why(clumsy.index, {})
                args.inside = why(function() clumsy.index({}) end)
                args.second = why(function() clumsy.tells(2) end)
                args.itself = why(function() clumsy.tells(1) end)
                args.plain = why(function() clumsy.tells(0) end)
                args.own = why(function() clumsy.call(function() error('own') end) end)
                args.outer = why(function() clumsy.call(function() error('outer', 2) end) end)
                args.argument = why(function() clumsy.gsub(nil) end)
                args.resumed = select(2, coroutine.resume(coroutine.create(function() clumsy.index({}) end)))
                args.wrapped = why(coroutine.wrap(function() clumsy.index({}) end))
            end)
            """
        let args = try await run("caught", source).args
        let index = "attempt to index a nil value (field 'y')"
        for (key, line, text) in [
            ("direct", 1, index), ("inside", 4, index), ("second", 5, "told"), ("itself", 6, "told"), ("own", 8, "own"),
            ("outer", 9, "outer"), ("argument", 10, "bad argument #1 to 'gsub' (string expected, got nil)"),
            ("resumed", 11, index), ("wrapped", 12, index),
        ] {
            let found = args[key]?.string ?? ""
            #expect(found.hasSuffix("errors.lua:\(line): \(text)") && !found.contains("[clumsy]"), "\(key): \(found)")
        }
        #expect(args["plain"] == "told")
    }

    @Test("have it too where nobody catches them, and where a script is loaded")
    func uncaught() async throws {
        let raised = try await run("raised", "job('raised', function()\n  clumsy.index({})\nend)")
        #expect(raised.message?.hasSuffix("errors.lua:2: attempt to index a nil value (field 'y')") == true)
        let spawned = try await run("spawned", "job('spawned', function() wait(spawn(clumsy.index, {})) end)")
        // There is no script in that coroutine.
        #expect(spawned.message == "attempt to index a nil value (field 'y')")
        let required = try await run(
            "required",
            "package.preload.m = function() clumsy.index({}) end\njob('required', function() require 'm' end)")
        #expect(required.message?.hasSuffix("errors.lua:1: attempt to index a nil value (field 'y')") == true)
        try await TemporaryFolder.with(["a.lua": "\nclumsy.index({})"]) { folder in
            let options = LuaLane.Options(
                scripts: ScriptFolder(JobDirectory(folder.path)), libraries: [Clumsy()],
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let lane = LuaLane(options) {}
            let generation = try LuaGeneration.load(options, host: LuaHost(lane, options))
            let reason = generation.report.broken.first?.reason
            #expect(reason?.hasSuffix("a.lua:2: attempt to index a nil value (field 'y')") == true)
            withExtendedLifetime(lane) {}
        }
    }

    @Test("show scripts and records tracebacks without their insides, and a handler the place of the script")
    func tracebacks() async throws {
        let source = """
            local function told(why) return why end
            job('handled', function(args)
                args.direct = select(2, xpcall(clumsy.index, told, {}))
                args.inside = select(2, xpcall(function() clumsy.index({}) end, told))
                args.raised = select(2, xpcall(function() clumsy.tells(2) end, debug.traceback))
                args.called = select(2, xpcall(function() clumsy.call(function() error('own') end) end, debug.traceback))
                args.level = select(2, xpcall(function() clumsy.index({}) end, function(why)
                    return debug.traceback(why, 2)
                end))
                local ended = coroutine.create(function() clumsy.index({}) end)
                coroutine.resume(ended)
                args.coroutine = debug.traceback(ended, 'ended')
            end)
            job('raised', function() clumsy.tells(2) end)
            """
        let args = try await run("handled", source).args
        let index = "attempt to index a nil value (field 'y')"
        #expect(args["direct"]?.string?.hasSuffix("errors.lua:3: \(index)") == true, "\(args)")
        #expect(args["inside"]?.string?.hasSuffix("errors.lua:4: \(index)") == true, "\(args)")
        let folded = "[JobReactor]: in "
        for (key, expected) in [
            (
                "raised",
                [
                    "errors.lua:5: told", "stack traceback:", folded, "errors.lua:5: in ", "[C]: in ",
                    "errors.lua:5: in ",
                ]
            ),
            (
                "called",
                [
                    "errors.lua:6: own", "stack traceback:", "[C]: in ", "errors.lua:6: in ", folded,
                    "errors.lua:6: in ",
                    "[C]: in ", "errors.lua:6: in ",
                ]
            ),
            (
                "level",
                [
                    "errors.lua:7: \(index)", "stack traceback:", folded, "errors.lua:7: in ", "[C]: in ",
                    "errors.lua:7: in ",
                ]
            ),
            ("coroutine", ["ended", "stack traceback:", folded, "errors.lua:10: in "]),
        ] {
            let text = args[key]?.string ?? ""
            let lines = text.split(separator: "\n")
            #expect(
                lines.count == expected.count && zip(lines, expected).allSatisfy { $0.contains($1) }, "\(key): \(text)")
            #expect(!text.contains("[clumsy]"), "\(key): \(text)")
        }
        let traceback = try #require(try await run("raised", source).traceback)
        #expect(traceback.contains(folded) && !traceback.contains("[clumsy]"), "\(traceback)")
    }

    @Test("come from functions whose insides no script reaches")
    func insides() async throws {
        let source = """
            local secrets = 0
            job('looks', function(args)
                local own = function() return secrets end
                for _, f in ipairs { sleep, perform, enqueue, wait, url.query, shared.set, clumsy.index } do
                    if debug.getupvalue(f, 1) or debug.setupvalue(f, 1, 0) or debug.upvalueid(f, 1) then secrets = secrets + 1 end
                    if pcall(debug.upvaluejoin, own, 1, f, 1) or pcall(debug.upvaluejoin, f, 1, own, 1) then
                        secrets = secrets + 1
                    end
                end
                for _, value in ipairs { job, env } do
                    if debug.getmetatable(value) then secrets = secrets + 1 end
                end
                args.secrets = own()
            end)
            """
        #expect(try await run("looks", source).args == ["secrets": 0])
    }

    @Test("name the line of the script, whatever the functions are given")
    func hostile() async throws {
        let source = """
            local nan, large, odd = 0/0, ('x'):rep(100000), setmetatable({}, { __index = function() error('index', 0) end })
            local values = {
                false, true, -1, 0/0, 1/0, 2^53, math.mininteger, '', 'x', '\\xff\\0', large, {}, { {} }, { print }, { x = print },
                { [{}] = 1 }, odd, print, coroutine.create(print), CancelJob, json.null, { x = nan }, { 'x', { 'y' } },
            }
            values[0] = nil
            local functions = {
                ['url.escape'] = url.escape, ['url.unescape'] = url.unescape, ['url.query'] = url.query,
                ['url.parse'] = url.parse, ['url.build'] = url.build, ['shared.get'] = shared.get, ['shared.set'] = shared.set,
                ['shared.add'] = shared.add, ['shared.incr'] = shared.incr, ['shared.delete'] = shared.delete,
                ['json.encode'] = json.encode, ['json.decode'] = json.decode, ['json.array'] = json.array, env = env,
                sleep = sleep, wait = wait, perform = perform, enqueue = enqueue, progress = progress, retry_in = retry_in,
                ['job.retry_in'] = job.retry_in, job = job, job_callback = job_callback, job_errback = job_errback,
                now = now, uuid = uuid, ['log.debug'] = log.debug,
            }
            local tasks = { after = after, every = every, spawn = spawn }
            job('hostile', function(args)
                args.calls, args.errors, args.wrong = 0, 0, json.array()
                local function try(name, f, ...)
                    local given = table.pack(...)
                    args.calls = args.calls + 1
                    local good, why = pcall(function() f(table.unpack(given, 1, given.n)) end)
                    if good then return end
                    args.errors = args.errors + 1
                    -- What the values themselves raise is theirs.
                    if why == 'index' or type(why) ~= 'string' then return end
                    if why:find('^%[%w+%]:%d') or not why:find('errors%.lua:%d+: ') then
                        args.wrong[#args.wrong + 1] = name .. ': ' .. why:sub(1, 200)
                    end
                end
                for name, f in pairs(functions) do
                    try(name, f)
                    for i = 0, #values do
                        try(name, f, values[i])
                        for k = 0, #values do
                            try(name, f, values[i], values[k])
                            try(name, f, 'x', values[i], values[k])
                        end
                    end
                end
                for name, f in pairs(tasks) do
                    for i = 0, #values do
                        if type(values[i]) ~= 'function' then try(name, f, values[i], 7) end
                    end
                end
            end)
            """
        let outcome = try await run("hostile", source)
        #expect(outcome.kind == .succeeded, "\(outcome.message ?? "")")
        #expect(outcome.args["wrong"] == [], "\(outcome.args["wrong"]?.json ?? "")")
        #expect((outcome.args["calls"]?.int ?? 0) > 20_000 && (outcome.args["errors"]?.int ?? 0) > 5_000)
    }
}
