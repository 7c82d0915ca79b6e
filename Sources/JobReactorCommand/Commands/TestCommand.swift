internal import ArgumentParser
private import JobReactorCore
private import JobReactorLibraries
internal import JobReactorLua

struct TestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Run the tests of the job scripts: the files *_test.lua.",
        usage: "jobreactor test [<directory>] [--filter <text>] [--json] [<options>]",
        discussion: """
            Loads the job scripts and the tests into one Lua state and runs each test. Prints one line for each test and, \
            below a failed one, the file, the line and the differences. The exit code is 1 when a test fails, when a script \
            cannot be loaded, or when there are no tests.
            """)

    @Argument(help: "Folder of the job scripts, as with --jobs.") var directory: String?
    @Option(help: ArgumentHelp("Run only tests whose title or file contains this text.", valueName: "text"))
    var filter: String?
    @Flag(help: "Print a JSON object.") var json = false
    @Option(\.jobDirectory) var jobDirectory: String?
    @Option(\.memoryLimit) var memoryLimit: String?
    @Option(\.sandbox) var sandbox: String?
    @Option(\.allowHost) var allowHost: [String] = []
    @Option(\.maxAttempt) var maxAttempt: String?
    @Option(\.retryMultiplier) var retryMultiplier: String?
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let settings = try common.settings()
        ScriptLibraries.allow(try settings.value(\.allowHost, flags: allowHost))
        if let directory, let jobDirectory, directory != jobDirectory {
            throw CommandFailure.usage("\(directory) and --jobs \(jobDirectory) are two folders: name one of them")
        }
        let folder = try settings.value(\.jobDirectory, flag: directory ?? jobDirectory)
        let memoryLimit = try settings.value(\.memoryLimit, flag: memoryLimit) ?? MachineMemory.half
        let tests = try await ScriptTests.load(
            LuaLane.Options(
                scripts: ScriptFolder(JobDirectory(folder)), memory: LuaMemory(limit: memoryLimit),
                isSandboxed: try settings.value(\.sandbox, flag: sandbox) == .strict,
                libraries: ScriptLibraries.all, logger: try common.logger(settings, style: .plain)),
            policy: JobPolicy(
                maxAttempt: try settings.value(\.maxAttempt, flag: maxAttempt),
                retryMultiplier: try settings.value(\.retryMultiplier, flag: retryMultiplier)))
        defer { tests.stop() }
        for line in tests.said { Terminal.note(Terminal.printable(line)) }
        for problem in tests.report.problems {
            Terminal.note(problem.failsCheck ? problem.message : "warning: \(problem.message)")
        }
        let chosen = Self.choose(filter, from: tests.tests)
        var failed = 0
        var entries: [JSONValue] = []
        for test in chosen {
            let result = await tests.run(test)
            if result.failure != nil { failed += 1 }
            if json { entries.append(Self.json(test, result)) } else { try Terminal.result(Self.lines(test, result)) }
        }
        // What could not be loaded may have held all of them.
        if chosen.isEmpty, !tests.report.failsCheck { throw Self.noTests(in: folder, filter) }
        if json {
            let whole: [String: JSONValue] = [
                "tests": .array(entries), "passed": JSONValue(chosen.count - failed), "failed": JSONValue(failed),
            ]
            try Terminal.result(json: JSONValue.object(whole).json)
        } else {
            try Terminal.result("\(chosen.count - failed) passed, \(failed) failed")
        }
        if failed > 0 || tests.report.failsCheck { throw CommandFailure.told }
    }

    static func choose(_ filter: String?, from tests: [ScriptTests.Test]) -> [ScriptTests.Test] {
        guard let filter else { return tests }
        return tests.filter { $0.title.contains(filter) || $0.file.contains(filter) }
    }

    static func lines(_ test: ScriptTests.Test, _ result: ScriptTests.Result) -> String {
        func indented(_ text: String, _ margin: String) -> [String] {
            text.split(separator: "\n", omittingEmptySubsequences: false).map { margin + $0 }
        }
        let head = (result.failure == nil ? "ok      " : "FAILED  ") + test.title
        let lines =
            [head] + (result.failure.map { indented($0, "    ") } ?? [])
            + result.said.flatMap { indented($0, "    | ") }
        return Terminal.printable(lines.joined(separator: "\n"))
    }

    private static func json(_ test: ScriptTests.Test, _ result: ScriptTests.Result) -> JSONValue {
        .object([
            "title": .string(test.title), "file": .string(test.file), "passed": .bool(result.failure == nil),
            "failure": result.failure.map { .string($0) } ?? .null, "said": .array(result.said.map { .string($0) }),
        ])
    }

    static func noTests(in folder: String, _ filter: String?) -> CommandFailure {
        if let filter { return .failure("no test in \(folder) contains '\(filter)' in its title or file") }
        return .failure("there is no test in \(folder): jobreactor new NAME writes a job with its test, NAME_test.lua")
    }
}
