import JobReactorCore
import Logging
import Testing

@testable import JobReactorLua

/// Libraries for Lua that people use, as Debian has them: `Tests/run.sh` installs their packages.
@Suite("Other people's libraries work in jobs") struct OtherLibrariesTests {
    private static func run(_ body: String) async throws -> JobArguments {
        // Debian's inspect has no link for Lua 5.4.
        let source = """
            package.path = package.path .. ';/usr/share/lua/5.1/?.lua'
            job('tries', function(args)
            \(body)
            end)
            """
        return try await TemporaryFolder.with(["tries.lua": source]) { folder in
            let options = LuaLane.Options(
                scripts: ScriptFolder(JobDirectory(folder.path)),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let lane = LuaLane(options) {}
            let generation = try LuaGeneration.load(options, host: LuaHost(lane, options))
            let job = Job(id: JobID(high: 1, low: 1), name: "tries", args: JobArguments(), createdAt: .now)
            let end = generation.run(LuaLane.Run(job: job))
            return try withExtendedLifetime(lane) {
                guard case .ended(let outcome, _) = end else { throw NeverCame() }
                #expect(outcome.outcome.kind == .succeeded, "\(outcome.outcome.message ?? "")")
                return outcome.outcome.args
            }
        }
    }

    @Test func penlight() async throws {
        let args = try await Self.run(
            """
            local List, stringx, class, compat = require 'pl.List', require 'pl.stringx', require 'pl.class', require 'pl.compat'
            args.words = List(stringx.split('a b c')):join('-')
            class.Animal()
            function Animal:_init(name) self.name = name end
            args.name = Animal('Tom').name
            local reads = function() return value end
            compat.setfenv(reads, { value = 5 })
            args.value = reads()
            args.rows = require('pl.template').substitute('# for i = 1, 2 do\\n$(i);\\n# end\\n', {})
            args.squares = require('pl.comprehension').new() 'x*x for x=1,3' ()
            args.text = require('pl.pretty').write({ 1, 2 }, '')
            """)
        #expect(args["words"] == "a-b-c" && args["name"] == "Tom" && args["value"] == 5)
        #expect(args["rows"] == "1;\n2;\n" && args["squares"] == [1, 4, 9] && args["text"] == "{1,2}")
    }

    @Test func lpeg() async throws {
        let args = try await Self.run(
            """
            local lpeg, re = require 'lpeg', require 're'
            args.number = (lpeg.R '09' ^ 1 / tonumber):match('42')
            args.word = re.match('hello world', '{%a+}')
            """)
        #expect(args["number"] == 42 && args["word"] == "hello")
    }

    @Test func cjson() async throws {
        let args = try await Self.run(
            """
            local cjson = require 'cjson'
            args.text = cjson.encode({ 1, { a = 'b' } })
            args.value = cjson.decode('{"a":["x","y"]}').a[2]
            """)
        #expect(args["text"] == #"[1,{"a":"b"}]"# && args["value"] == "y")
    }

    @Test func inspect() async throws {
        let args = try await Self.run("args.text = require 'inspect' ({ 1, a = { b = 'c' } })")
        #expect(args["text"] == "{ 1,\n  a = {\n    b = \"c\"\n  }\n}")
    }

    @Test func luassert() async throws {
        let args = try await Self.run(
            """
            local assert, spy = require 'luassert', require 'luassert.spy'
            assert.are.same({ a = { 1 } }, { a = { 1 } })
            assert.has_error(function() error('no disk', 0) end, 'no disk')
            local called = spy.new(function() end)
            called({ 1 })
            assert.spy(called).was.called_with({ 1 })
            local good, why = pcall(assert.are.equal, 1, 2)
            args.good, args.why = good, tostring(why)
            """)
        #expect(args["good"] == false)
        #expect(args["why"]?.string?.contains("Expected objects to be equal.") == true, "\(args)")
    }

    /// It is in LuaRocks alone: this is what it does to the functions that it makes of templates.
    @Test func etlua() async throws {
        let args = try await Self.run(
            """
            local function setfenv(fn, env)
                local name
                local i = 1
                while true do
                    name = debug.getupvalue(fn, i)
                    if not name or name == '_ENV' then break end
                    i = i + 1
                end
                if name then debug.upvaluejoin(fn, i, (function() return env end), 1) end
                return fn
            end
            local code = "local _b, _b_i, _tostring, _concat, _escape = ... _b[1] = 'Hello ' _b[2] = _escape(name) return _b"
            local fn = setfenv(assert(load(code, 'etlua')), setmetatable({ name = 'Ada' }, { __index = _G }))
            args.text = table.concat(fn({}, 0, tostring, table.concat, function(text) return text .. '!' end))
            """)
        #expect(args["text"] == "Hello Ada!")
    }
}
