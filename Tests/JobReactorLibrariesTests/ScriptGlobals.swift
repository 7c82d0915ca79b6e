import Foundation
import JobReactorCore
import JobReactorLibraries
import JobReactorLua
import Logging
import Testing

/// What scripts find in real states with all libraries: `name`, and `name.key` for what is in a table without a metatable.
enum ScriptGlobals {
    private static let list = """
        local names = json.array()
        for name, value in pairs(_G) do
          names[#names + 1] = name
          if type(value) == 'table' and getmetatable(value) == nil then
            for key in pairs(value) do names[#names + 1] = name .. '.' .. tostring(key) end
          end
        end
        """

    /// In a state as nodes have it.
    static func ofJobs() async throws -> Set<String> {
        let result = try await run("\(list) args.names = names")
        return Set(result["names"]?.array?.compactMap(\.string) ?? [])
    }

    /// The args that a job with that body leaves, in such a state.
    static func run(_ body: String, _ args: JobArguments = [:]) async throws -> JobArguments {
        let folder = try Folder(["a.lua": "job('a', function(args)\n\(body)\nend)"])
        let (results, result) = AsyncStream.makeStream(of: Void.self)
        let lane = LuaLane(options(folder)) { result.yield() }
        defer { lane.stop() }
        let report = try await withCheckedThrowingContinuation { continuation in
            lane.start { continuation.resume(with: $0) }
        }
        #expect(report.problems == [])
        var ids = JobID.Generator()
        let job = Job(id: ids.next(at: .now), name: "a", args: args, createdAt: .now)
        lane.submit([LuaLane.Run(job: JobLifecycle.begin(job, now: .now))])
        for await _ in results {
            guard let outcome = lane.takeResults().outcomes.first?.outcome else { continue }
            #expect(outcome.kind == .succeeded, "\(outcome.message ?? "")")
            return outcome.args
        }
        return [:]
    }

    /// In one of tests.
    static func ofTests() async throws -> Set<String> {
        let result = try await test("\(list) for _, name in ipairs(names) do print(name) end")
        #expect(result.failure == nil)
        return Set(result.said)
    }

    /// What a test with that body came to.
    static func test(_ body: String) async throws -> ScriptTests.Result {
        let folder = try Folder(["a_test.lua": "test('t', function()\n\(body)\nend)"])
        let tests = try await ScriptTests.load(options(folder))
        defer { tests.stop() }
        return await tests.run(try #require(tests.tests.first))
    }

    private static func options(_ folder: Folder) -> LuaLane.Options {
        LuaLane.Options(
            scripts: ScriptFolder(JobDirectory(folder.path)), libraries: ScriptLibraries.all,
            logger: Logger(label: "test"))
    }

    /// Gone when the test is done with it.
    private final class Folder {
        let path = FileManager.default.temporaryDirectory.appending(path: "jr-\(UUID().uuidString.prefix(13))").path

        init(_ files: [String: String]) throws {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            for (name, text) in files { try Data(text.utf8).write(to: URL(filePath: path + "/" + name)) }
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }
}
