import ArgumentParser
import Foundation
import JobReactor
import JobReactorTesting

/// Runs distributors, nodes, producers and storages, each a process of its own, breaks them at random, and looks whether
/// anything was lost or done too often. The same seed breaks the same things in the same order.
@main
struct ChaosTool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "JobReactorChaos", abstract: "Kill, freeze and cut everything, and count what is left.",
        usage: "JobReactorChaos [<options>]",
        discussion: """
            The faults, of which --faults names some, each with an option of its own (all when it is not said):

            \(Fault.Kind.allCases.map { "\($0.rawValue): \($0.help)." }.joined(separator: "\n\n"))

            In a third of the cases a second fault, of another kind and elsewhere, begins while the first lasts. All is \
            mended at the end. Then every job that was accepted must have run, and its outcome must have come, once. A \
            job may have run again only when a node that ran it, or a distributor, was meanwhile killed, lost, hung, or \
            told to stop and said that its grace was too short: once for each such fault. Nothing else excuses anything. \
            No process may end by itself, but for one that starts while its own storage is broken.

            With --timed there are jobs with keys, of a limit, and of schedules that are due each second, which note when they \
            begin and end. By these notes no two jobs of a key ran at a time, no more of the limit than it has places, and no \
            tick became two jobs; and in the end each key takes a new job, each schedule goes on, and nothing waits.

            The storages are on small disks in memory, which takes root, or sudo without a password.
            """,
        subcommands: [CrowdCommand.self, ProduceCommand.self, CrowdClientsCommand.self])

    @Option(help: "Where the order of the faults comes from.") var seed: UInt64?
    @Option(help: "Jobs to enqueue: half by clients, a quarter by redis-cli, a quarter by producers.")
    var jobs = 20_000
    @Option(help: "Seconds for which things are broken.") var seconds = 60.0
    @Option(help: "Where processes keep their jobs: redis or sqlite.") var storage = ChaosPlace.Kind.redis
    @Option(help: "Number of nodes.") var nodes = 3
    @Option(
        help: ArgumentHelp(
            "What is broken, see above: \(Fault.Kind.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "fault"))
    var faults: [Fault.Kind] = []
    @Flag(help: "Jobs with keys, of limits and of schedules, too, and whether these held.") var timed = false
    @Option(help: "Folder of the programs jobreactor and JobReactorChaos.") var programs: String?

    func run() async throws {
        let seed = seed ?? UInt64.random(in: 1..<1_000_000)
        print("seed \(seed), \(jobs) jobs, \(seconds) s, \(storage.rawValue)")
        let folder =
            programs
            ?? URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().path
        let installation = try await ChaosInstallation(
            programs: folder, storage: storage, nodes: nodes, produced: Work.produced(of: jobs), over: seconds)
        let result: Result<Bool, any Error>
        do { result = .success(try await judge(installation, seed)) } catch { result = .failure(error) }
        if case .success(true) = result {} else { installation.keep() }
        await installation.end()
        guard try result.get() else {
            print("NOT GOOD: run again with --seed \(seed); the logs are in \(installation.folder)")
            throw ExitCode.failure
        }
        print("nothing lost, nothing unexplained")
    }

    private func judge(_ installation: ChaosInstallation, _ seed: UInt64) async throws -> Bool {
        let breaker = Breaker(installation, seed: seed, kinds: faults.isEmpty ? Fault.Kind.allCases : faults)
        let work = Work(installation, jobs: jobs)
        let timedWork = timed ? TimedWork(installation, storage) : nil
        try await timedWork?.begin()
        async let faults = breaker.run(seconds: seconds, from: work.begun)
        async let timedEnqueued: Void? = timedWork?.enqueueAll(over: seconds)
        try await work.enqueueAll(over: seconds)
        let made = try await faults
        _ = try await timedEnqueued
        try await work.waitForAll()
        try await timedWork?.finish()
        let verdict = Verdict(
            work: work.result(), faults: made, runs: installation.runs(),
            surprises: installation.members.flatMap(\.surprises),
            unfinished: installation.producers.filter { !$0.isDone }.map(\.name))
        print(verdict.report)
        print("storages refused  \(installation.refusals) times, as nodes and distributors say")
        guard let timedWork else { return verdict.isGood }
        let timedVerdict = TimedVerdict(work: timedWork.result(), traces: installation.traces(), faults: made)
        print(timedVerdict.report)
        return verdict.isGood && timedVerdict.isGood
    }
}

extension Fault.Kind: ExpressibleByArgument {}
extension ChaosPlace.Kind: ExpressibleByArgument {}
