import Testing

@testable import JobReactorLua

/// What real Lua text, compiled by the real Lua, is seen to do with jobs.
@Suite struct JobUsesTests {
    private func read(_ source: String) throws -> JobUses {
        try #require(GlobalAccesses(chunk: try LuaText.compile(source))).jobs
    }

    @Test(
        arguments: [
            ("job('x', function(args) return { v = 1 } end)", ["result@1"]),
            ("job 'x' (function(args)\nreturn { v = 1 }\nend)", ["result@2"]),
            ("job('x', { max_attempt = 1 }, function() return 1, 2 end)", ["result@1"]),
            ("job_callback('x', 'label', function(args) return 'x' end)", ["result@1"]),
            ("job_errback 'x' (function(args) if args.y then return false end end)", ["result@1"]),
            ("job_callback('x', 'label')(function(args) return 'x' end)", ["result@1"]),
            ("local function body(args) return args.v end\njob('x', body)", ["result@1"]),
            ("local j = job j('x', function() return 1 end)", ["result@1"]),
            ("for _, n in ipairs(names) do job(n, function() return 1 end) end", ["result@1"]),
            ("return job('x', function() return 1 end)", ["result@1"]),
            ("job('x', function(args) local f = function() return 1 end return 1 end)", ["result@1"]),
            ("job('x', function(args) args = { v = 1 } end)", ["args@1"]),
            ("job('x', function(args, more)\nargs =\n{ v = { 1 } } end)", ["args@3"]),
            ("job('x', function(...) local args = ... args = {} end)", []),
            ("job('x', function() return end)", []),
            ("job('x', function(args) if args.y then return nil end return args end)", []),
            ("job('x', function(args) return log.info('x') end)", []),
            ("job('x', function(args) return cancel_job() end)", []),
            ("job('x', function(args) args = args or {} args = args.inner end)", []),
            ("job('x', function(args) if not args then args = {} end end)", []),
            ("job('x', function(args) args.v = {} local t = {} t = {} end)", []),
            ("local function other(args) args = {} return 1 end", []),
            ("job('x', function(args) spawn(function() return 1 end) end)", []),
            ("job = nil job.x = function() return 1 end", []),
            ("sort(t, function(a) return { a } end) job('x', print)", []),
        ])
    func whatIsLost(source: String, expected: [String]) throws {
        let losses = try read(source).losses.map { "\($0.kind)@\($0.line)" }
        #expect(losses == expected, "\(source)")
    }

    @Test(
        arguments: [
            ("enqueue('a')", ["a@1"]),
            ("job('x', function(args)\nargs.b = perform('b', { c = 1 }).v\nend)", ["b@2"]),
            ("enqueue('a', {}, { after = 5 }, print, function() enqueue('b') end)", ["a@1", "b@1"]),
            ("enqueue { { 'a', { x = 'y' } }, { 'b' } }", ["a@1", "b@1"]),
            ("local name = 'a' enqueue(name)", ["a@1"]),
            ("enqueue(name) perform(args.name, { 'a' }) enqueue('a' .. b)", []),
            ("other.enqueue('a') spawn(perform, 'a') print('a')", []),
            ("local enqueue = print enqueue('a')", []),
        ])
    func whichJobsAreNamed(source: String, expected: [String]) throws {
        let named = try read(source).named.map { "\($0.name)@\($0.line)" }
        #expect(named == expected, "\(source)")
    }

    @Test func namesBehindManyOthersAreSeen() throws {
        let many = (0..<300).map { "'n\($0)'" }.joined(separator: ", ")
        let uses = try read("local t = { \(many) } job('x', function() return 1 end) enqueue('late')")
        #expect(uses.losses.count == 1 && uses.named.map(\.name) == ["late"])
    }
}
