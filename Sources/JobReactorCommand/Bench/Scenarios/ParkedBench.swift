internal import ArgumentParser
private import JobReactor
private import JobReactorCore
private import JobReactorWire

/// What jobs that no node takes cost the others.
struct ParkedBench: BenchScenario {
    static let configuration = CommandConfiguration(
        commandName: "parked", abstract: "Jobs per second with and without parked jobs.",
        discussion: """
            Two distributors with a node each take turns, round by round. One of them has parked jobs: half have a name that \
            no script defines, half are for an absent node.
            """)

    @Option(help: "Parked jobs.") var jobs = 1_000_000
    @Option(help: "Jobs of a round.") var batch = 20_000
    @Option(help: "Rounds for each of the two.") var rounds = 15
    @Option(help: "Jobs in flight at once.") var inFlight = 500
    @OptionGroup var options: BenchOptions

    func validate() throws {
        try requirePositive(["--jobs": jobs, "--batch": batch, "--rounds": rounds, "--in-flight": inFlight])
    }

    func measure() async throws -> [BenchFigure] {
        let beside = try await start()
        defer { beside.node.stop() }
        let without = try await start()
        defer { without.node.stop() }
        let own = try ProcessReading.memory(ProcessReading.own)
        options.note("\(jobs) jobs are parked")
        try await park(at: beside.distributor)
        let parked = try ProcessReading.memory(ProcessReading.own) - own
        options.note("\(rounds) rounds of \(batch) jobs each")
        let measured = try await BenchRounds.measure(
            rounds, { try await JobFlow.rate(beside.distributor, jobs: batch, inFlight: inFlight) },
            { try await JobFlow.rate(without.distributor, jobs: batch, inFlight: inFlight) })
        await beside.distributor.stop(grace: 0)
        await without.distributor.stop(grace: 0)
        return [
            measured.figure(
                "rate_beside_parked", "jobs/s", limit: "no jobs parked", goal: .ratioAtLeast(0.9),
                remark: "\(jobs) jobs parked"),
            BenchFigure(
                name: "application_memory_per_parked_job", value: Double(max(0, parked)) / Double(jobs), unit: "bytes"),
        ]
    }

    private func park(at distributor: Distributor) async throws {
        var rest = jobs
        while rest > 0 {
            let count = min(rest, 10_000)
            let batch = (0..<count).map { index in
                index % 2 == 0
                    ? JobSubmission("nobody_defines_it", ["arg1": 1])
                    : JobSubmission("bench", ["arg1": 1], JobOptions(node: "absent"))
            }
            _ = try distributor.enqueue(contentsOf: batch)
            rest -= count
        }
        // The loop has taken them all when it answers.
        _ = try await distributor.nodes()
    }

    private func start() async throws -> (distributor: Distributor, node: BenchNode) {
        let distributor = try await options.startDistributor()
        return (distributor, try await BenchNode.start(for: distributor))
    }
}
