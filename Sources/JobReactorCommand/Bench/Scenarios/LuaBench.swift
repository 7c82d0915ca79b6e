internal import ArgumentParser
internal import Foundation
private import JobReactorCore
private import JobReactorLua
private import Logging

/// What a job costs in Lua.
struct LuaBench: BenchScenario {
    static let configuration = CommandConfiguration(
        commandName: "lua",
        abstract: "Time of a run on its lane with args decoded and encoded, compared with a bare call.")

    @Option(help: "Runs of a round.") var batch = 100_000
    @Option(help: "Rounds.") var rounds = 10
    @OptionGroup var options: BenchOptions

    func validate() throws { try requirePositive(["--batch": batch, "--rounds": rounds]) }

    func measure() async throws -> [BenchFigure] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "jobreactor-bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(BenchNode.noOp.utf8).write(to: folder.appending(path: "bench.lua"))
        options.note("\(rounds) rounds of \(batch) runs and bare calls")
        let logger = Logger(label: "jobreactor.lua") { _ in TerminalLogHandler(.dated, level: .error) }
        let cost = try RunCost(
            of: "bench", JobFlow.usualArgs, in: folder.path, count: batch, rounds: rounds, logger: logger)
        let beyond = zip(cost.runs, cost.bareCalls).map { ($0 - $1) * 1e6 }
        let run = BenchSamples(cost.runs.map { $0 * 1e6 }).median
        let bare = BenchSamples(cost.bareCalls.map { $0 * 1e6 }).median
        let limit = BenchFigure.Limit(value: bare, ratio: run / bare, name: "a bare call with a table that is there")
        return [
            BenchFigure(name: "lua_run", value: run, unit: "us", limit: limit, remark: "args in and out"),
            BenchFigure(
                name: "lua_beyond_bare_call", value: BenchSamples(beyond).median, unit: "us", goal: .atMost(2)),
        ]
    }
}
