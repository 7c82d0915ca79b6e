internal import ArgumentParser
private import JobReactor

/// What many nodes cost their distributor.
struct NodesBench: BenchScenario {
    static let configuration = CommandConfiguration(
        commandName: "nodes", abstract: "Jobs per second of one distributor, by the number of connected nodes.",
        discussion: """
            The nodes are simulated in one process, each with its own connection, and answer every job at once, so that only \
            the distributor is measured. Its limit is the raw RESP echo over as many connections.
            """)

    @Option(help: "How many nodes.") var nodes = [1, 2, 10, 100, 1000]
    @Option(help: "Jobs of a round.") var batch = 100_000
    @Option(help: "Rounds; the limit is measured between them.") var rounds = 3
    @Option(help: "Jobs in flight at once, over all nodes.") var inFlight = 2000
    @OptionGroup var options: BenchOptions

    func validate() throws {
        try requirePositive([
            "--batch": batch, "--rounds": rounds, "--in-flight": inFlight, "--nodes": nodes.min() ?? 0,
        ])
        guard (nodes.max() ?? 0) <= 5000 else { throw ValidationError("--nodes takes numbers up to 5000") }
    }

    func measure() async throws -> [BenchFigure] {
        var figures: [BenchFigure] = []
        for count in nodes { figures.append(try await measure(count)) }
        return figures
    }

    private func measure(_ count: Int) async throws -> BenchFigure {
        options.note("\(count) nodes: \(rounds) rounds of \(batch) jobs")
        let distributor = try await options.startDistributor()
        let port = "\(distributor.port ?? 0)"
        let standIns = try BenchProcess.jobreactor(
            "the nodes", ["bench", "stand-in-nodes", "--port", port, "--count", "\(count)"])
        defer { standIns.stop() }
        _ = try await standIns.wait(for: "connected all nodes") {
            let ready = try await distributor.nodes().count { $0.window > 0 && !$0.jobs.isEmpty }
            return ready == count ? ready : nil
        }
        let (echo, address) = try await EchoCommand.start()
        defer { echo.stop() }
        let client = try await RawClient.connect(to: address, connections: count)
        let message = RawMessages.job(JobFlow.usualArgs, isDirect: true)
        let measured = try await BenchRounds.measure(
            rounds, { try await JobFlow.rate(distributor, jobs: batch, inFlight: inFlight) },
            { try await client.rate(message, count: batch, inFlight: inFlight) })
        await client.close()
        await distributor.stop(grace: 0)
        return measured.figure(
            "nodes_\(count)", "jobs/s", limit: "raw RESP echo over as many connections",
            remark: "\(inFlight) in flight in all")
    }
}
