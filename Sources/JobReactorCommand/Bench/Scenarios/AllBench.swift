internal import ArgumentParser
private import Foundation
private import JobReactorCore
private import JobReactorWire

/// Everything, one scenario after another.
struct AllBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "all", abstract: "Run all scenarios with their default settings; takes some minutes.")

    @Flag(help: "Use small numbers, to check that everything works.") var quick = false
    @OptionGroup var options: BenchOptions

    func run() async throws {
        var scenarios: [(name: String, figures: [BenchFigure])] = []
        for (type, quickly) in Self.scenarios {
            let name = type.configuration.commandName ?? ""
            let scenario = try type.parse((quick ? quickly : []) + (options.json ? ["--json"] : []))
            guard let scenario = scenario as? any BenchScenario else { continue }
            let figures = try await scenario.measure()
            if !options.json { try Terminal.result("\n\(name)\n\n\(BenchFigure.table(figures).text)\n") }
            scenarios.append((name, figures))
        }
        guard options.json else { return }
        let results = JSONValue.object([
            "version": .string(JobReactorVersion.current), "machine": Self.machine,
            "scenarios": .object(Dictionary(scenarios.map { ($0.name, BenchFigure.json($0.figures)) }) { $1 }),
        ])
        try Terminal.result(results.json)
    }

    /// With what makes each of them quick.
    private static let scenarios: [(any ParsableCommand.Type, [String])] = {
        let few = ["--batch", "2000", "--rounds", "1"]
        return [
            (EnqueueBench.self, few), (EndToEndBench.self, few),
            (LatencyBench.self, ["--jobs", "200", "--seconds", "1"]),
            (LuaBench.self, few), (DelayedBench.self, ["--jobs", "2000", "--due", "200"] + few),
            (ParkedBench.self, ["--jobs", "2000"] + few),
            (LimitsBench.self, ["--jobs", "2000", "--keys", "200", "--schedules", "200", "--due", "20"] + few),
            (ReloadBench.self, few),
            (NodesBench.self, few + ["--nodes", "1", "--nodes", "10"]),
            (PayloadBench.self, ["--megabytes", "1", "--rounds", "1", "--bytes", "100", "--bytes", "100000"]),
            (IdleBench.self, ["--seconds", "1"]),
        ]
    }()

    private static var machine: JSONValue {
        let processor = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?
            .split(separator: "\n").first { $0.hasPrefix("model name") }?
            .split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
        return .object([
            "cores": JSONValue(ProcessInfo.processInfo.activeProcessorCount),
            "processor": .string(processor ?? "unknown"),
            "system": .string(ProcessInfo.processInfo.operatingSystemVersionString),
        ])
    }
}
