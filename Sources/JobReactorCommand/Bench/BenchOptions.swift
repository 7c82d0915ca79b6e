internal import ArgumentParser
internal import JobReactor
private import JobReactorCore
private import Logging

/// What the scenarios have in common on the command line.
struct BenchOptions: ParsableArguments {
    @Flag(help: "Print a JSON object.") var json = false

    /// The distributor of a scenario, which says nothing: what is to be read are the figures.
    func startDistributor() async throws -> Distributor {
        let distributor = Distributor(
            DistributorConfiguration(
                host: "127.0.0.1", port: 0, alwaysUseSpecifiedNode: true,
                logger: Logger(label: "jobreactor.distributor") { _ in TerminalLogHandler(.dated, level: .error) }))
        try await distributor.start()
        return distributor
    }

    func show(_ figures: [BenchFigure]) throws {
        if json { return try Terminal.result(json: BenchFigure.json(figures).json) }
        try Terminal.result(BenchFigure.table(figures).text)
    }

    func note(_ line: String) {
        if !json { Terminal.note(line) }
    }
}

/// Of scenarios that fill storages, round by round.
struct StorageRounds: ParsableArguments {
    @Option(help: "Where jobs are kept.") var storage = StorageKind.allCases
    @Option(help: "Jobs of a round.") var batch = 100_000
    @Option(help: "Rounds; the limit is measured between them.") var rounds = 5
    @Option(help: "Jobs in flight at once.") var inFlight = 1000

    func validate() throws {
        try requirePositive(["--batch": batch, "--rounds": rounds, "--in-flight": inFlight])
    }
}

/// One thing that the benchmark measures.
protocol BenchScenario: AsyncParsableCommand {
    var options: BenchOptions { get }
    /// Measures, and cleans up.
    func measure() async throws -> [BenchFigure]
}

extension BenchScenario {
    func run() async throws { try options.show(try await measure()) }
}

/// One that measures each storage by itself.
protocol StorageScenario: BenchScenario {
    var load: StorageRounds { get }
    func measure(_ kind: StorageKind) async throws -> [BenchFigure]
}

extension StorageScenario {
    func measure() async throws -> [BenchFigure] {
        var figures: [BenchFigure] = []
        for kind in load.storage { figures += try await measure(kind) }
        return figures
    }
}

/// Throws unless each of the numbers is above 0.
func requirePositive(_ numbers: KeyValuePairs<String, Int>) throws {
    for (name, number) in numbers where number < 1 {
        throw ValidationError("\(name) takes a whole number above 0, not \(number)")
    }
}
