import JobReactorCore
import JobReactorLua
import Logging
import Testing

extension ScriptTests {
    /// Loads job scripts and tests, runs `body`, and stops.
    static func with(_ files: [String: String], _ body: (ScriptTests) async throws -> Void) async throws {
        let folder = try ScriptTexts(files)
        let tests = try await ScriptTests.load(
            LuaLane.Options(scripts: ScriptFolder(JobDirectory(folder.path)), logger: Logger(label: "test")))
        do {
            try await body(tests)
            tests.stop()
        } catch {
            tests.stop()
            throw error
        }
    }

    /// The body of one test, with these jobs: why it failed, without the folder; nil when it passed.
    static func failure(_ body: String, jobs: String = "") async throws -> String? {
        var failure: String?
        try await with(["jobs.lua": jobs, "t_test.lua": "test('t', function()\n\(body)\nend)"]) { tests in
            #expect(tests.report.problems.filter(\.failsCheck).map(\.message) == [])
            let test = try #require(tests.tests.first)
            let folder = test.file.dropLast("t_test.lua".count)
            failure = await tests.run(test).failure?.replacing(folder, with: "")
        }
        return failure
    }
}
