import JobReactorCore
import Logging
import Testing

@testable import JobReactorLua

/// Under the thread sanitizer an error that it does not see leave the C functions leaks places of a stack of 65,536: then this
/// test ends with the process (`thread_sanitizer.c`).
@Suite("A Lua state outlives") struct ManyErrorsTests {
    @Test("as many errors as its scripts raise, out of C functions as deep as they are")
    func errors() async throws {
        let source = """
            local function raise() json.decode('{') end
            local function nested() return select(2, pcall(string.gsub, 'x', 'x', raise)) end
            for _ = 1, 60000 do
                pcall(json.decode, '{')
                nested()
            end
            job('told', function(args) args.message = nested() end)
            """
        try await TemporaryFolder.with(["errors.lua": source]) { folder in
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let options = LuaLane.Options(scripts: ScriptFolder(JobDirectory(folder.path)), logger: logger)
            let lane = LuaLane(options) {}
            let generation = try LuaGeneration.load(options, host: LuaHost(lane, options))
            #expect(generation.report.problems.isEmpty)
            #expect(generation.report.definitions.map(\.name) == ["told"])
            withExtendedLifetime(lane) {}
        }
    }
}
