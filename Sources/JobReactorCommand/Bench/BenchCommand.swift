internal import ArgumentParser
internal import JobReactor
private import Logging

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure JobReactor on this machine, with processes as in life.",
        discussion: """
            Each scenario is an application with a distributor of its own in this process, and nodes in processes beside \
            it, over loopback. Figures of one machine mean little: compare the ratios that stand beside them.
            """,
        subcommands: [DelayedBenchCommand.self, ParkedBenchCommand.self])
}

/// What the scenarios have in common on the command line.
struct BenchOptions: ParsableArguments {
    @Flag(help: "As a JSON object, for machines.") var json = false

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
        try Terminal.result(json ? BenchFigure.json(figures) : BenchFigure.table(figures).text)
    }

    func note(_ line: String) {
        if !json { Terminal.note(line) }
    }
}
