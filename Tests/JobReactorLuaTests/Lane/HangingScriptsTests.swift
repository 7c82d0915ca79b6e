import Foundation
import JobReactorCore
import JobReactorTesting
import Logging
import Testing

@testable import JobReactorLua

/// Scripts that hang where Lua cannot be interrupted, beside runs.
@Suite("Scripts that hang within C") struct HangingScriptsTests {
    private static func options(_ folder: TemporaryFolder) -> LuaLane.Options {
        var options = LuaLane.Options(
            scripts: ScriptFolder(JobDirectory(folder.path)),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        options.loadingSeconds = 0.2
        return options
    }

    private static func start(_ lane: LuaLane) async throws -> ScriptReport {
        try await withCheckedThrowingContinuation { continuation in
            lane.start { continuation.resume(with: $0) }
        }
    }

    private static func run(_ name: String, on lane: LuaLane) async throws -> RunOutcome {
        let job = Job(id: JobID(high: 1, low: 1), name: name, args: JobArguments(), createdAt: .now)
        lane.submit([LuaLane.Run(job: job)])
        var ended: [LuaLane.Outcome] = []
        try await eventually("the run's end") {
            ended += lane.takeResults().outcomes
            return !ended.isEmpty
        }
        return ended[0].outcome
    }

    @Test("while they are loaded are left out until they are changed; the others are loaded, then and later")
    func loading() async throws {
        let pipe = try NamedPipe()
        let scripts = [
            "a.lua": "job('a', function() end)", "b.lua": "job('b', function() end)\nio.open('\(pipe.path)')",
            "c.lua": "pcall(require, 'd') job('c', function() end)", "d.lua": "io.open('\(pipe.path)')",
        ]
        try await TemporaryFolder.with(scripts) { folder in
            let options = Self.options(folder)
            let lane = LuaLane(options) {}
            let report = try await Self.start(lane)
            #expect(report.definitions.map(\.name) == ["a", "c"])
            #expect(report.broken.map(\.path) == [folder.file("b.lua"), folder.file("d.lua")])
            let reason = report.broken.first?.reason ?? ""
            #expect(reason.contains("b.lua:2 in io.open, where it cannot be interrupted"), "\(reason)")
            #expect(lane.chores.map(\.kind) == [.abandoned, .abandoned])
            #expect(lane.chores.map(\.script) == [folder.file("b.lua"), folder.file("d.lua")])
            #expect(lane.chores.first?.call?.hasSuffix("b.lua:2 in io.open") == true)

            // What has hung is not tried again.
            try options.scripts.read()
            let again = try #require(try lane.reload())
            #expect(again.definitions == report.definitions && again.broken == report.broken)
            #expect(lane.chores.filter { $0.kind == .abandoned }.count == 2)
            try folder.replace("b.lua", "job('b', function(args) args.ran = true end)")
            try options.scripts.read()
            let changed = try #require(try lane.reload())
            #expect(changed.definitions.map(\.name) == ["a", "b", "c"] && changed.broken.count == 1)
            #expect(try await Self.run("b", on: lane).args == ["ran": true])

            pipe.open()
            try await eventually("the threads to be done") { lane.chores.isEmpty }
            lane.stop()
        }
    }

    /// Under the thread sanitizer a signal reaches its handler when the call of C is over.
    private static let hasSignals = dlsym(dlopen(nil, RTLD_NOW), "__tsan_init") == nil

    @Test("have their place told, whatever function of C it is that hangs", .enabled(if: hasSignals))
    func site() async throws {
        let pipe = try NamedPipe()
        let script = "job('a', function(args)\n  args.found = package.searchpath('x', '\(pipe.path)')\nend)"
        try await TemporaryFolder.with(["a.lua": script]) { folder in
            let lane = LuaLane(Self.options(folder)) {}
            _ = try await Self.start(lane)
            async let outcome = Self.run("a", on: lane)
            try await eventually("its place to be known") {
                for slice in lane.slices where slice.place == nil { lane.warn(slice) }
                return lane.slices.first?.place?.hasSuffix("a.lua:2 in searchpath") == true
            }
            pipe.open()
            #expect(try await outcome.args == ["found": .string(pipe.path)])
            lane.stop()
        }
    }

    @Test("have their last good version used, unless that hangs as well")
    func fallback() async throws {
        let pipe = try NamedPipe()
        try await TemporaryFolder.with(["a.lua": "job('good', function() end)"]) { folder in
            let options = Self.options(folder)
            let lane = LuaLane(options) {}
            _ = try await Self.start(lane)
            try folder.replace("a.lua", "io.open('\(pipe.path)')")
            try options.scripts.read()
            let report = try #require(try lane.reload())
            #expect(report.definitions.map(\.name) == ["good"])
            #expect(report.broken.first?.usedSince != nil)
            pipe.open()
            try await eventually("the thread to be done") { lane.chores.isEmpty }
            lane.stop()
        }
    }

    @Test("while they are closed hold up neither runs nor loads")
    func closing() async throws {
        let pipe = try NamedPipe()
        let script = "kept = setmetatable({}, { __gc = function() io.open('\(pipe.path)') end })\n"
        try await TemporaryFolder.with(["a.lua": script + "job('a', function(args) args.v = 1 end)"]) { folder in
            let options = Self.options(folder)
            let lane = LuaLane(options) {}
            _ = try await Self.start(lane)
            #expect(try await Self.run("a", on: lane).args == ["v": 1])
            try folder.replace("a.lua", "job('a', function(args) args.v = 2 end)")
            try options.scripts.read()
            _ = try lane.reload()
            try await eventually("the state to be closed") { lane.chores.map(\.kind) == [.closing] }
            try await eventually("its finalizer to hang") {
                lane.chores.first?.call?.hasSuffix("a.lua:1 in io.open") == true
            }
            #expect(try await Self.run("a", on: lane).args == ["v": 2])
            _ = try lane.reload()
            #expect(try await Self.run("a", on: lane).args == ["v": 2])
            #expect(lane.stateCount >= 2)
            pipe.open()
            try await eventually("the states to be closed") { lane.chores.isEmpty && lane.stateCount == 1 }
            lane.stop()
        }
    }
}
