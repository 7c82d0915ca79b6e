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
            local function nested() return (pcall(string.gsub, 'x', 'x', raise)) end
            job('raises', function(args)
                args.caught = 0
                for _ = 1, 25000 do
                    if not pcall(json.decode, '{') then args.caught = args.caught + 1 end
                    if not nested() then args.caught = args.caught + 1 end
                end
            end)
            """
        try await TemporaryFolder.with(["errors.lua": source]) { folder in
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let options = LuaLane.Options(scripts: ScriptFolder(JobDirectory(folder.path)), logger: logger)
            let lane = LuaLane(options) {}
            let generation = try LuaGeneration.load(options, host: LuaHost(lane, options))
            let job = Job(id: JobID(high: 1, low: 1), name: "raises", args: JobArguments(), createdAt: .now)
            guard case .ended(let outcome, _) = generation.run(LuaLane.Run(job: job)) else {
                Issue.record("the run is not over")
                return
            }
            #expect(outcome.outcome.args == ["caught": 50_000])
            withExtendedLifetime(lane) {}
        }
    }
}
