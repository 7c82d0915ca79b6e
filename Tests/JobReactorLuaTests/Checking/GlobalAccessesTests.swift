import JobReactorTesting
import Testing

@testable import JobReactorLua

/// What real Lua text, compiled by the real Lua, is seen to do with globals.
@Suite struct GlobalAccessesTests {
    private func read(_ source: String) throws -> GlobalAccesses {
        try #require(GlobalAccesses(chunk: try LuaText.compile(source)))
    }

    /// `name@line` for each that is read, `name=@line` for each that is assigned.
    private func listed(_ source: String) throws -> [String] {
        try read(source).accesses.map { "\($0.name)\($0.isAssignment ? "=" : "")@\($0.line)" }
    }

    @Test(
        arguments: [
            ("", []),
            ("local a = 1 local b = a return b", []),
            ("print(1)", ["print@1"]),
            ("x = 1", ["x=@1"]),
            ("x = y", ["y@1", "x=@1"]),
            ("x, y = z", ["z@1", "y=@1", "x=@1"]),
            ("function f() end", ["f=@1"]),
            ("function t.f() end", ["t@1"]),
            ("function t:f() return self end", ["t@1"]),
            ("x.y.z = 1", ["x@1"]),
            ("text:upper()", ["text@1"]),
            ("if foo then end", ["foo@1"]),
            ("local t = { a = b, [c] = d, e }", ["b@1", "c@1", "d@1", "e@1"]),
            ("for i = from, to do print(i) end", ["from@1", "to@1", "print@1"]),
            ("for k, v in pairs(t) do print(k, v) end", ["pairs@1", "t@1", "print@1"]),
            ("local a <const> = 5 return a + b", ["b@1"]),
            ("local a = ... return select('#', ...), a", ["select@1"]),
            ("::again::\nprint(1)\nif more then goto again end", ["print@2", "more@3"]),
            ("local s = 'print' .. 'x' return s", []),
            ("return ({ print = 1 }).print", []),
            ("local t = {} return t.print, t['pairs'], t:x()", []),
        ] as [(String, [String])])
    func accessesAreListed(source: String, expected: [String]) throws {
        #expect(try listed(source) == expected)
    }

    @Test func thoseOfInnerFunctionsComeAfterThoseAroundThem() throws {
        let source = """
            local up = here
            local function f(a)
                local b = a + up
                return function(...)
                    inner = b .. deep(...)
                end
            end
            return f, last
            """
        #expect(try listed(source) == ["here@1", "last@8", "deep@5", "inner=@5"])
    }

    @Test func linesFarApartAreRight() throws {
        let gap = String(repeating: "\n", count: 300)
        #expect(try listed("a()\(gap)b()\(gap)c()") == ["a@1", "b@301", "c@601"])
        let long = (1...400).map { "f\($0)()" }.joined(separator: "\n")
        #expect(try listed(long) == (1...400).map { "f\($0)@\($0)" })
    }

    @Test func namesBeyondTheFirst256ConstantsAreFound() throws {
        let strings = (1...300).map { "'s\($0)'" }.joined(separator: ", ")
        #expect(
            try listed("local t = { \(strings) }\nfound = other\nfound.x, y = t:m(), z") == [
                "other@2", "found=@2", "found@3", "z@3", "y=@3",
            ])
        #expect(
            try listed("local t = { \(strings) }\nreturn function() return t, _G.x, plain end") == [
                "_G@2", "plain@2",
            ])
    }

    @Test func namesBeyondWhatAnInstructionHoldsAreFound() throws {
        let numbers = (1...140_000).map { "\($0).5" }.joined(separator: ",")
        #expect(try listed("local t = {\(numbers)}\nreturn found, t") == ["found@2"])
    }

    @Test func longNamesAreFound() throws {
        let name = String(repeating: "long", count: 20)
        #expect(try listed("\(name) = \(name)2") == ["\(name)2@1", "\(name)=@1"])
    }

    @Test(
        arguments: [
            // A local of that name is another table.
            ("local _ENV = { print = print }\nprint(x)", ["print@1"]),
            ("local _ENV <const> = {}\nreturn function() return x end", []),
            ("local function f(_ENV) return x end", []),
            ("return function() local print = print\nlocal _ENV = nil\nreturn print end", ["print@1"]),
            // So is a field of the globals.
            ("return _ENV.x", ["x@1"]),
            ("local e = _ENV\nreturn e.x", ["x@2"]),
            ("local e = _ENV\ne.x = 1", ["x=@2"]),
            // What is asked for by name may be missing; what is assigned so is there.
            ("return _G.x", ["_G@1"]),
            ("_G.x = 1", ["_G@1", "x=@1"]),
            ("local g = _G\nfunction g.x() end", ["_G@1", "x=@2"]),
            ("return rawget(_G, 'x')", ["rawget@1", "_G@1"]),
        ] as [(String, [String])])
    func theTableOfGlobalsIsToldFromOthers(source: String, expected: [String]) throws {
        #expect(try listed(source) == expected)
        #expect(try !read(source).replacesEnvironment)
    }

    @Test(arguments: ["_ENV = {}", "local function f() _ENV = setmetatable({}, { __index = _G }) end"])
    func aScriptMayReplaceItsGlobals(source: String) throws {
        #expect(try read(source).replacesEnvironment)
    }

    @Test(
        arguments: [
            ("", false), ("local a", false), ("return", false), ("return nil", true), ("return {}", true),
            ("return f()", true), ("return 1, 2", true), ("do return ... end", true),
            ("local function f() return 1 end", false), ("if x then return end", false),
        ])
    func aFileReturnsSomethingOrNothing(source: String, returns: Bool) throws {
        #expect(try read(source).returnsValue == returns)
    }

    @Test(
        arguments: [
            ("string.trim = print", true), ("function string.trim() end", true), ("a.b.c = 1", true),
            ("local s = string s.trim = print", true), ("package.loaded['x'] = 1", true), ("t[1] = 1", true),
            ("local M = {} M.x = 1", false), ("local M = {} function M:x() end", false), ("x = 1", false),
            ("local M = f() M.x = 1", false),
        ])
    func aFileChangesGlobalTablesOrItsOwn(source: String, changes: Bool) throws {
        #expect(try read(source).changesGlobalTable == changes)
    }

    @Test func whatDoesNotCompileHasNoChunk() throws {
        #expect(try !LuaText.compiles("x x"))
    }
}
