import ArgumentParser
import Foundation
import JobReactor
import JobReactorTesting

/// Runs distributors, nodes and storages, each a process of its own, breaks them at random, and looks whether anything was
/// lost or done too often. The same seed breaks the same things in the same order.
@main
struct ChaosTool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "JobReactorChaos", abstract: "Kill, freeze and cut everything, and count what is left.")

    @Option(help: "Where the order of the faults comes from.") var seed: UInt64?
    @Option(help: "Jobs to enqueue, half of them by redis-cli.") var jobs = 20_000
    @Option(help: "Seconds for which things are broken.") var seconds = 60.0
    @Option(help: "Where processes keep their jobs: redis or sqlite.") var storage = ChaosPlace.Kind.redis
    @Option(help: "Number of nodes.") var nodes = 3
    @Option(
        help:
            "What is broken, each with an option of its own: kill, freeze, hang, cut, server, lose. Everything but hang when not said."
    )
    var faults: [Fault.Kind] = []
    @Option(help: "Folder of the program jobreactor.") var programs: String?

    func run() async throws {
        let seed = seed ?? UInt64.random(in: 1..<1_000_000)
        print("seed \(seed), \(jobs) jobs, \(seconds) s, \(storage.rawValue)")
        let folder =
            programs
            ?? URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().path
        let installation = try await ChaosInstallation(programs: folder, storage: storage, nodes: nodes)
        defer { installation.end() }
        let kinds = (faults.isEmpty ? Fault.Kind.allCases.filter { $0 != .hang } : faults).filter {
            storage == .redis || $0 != .server && $0 != .lose
        }
        let breaker = Breaker(installation, seed: seed, kinds: kinds)
        let work = Work(installation, jobs: jobs)
        async let faults = breaker.run(seconds: seconds, from: work.begun)
        try await work.enqueueAll(over: seconds)
        let made = try await faults
        try await work.waitForAll()
        let verdict = Verdict(work: work.result(), faults: made, runs: installation.runs())
        print(verdict.report)
        guard verdict.isGood else {
            installation.keep()
            print("NOT GOOD: run again with --seed \(seed); the logs are in \(installation.folder)")
            throw ExitCode.failure
        }
        print("nothing lost, nothing unexplained")
    }
}

extension Fault.Kind: ExpressibleByArgument {}
extension ChaosPlace.Kind: ExpressibleByArgument {}
