import Testing

@testable import JobReactorLua

@Suite struct ScriptCheckTests {
    private func problems(
        _ scripts: [(String, String)], globals: Set<String> = ["print", "pairs", "ipairs", "job", "_G", "io"],
        isOpen: Bool = false
    ) throws -> [String] {
        let scripts = try scripts.map { path, source in
            let chunk = try LuaText.compile(source)
            return ScriptCheck.Script(path: path, accesses: try #require(GlobalAccesses(chunk: chunk)))
        }
        return ScriptCheck(globals: globals, isOpen: isOpen, scripts: scripts).problems.map(\.message)
    }

    @Test func aNameIsToldOnceAFileAtItsFirstLine() throws {
        #expect(
            try problems([
                ("jobs/x.lua", "job('x', function()\n  pritn(1)\n  pritn(2)\nend)\nunheard_of()"),
                ("jobs/y.lua", "job('y', function() pritn() end)"),
            ]) == [
                "jobs/x.lua:2: undefined global 'pritn' (did you mean 'print'?)",
                "jobs/x.lua:5: undefined global 'unheard_of'",
                "jobs/y.lua:1: undefined global 'pritn' (did you mean 'print'?)",
            ])
    }

    @Test func theFirstLineIsThatOfTheFile() throws {
        let source = "job('x', function()\n  early()\nend)\nearly()"
        #expect(try problems([("x.lua", source)]) == ["x.lua:2: undefined global 'early'"])
    }

    @Test func whatAnyScriptAssignsIsDefined() throws {
        #expect(
            try problems([
                ("a.lua", "job('a', function() helper(config) end)"), ("lib/b.lua", "function helper() end"),
                ("c.lua", "job('c', function() _G.config = 1 end)"),
            ]) == [])
    }

    @Test func whatMayBeMissingIsAskedForByName() throws {
        #expect(
            try problems(
                [("a.lua", "job('a', function() print(rawget(_G, 'x') or _G.y) end)")],
                globals: [
                    "job", "rawget", "_G", "print",
                ]) == [])
        #expect(
            try problems([("a.lua", "job('a', function() print(x or 1) end)")]) == ["a.lua:1: undefined global 'x'"])
    }

    @Test func shortNamesAreNearToEverything() throws {
        #expect(try problems([("a.lua", "return id")]) == ["a.lua:1: undefined global 'id'"])
    }

    @Test func whereGlobalsAreMadeWhenAskedForNoneIsUndefined() throws {
        #expect(try problems([("a.lua", "return x")], isOpen: true) == [])
        #expect(try problems([("a.lua", "_ENV = {} return x")]) == [])
    }

    @Test(
        arguments: [
            "", "-- only words", "local M = {} function M.f() end", "print('loaded')", "for i = 1, 3 do print(i) end",
        ])
    func aFileThatComesToNothingIsTold(source: String) throws {
        let told = try problems([("a.lua", source)])
        #expect(told.count == 1)
        #expect(told.first?.hasPrefix("a.lua:1: defines no job and no global, and returns nothing") == true)
    }

    @Test(
        arguments: [
            "job('x', print)", "return {}", "helper = 1", "io.x = 1", "local j = job j('x', print)",
        ])
    func aFileThatLeavesSomethingIsNot(source: String) throws {
        #expect(try problems([("a.lua", source)]) == [])
    }

    @Test func jobsThatNoScriptDefinesAreTold() throws {
        let source = "job('greet', function()\n  enqueue('gret')\n  perform('gret')\n  enqueue('elsewhere')\nend)"
        let accesses = try #require(GlobalAccesses(chunk: try LuaText.compile(source)))
        let script = ScriptCheck.Script(path: "a.lua", accesses: accesses)
        let globals: Set<String> = ["job", "enqueue", "perform"]
        let check = ScriptCheck(globals: globals, isOpen: false, jobs: ["greet"], scripts: [script])
        #expect(
            check.problems.map(\.message) == [
                "a.lua:2: no script defines the job 'gret' (did you mean 'greet'?)",
                "a.lua:4: no script defines the job 'elsewhere': it waits until a node with other scripts does",
            ])
        #expect(check.problems.map(\.failsCheck) == [true, false])
        // Where a script is broken, nobody knows which jobs it defines.
        #expect(ScriptCheck(globals: globals, isOpen: false, scripts: [script]).problems.isEmpty)
    }

    @Test func whatStepsLoseIsTold() throws {
        #expect(
            try problems([
                ("a.lua", "job('a', function(args)\n  args = { v = 1 }\n  return { w = 2 }\nend)")
            ]) == [
                "a.lua:2: this table is lost, because the result is the table that the job was given: set fields of that table, such as"
                    + " args.result = …",
                "a.lua:3: what a job returns is lost: put it into args, such as args.result = …",
            ])
    }

    @Test func aModuleThatABuiltInOneHidesIsTold() throws {
        func problems(_ module: String?, _ source: String) throws -> [String] {
            let accesses = try #require(GlobalAccesses(chunk: try LuaText.compile(source)))
            let script = ScriptCheck.Script(path: "json.lua", module: module, accesses: accesses)
            return ScriptCheck(globals: ["job"], isOpen: false, builtIn: ["json"], scripts: [script]).problems
                .map(\.message)
        }
        #expect(
            try problems("json", "return {}") == [
                "json.lua:1: require 'json' finds the built-in module of that name, not this file: give the file another"
                    + " name, or put it into a folder (require 'lib.json')"
            ])
        #expect(try problems("lib.json", "return {}") == [] && problems(nil, "return {}") == [])
        #expect(try problems("json", "job('json', function() end)") == [])
    }

    @Test func theTextOfOtherPeopleDefinesAndIsNotLookedAt() throws {
        func script(_ path: String, _ role: ScriptSet.Role, _ source: String) throws -> ScriptCheck.Script {
            ScriptCheck.Script(
                path: path, role: role, accesses: try #require(GlobalAccesses(chunk: try LuaText.compile(source))))
        }
        let check = ScriptCheck(
            globals: ["job"], isOpen: false,
            scripts: [
                try script("a.lua", .script, "job('a', function() theirs() ours() end)"),
                try script("vendor/x.lua", .vendored, "theirs = unpack or table.unpack"),
                try script("lib/x.lua", .module, "ours = unpack"),
            ])
        #expect(check.problems.map(\.message) == ["lib/x.lua:1: undefined global 'unpack'"])
    }

    @Test func aNameMakesTheCheckFailAndAVainFileDoesNot() throws {
        let accesses = try #require(GlobalAccesses(chunk: try LuaText.compile("pritn()")))
        let check = ScriptCheck(
            globals: ["print"], isOpen: false, scripts: [ScriptCheck.Script(path: "a.lua", accesses: accesses)])
        #expect(check.problems.map(\.failsCheck) == [true, false])
        #expect(check.problems.map(\.isError) == [false, false])
    }
}
