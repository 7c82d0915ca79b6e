import Foundation
import JobReactorCore
import JobReactorLua
import Testing

/// The definitions name what a state has, all of it and nothing else.
@Suite struct DefinitionsTests {
    /// Of Lua itself, which editors know.
    private static let lua: Set<String> = [
        "_G", "_VERSION", "assert", "collectgarbage", "coroutine", "debug", "dofile", "error", "getmetatable", "io",
        "ipairs", "load", "loadfile", "math", "next", "os", "package", "pairs", "pcall", "print", "rawequal", "rawget",
        "rawlen", "rawset", "require", "select", "setmetatable", "string", "table", "tonumber", "tostring", "type",
        "utf8", "warn", "xpcall",
    ]

    /// `name`, and `name.key` for the fields of what is a table.
    private func defined() -> Set<String> {
        var names: Set<String> = []
        for line in ScriptDefinitions.source.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 2)
            if line.hasPrefix("function "), !line.contains(":"), let call = words.dropFirst().first {
                names.insert(String(call.prefix { $0 != "(" }))
            } else if words.count == 3, words[1] == "=", !line.hasPrefix("-"), !line.hasPrefix(" ") {
                names.insert(String(words[0]))
            }
        }
        // Of what stands before its dot the name is one too.
        return names.union(names.compactMap { $0.split(separator: ".").first.map(String.init) })
    }

    @Test func allThatIsThereIsDefinedAndAllThatIsDefinedIsThere() async throws {
        let ofJobs = try await ScriptGlobals.ofJobs(), ofTests = try await ScriptGlobals.ofTests()
        let there = Set((ofJobs.union(ofTests)).filter { !Self.lua.contains($0.root) })
        let defined = defined().filter { $0.root != "job" }.union(["job"])
        #expect(there.subtracting(defined) == [], "not in the definitions")
        #expect(defined.subtracting(there) == [], "defined, but not there")
        #expect(ofJobs.isSuperset(of: ["sleep", "url.parse", "json.null"]))
        #expect(ofTests.subtracting(ofJobs).isSuperset(of: ["test", "run", "equal", "fake.http"]))
    }

    @Test func whatIsReadOfJobIsDefined() async throws {
        let functions = ["progress", "stopping", "retry_in", "cancel"]
        #expect(Set(functions.map { "job." + $0 }) == defined().filter { $0.hasPrefix("job.") })
        for field in ["id string", "name string", "attempt integer", "schedule? string", "tick? number"] {
            #expect(ScriptDefinitions.source.contains("---@field \(field)"))
        }
        let failure = try await failure(
            """
            for _, name in ipairs { '\(functions.joined(separator: "', '"))' } do equal(type(job[name]), 'function') end
            equal({ #job.id, job.name, job.attempt }, { 32, 'test:1', 1 })
            equal({ job.schedule == nil, job.tick == nil }, { true, true })
            """)
        #expect(failure == nil)
    }

    /// Every example is Lua; those of tests and jobs run as part of a script.
    @Test func examplesCompile() async throws {
        var examples: [String] = []
        var example: String?
        for line in ScriptDefinitions.source.split(separator: "\n", omittingEmptySubsequences: false) {
            if line == "---```lua" {
                example = ""
            } else if line == "---```", let whole = example {
                examples.append(whole)
                example = nil
            } else if example != nil {
                example?.append(line.dropFirst(3) + "\n")
            }
        }
        #expect(examples.count > 50)
        let texts = examples.map { JSONValue.string($0).json }.joined(separator: ",")
        let failure = try await failure(
            """
            for _, text in ipairs(json.decode([==[[\(texts)]]==])) do
              -- An expression alone, as for what it gives, is none of Lua's statements.
              local good, problem = load(text)
              if not good then good = load('return ' .. text) end
              assert(good, problem)
            end
            """)
        #expect(failure == nil)
    }

    @Test(arguments: ["LuaReference", "TestingJobs"])
    func aPageHasTheReferenceThatIsMadeOfThem(_ name: String) async throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        func text(_ path: String) throws -> String {
            try String(contentsOf: root.appending(path: path), encoding: .utf8)
        }
        let page = try text("Sources/JobReactor/JobReactor.docc/Lua/\(name).md")
        let made = try await ScriptGlobals.run(
            "args.page = load(args.maker)('a module')(args.page, args.definitions)",
            [
                "maker": .string(try text("Examples/make_lua_reference.lua")), "page": .string(page),
                "definitions": .string(ScriptDefinitions.source),
            ])
        #expect(made["page"]?.string == page, "run lua5.4 Examples/make_lua_reference.lua")
    }

    /// Why a test with that body failed; nil when it passed.
    private func failure(_ body: String) async throws -> String? {
        try await ScriptGlobals.test(body).failure
    }
}

extension String {
    /// What stands before the dot.
    fileprivate var root: String { String(prefix { $0 != "." }) }
}
