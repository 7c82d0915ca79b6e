internal import ArgumentParser
private import JobReactor
private import JobReactorWire

/// How fast a distributor takes jobs.
struct EnqueueBench: StorageScenario {
    static let configuration = CommandConfiguration(
        commandName: "enqueue", abstract: "Jobs per second from a client to a distributor in another process.",
        discussion: """
            A pipelining Redis client sends ENQUEUE and reads the ids; a JobClient enqueues, as in an application, and waits \
            until all jobs are accepted. The distributor stores the jobs before it answers.
            """)

    @OptionGroup var load: StorageRounds
    @OptionGroup var options: BenchOptions

    func measure(_ kind: StorageKind) async throws -> [BenchFigure] {
        options.note("enqueue, \(kind.rawValue): \(load.rounds) rounds of \(load.batch) jobs")
        let storage = try await BenchStorage.make(kind)
        defer { storage.remove() }
        let distributor = try await BenchDistributor.start(storage: storage.text)
        defer { distributor.stop() }
        let limit = try await StorageLimit.start(storage, jobsAreKept: true, inFlight: load.inFlight)
        defer { limit.stop() }
        let client = try await RawClient.connect(to: distributor.address)
        let message = RawMessages.enqueue(JobFlow.usualArgs)
        let byCommand = try await BenchRounds.measure(
            load.rounds, { try await client.rate(message, count: load.batch, inFlight: load.inFlight) },
            { try await limit.rate(jobs: load.batch) })
        await client.close()
        let application = try await JobClient.connect(to: distributor.address)
        let byClient = try await BenchRounds.measure(
            load.rounds, { try await rate(application) }, { try await limit.rate(jobs: load.batch) })
        await application.stop(grace: 0)
        return [
            byCommand.figure(
                "enqueue_\(kind.rawValue)", "jobs/s", limit: limit.name,
                goal: kind == .memory ? .atLeast(300_000) : nil, remark: "ENQUEUE, \(load.inFlight) pipelined"),
            byClient.figure(
                "enqueue_client_\(kind.rawValue)", "jobs/s", limit: limit.name, remark: "JobClient, in calls of 1000"),
        ]
    }

    private func rate(_ client: JobClient) async throws -> Double {
        let jobs = (0..<min(1000, load.batch)).map { _ in JobSubmission("bench", JobFlow.usualArgs) }
        let start = ContinuousClock.now
        var rest = load.batch
        while rest > 0 {
            try client.enqueue(contentsOf: Array(jobs.prefix(rest)))
            rest -= min(rest, jobs.count)
        }
        try await client.flush()
        return Double(load.batch) / ((ContinuousClock.now - start) / .seconds(1))
    }
}
