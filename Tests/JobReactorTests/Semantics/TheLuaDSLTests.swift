import JobReactor
import JobReactorNode
import JobReactorTesting
import Logging
import Testing

/// How scripts define jobs.
@Suite("Semantics: the Lua DSL") struct TheLuaDSLTests {
    @Test("a job is a function of args; callbacks and errbacks are further steps, whose names are optional")
    func definitions() async throws {
        let lua = """
            job('resize', function(args) args.result = 'Yay!' end)
            job_callback('resize', 'notify', function(args) args.named = true end)
            job_callback('resize', function(args) args.unnamed = true end)
            job('breaks', { max_attempt = 1 }, function() error('broken', 0) end)
            job_errback('breaks', 'cleanup', function(args) args.named = args.error end)
            job_errback('breaks', function(args) args.unnamed = args.error end)
            """
        try await withNode(lua) { distributor in
            let resize = try await distributor.outcome("resize").args.value
            #expect(resize == ["result": "Yay!", "named": true, "unnamed": true])
            let breaks = try await distributor.outcome("breaks").args.value
            #expect(breaks == ["error": "broken", "named": "broken", "unnamed": "broken"])
        }
    }

    @Test("the curried form works too, for all three")
    func curried() async throws {
        let lua = """
            job 'resize' (function(args) args.body = true end)
            job_callback 'resize' (function(args) args.callback = true end)
            job('breaks', { max_attempt = 1 }) (function() error('broken', 0) end)
            job_errback 'breaks' (function(args) args.errback = true end)
            job_errback('breaks', 'named') (function(args) args.named = true end)
            """
        try await withNode(lua) { distributor in
            let resize = try await distributor.outcome("resize").args.value
            #expect(resize == ["body": true, "callback": true])
            let breaks = try await distributor.outcome("breaks").args.value
            #expect(breaks == ["error": "broken", "errback": true, "named": true])
        }
    }

    @Test("a table of options gives a job a policy of its own")
    func policy() async throws {
        let lua = """
            runs = 0
            job('three_times', { max_attempt = 3, retry_multiplier = 0 }, function() runs = runs + 1 error('no', 0) end)
            job_errback('three_times', function(args) args.runs = runs end)
            """
        try await withNode(lua) { distributor in
            let outcome = try await distributor.outcome("three_times")
            #expect(outcome.status == .failed)
            #expect(outcome.args["runs"] == 3)
        }
    }

    @Test("any number of callbacks and errbacks run in the order of their definitions, one after another")
    func order() async throws {
        let lua = """
            local function note(text)
              return function(args) args.order = (args.order or '') .. text end
            end
            job('good', note 'j')
            job('bad', { max_attempt = 1 }, function() error('no', 0) end)
            for i = 1, 9 do
              job_callback('good', note(tostring(i)))
              job_errback('bad', 'named' .. i, note(tostring(i)))
            end
            """
        try await withNode(lua) { distributor in
            let outcomes = Outcomes()
            for _ in 0..<50 {
                try distributor.enqueue("good", feedback: outcomes.feedback)
                try distributor.enqueue("bad", feedback: outcomes.feedback)
            }
            for outcome in try await outcomes.wait(for: 100) {
                #expect(outcome.args["order"]?.string == (outcome.isSuccess ? "j123456789" : "123456789"))
            }
        }
    }

    @Test("a name defined twice: the later definition replaces the earlier, and a warning names both places")
    func definedTwice() async throws {
        let log = LogRecorder()
        let files = [
            "a.lua": "job('twice', function(args) args.by = 'first' end)",
            "b.lua": "\njob('twice', function(args) args.by = 'second' end)",
        ]
        try await withNode("", files: files) {
            $0.logger = log.logger
        } _: { distributor in
            let args = try await distributor.outcome("twice").args["by"]
            #expect(args == "second")
            let warning = try #require(log.lines.elements.first { $0.level == .warning && $0.text.contains("'twice'") })
            #expect(warning.text.contains("a.lua:1") && warning.text.contains("b.lua:2"), "\(warning.text)")
        }
    }

    @Test("a callback or errback for a name that no job defines is an error naming file and line")
    func strayCallbacks() async throws {
        let log = LogRecorder()
        let lua = "job('real', function() end)\njob_callback('ghost', function() end)\njob_errback('spirit', print)"
        try await withNode(lua) {
            $0.logger = log.logger
        } _: { distributor in
            let errors = log.lines.elements.filter { $0.level == .error }.map(\.text)
            #expect(errors.count == 2)
            #expect(errors.contains { $0.contains("jobs.lua:2: ") && $0.contains("'ghost'") }, "\(errors)")
            #expect(errors.contains { $0.contains("jobs.lua:3: ") && $0.contains("'spirit'") }, "\(errors)")
            // The other jobs are there all the same.
            let real = try await distributor.outcome("real")
            #expect(real.isSuccess)
        }
    }

    @Test("the order of files does not matter: a callback may stand in a file loaded before its job's")
    func callbackInAnEarlierFile() async throws {
        let files = [
            "a.lua": "job_callback('later', function(args) args.seen = args.made end)",
            "z.lua": "job('later', function(args) args.made = 7 end)",
        ]
        try await withNode("", files: files) { distributor in
            let args = try await distributor.outcome("later").args.value
            #expect(args == ["made": 7, "seen": 7])
        }
    }

    @Test("scripts are found recursively, and load in sorted order; other files do not count")
    func sortedOrder() async throws {
        let note = "loaded = (loaded or '') .. "
        let files = [
            "b/c/deep.lua": note + "'4'", "b/a.lua": note + "'3'", "a.lua": note + "'1'", "b.lua": note + "'2'",
            "z.lua": note + "'5' job('all', function(args) args.loaded = loaded end)", "b/no.lua.txt": "error('!')",
        ]
        try await withNode("", files: files) { distributor in
            let loaded = try await distributor.outcome("all").args["loaded"]?.string
            #expect(loaded.map { Set($0) } == Set("12345"))
            // "b.lua" and "b/a.lua": whichever sorts first, the paths are compared as bytes.
            #expect(loaded == "12345")
        }
    }
}
