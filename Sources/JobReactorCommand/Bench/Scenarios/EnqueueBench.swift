internal import ArgumentParser
private import JobReactor
private import JobReactorWire

/// How fast a distributor takes jobs.
struct EnqueueBench: BenchScenario {
    static let configuration = CommandConfiguration(
        commandName: "enqueue", abstract: "Jobs per second from a client to a distributor in a process of its own.",
        discussion: """
            A pipelining Redis client sends ENQUEUE and reads the ids; a JobClient, as applications use it, enqueues and \
            waits until all are accepted. The jobs wait at the distributor, which has stored them before it answers.
            """)

    @Option(help: "Where the distributor keeps jobs.") var storage = StorageKind.allCases
    @Option(help: "Jobs of a round.") var batch = 100_000
    @Option(help: "Rounds, each beside one of its limit.") var rounds = 5
    @Option(help: "Commands on their way at once.") var inFlight = 1000
    @OptionGroup var options: BenchOptions

    func validate() throws {
        try requirePositive(["--batch": batch, "--rounds": rounds, "--in-flight": inFlight])
    }

    func measure() async throws -> [BenchFigure] {
        var figures: [BenchFigure] = []
        for kind in storage { figures += try await measure(kind) }
        return figures
    }

    private func measure(_ kind: StorageKind) async throws -> [BenchFigure] {
        options.note("enqueue, \(kind.rawValue): \(rounds) rounds of \(batch) jobs")
        let storage = try await BenchStorage.make(kind)
        defer { storage.remove() }
        let distributor = try await BenchDistributor.start(storage: storage.text)
        defer { distributor.stop() }
        let limit = try await StorageLimit.start(storage, jobsAreKept: true, inFlight: inFlight)
        defer { limit.stop() }
        let client = try await RawClient.connect(to: distributor.address)
        let message = RawMessages.enqueue(JobFlow.usualArgs)
        let byCommand = try await BenchRounds.measure(
            rounds, { try await client.rate(message, count: batch, inFlight: inFlight) },
            { try await limit.rate(jobs: batch) })
        await client.close()
        let application = try await JobClient.connect(to: distributor.address)
        let byClient = try await BenchRounds.measure(
            rounds, { try await rate(application) }, { try await limit.rate(jobs: batch) })
        await application.stop(grace: 0)
        return [
            byCommand.figure(
                "enqueue_\(kind.rawValue)", "jobs/s", limit: limit.name,
                goal: kind == .memory ? .atLeast(300_000) : nil, remark: "ENQUEUE, \(inFlight) pipelined"),
            byClient.figure(
                "enqueue_client_\(kind.rawValue)", "jobs/s", limit: limit.name, remark: "JobClient, in calls of 1000"),
        ]
    }

    private func rate(_ client: JobClient) async throws -> Double {
        let jobs = (0..<min(1000, batch)).map { _ in JobSubmission("bench", JobFlow.usualArgs) }
        let start = ContinuousClock.now
        var rest = batch
        while rest > 0 {
            try client.enqueue(contentsOf: Array(jobs.prefix(rest)))
            rest -= min(rest, jobs.count)
        }
        try await client.flush()
        return Double(batch) / ((ContinuousClock.now - start) / .seconds(1))
    }
}
