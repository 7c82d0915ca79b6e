import JobReactorCore
import Logging
import Testing

@testable import JobReactorLua

/// Loads of one folder, one after the other, as a lane of a node does them.
@Suite("Loading the scripts of a folder") struct ScriptFolderTests {
    private func withLane(
        _ files: [String: String],
        _ body: (TemporaryFolder, ScriptReport, _ load: () throws -> ScriptReport) async throws -> Void
    ) async throws {
        try await TemporaryFolder.with(files) { folder in
            let scripts = ScriptFolder(JobDirectory(folder.path))
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let lane = LuaLane(LuaLane.Options(scripts: scripts, logger: logger)) {}
            defer { lane.stop() }
            let first = try await withCheckedThrowingContinuation { continuation in
                lane.start { continuation.resume(with: $0) }
            }
            try await body(folder, first) {
                try scripts.read()
                return try #require(try lane.reload())
            }
        }
    }

    private func jobs(_ report: ScriptReport) -> [String] { report.definitions.map(\.name) }

    @Test("a broken file keeps its last good version, until it is deleted")
    func broken() async throws {
        try await withLane(["a.lua": "job('a', print)", "b.lua": "this is no Lua"]) { folder, first, load in
            #expect(jobs(first) == ["a"])
            #expect(first.broken.map(\.path) == [folder.file("b.lua")])
            #expect(first.broken.map(\.usedSince) == [nil])

            try folder.write("a.lua", "job('new', print) error('boom')")
            let second = try load()
            #expect(jobs(second) == ["a"])
            let broken = try #require(second.broken.first)
            #expect(broken.path == folder.file("a.lua") && broken.reason == folder.file("a.lua:1: boom"))
            let since = try #require(broken.usedSince)
            // Of the two it is the same version as before.
            try folder.write("a.lua", "job('newer', print) error('boom again')")
            #expect(try load().broken.first?.usedSince == since)

            try folder.remove("a.lua")
            #expect(jobs(try load()) == [])
            try folder.write("a.lua", "job('new', print) error('boom')")
            let last = try load()
            #expect(jobs(last) == [] && last.broken.map(\.usedSince) == [nil, nil])
        }
    }

    @Test("a file that cannot be read any more keeps its last good version")
    func unreadable() async throws {
        try await withLane(["a.lua": "job('a', print)", "b.lua": "require 'c' job('b', print)"]) { folder, _, load in
            // A file that opens and cannot be read, whoever one is.
            for name in ["a.lua", "c.lua"] { try folder.link(name, to: "/proc/self/mem") }
            let report = try load()
            #expect(jobs(report) == ["a"])
            let broken = Dictionary(uniqueKeysWithValues: report.broken.map { ($0.path, $0) })
            #expect(broken.keys.sorted() == ["a.lua", "b.lua", "c.lua"].map(folder.file))
            let (a, b, c) = (broken[folder.file("a.lua")], broken[folder.file("b.lua")], broken[folder.file("c.lua")])
            #expect(a?.usedSince != nil && a?.reason.hasPrefix("\(folder.file("a.lua")): cannot be read (") == true)
            #expect(c?.usedSince == nil && c?.reason.hasPrefix("\(folder.file("c.lua")): cannot be read (") == true)
            #expect(b?.reason.contains("module 'c' cannot be loaded: \(c?.reason ?? "?")") == true)
        }
    }

    @Test("what fails because of another file is not run twice")
    func once() async throws {
        try await withLane([
            "a.lua": "print('a runs') shared.incr('runs') require('lib') job('a', print)",
            "lib.lua": "return 1", "z.lua": "job('runs_' .. shared.get('runs'), print)",
        ]) { folder, first, load in
            #expect(jobs(first) == ["a", "runs_1"])
            try folder.remove("lib.lua")
            let report = try load()
            #expect(jobs(report) == ["runs_2"] && report.broken.map(\.usedSince) == [nil])
        }
    }

    @Test("a module runs where it is required, by a script or by a job, and not without")
    func modules() async throws {
        try await withLane([
            "a.lua": "local early = require 'lib/early' job('a_' .. early, print)",
            "b.lua": "job('b', function(args) args.v = require('helpers.late') end)",
            "lib/early.lua": "shared.incr('runs') return 'early'",
            "helpers/late.lua": "shared.incr('runs') return 'late'",
            "lib/none.lua": "shared.incr('runs') job('none', print)",
            "vendor/lib/spec.lua": "shared.incr('runs') error('not to be run')",
            "z.lua": "job('runs_' .. shared.get('runs'), print)",
            ".jobreactor.json": #"{"modules": ["helpers"]}"#,
        ]) { folder, first, load in
            #expect(jobs(first) == ["a_early", "b", "runs_1"] && first.problems.isEmpty)
            // The name of the folder is gone from the settings.
            try folder.write(".jobreactor.json", "{}")
            #expect(jobs(try load()) == ["a_early", "b", "runs_3"])
        }
    }

    @Test("a broken module is told of by the check, though nobody has required it")
    func brokenModules() async throws {
        try await withLane([
            "a.lua": "job('a', function() vendored_global(require 'lib.x') end)", "lib/x.lua": "return (",
            "lib/y.lua": "return { pritn = pritn }", "vendor/z.lua": "vendored_global = pritn or print",
            "vendor/w.lua": "no Lua", "json.lua": "return {}", "string.lua": "job('s', print)",
        ]) { folder, first, _ in
            #expect(jobs(first) == ["a", "s"] && first.broken.isEmpty && !first.hasErrors && first.failsCheck)
            let messages = first.problems.map(\.message)
            #expect(messages.count == 3)
            #expect(messages.first?.contains("lib/x.lua:1: ") == true)
            #expect(messages.contains(folder.file("lib/y.lua:1: undefined global 'pritn' (did you mean 'print'?)")))
            #expect(
                messages.contains {
                    $0.hasPrefix(folder.file("json.lua:1: require 'json' finds the built-in module of that name"))
                })
        }
    }

    @Test("a change of a module reaches all that require it; each of 1,000 files runs once")
    func thousand() async throws {
        var files = Dictionary(
            uniqueKeysWithValues: (0..<998).map {
                ("f\($0).lua", "shared.incr('runs') job('f\($0)_' .. require('lib.value'), print)")
            })
        files["lib/value.lua"] = "shared.incr('runs') return 'one'"
        files["z.lua"] = "job('runs_' .. shared.get('runs'), print)"
        try await withLane(files) { folder, first, load in
            #expect(first.fileCount == 1000 && first.problems.isEmpty)
            #expect(jobs(first).filter { $0.hasSuffix("_one") }.count == 998)
            #expect(jobs(first).contains("runs_999"))
            try folder.write("lib/value.lua", "return 'two'")
            #expect(jobs(try load()).filter { $0.hasSuffix("_two") }.count == 998)
        }
    }
}
