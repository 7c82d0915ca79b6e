internal import ArgumentParser
private import JobReactor
private import JobReactorCore

/// What changes of the scripts cost the jobs that run meanwhile.
struct ReloadBench: BenchScenario {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Throughput and latency with and without changes of scripts.")

    @Option(help: "Milliseconds between two changes.") var every = 100
    @Option(help: "Jobs of a round.") var batch = 200_000
    @Option(help: "Rounds with changes, in turns with rounds without.") var rounds = 5
    @Option(help: "Jobs in flight at once.") var inFlight = 500
    @OptionGroup var options: BenchOptions

    func validate() throws {
        try requirePositive([
            "--every": every, "--batch": batch, "--rounds": rounds, "--in-flight": inFlight,
        ])
    }

    func measure() async throws -> [BenchFigure] {
        let distributor = try await options.startDistributor()
        let node = try await BenchNode.start(for: distributor)
        defer { node.stop() }
        options.note("\(rounds) rounds of \(batch) jobs, with a change each \(every) ms and without")
        let (beside, without) = (Latencies(), Latencies())
        var changes = 0
        let measured = try await BenchRounds.measure(
            rounds,
            {
                let isOver = Locked(false)
                async let rate = {
                    defer { isOver.withLock { $0 = true } }
                    return try await JobFlow.rate(distributor, jobs: batch, inFlight: inFlight, beside)
                }()
                while !isOver.withLock({ $0 }) {
                    changes += 1
                    try await node.reload(BenchNode.noOp + "-- change \(changes)\n")
                    try await Task.sleep(for: .milliseconds(every))
                }
                return try await rate
            },
            { try await JobFlow.rate(distributor, jobs: batch, inFlight: inFlight, without) })
        await distributor.stop(grace: 0)
        return [
            measured.figure("reload_rate", "jobs/s", limit: "no changes", remark: "\(changes) changes of a script")
        ] + beside.figures("reload_latency", limit: (without, "no changes"), remark: "\(inFlight) in flight")
    }
}
