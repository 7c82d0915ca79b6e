internal import ArgumentParser
private import JobReactor

/// How fast jobs go from an application to a node and their outcomes back.
struct EndToEndBench: StorageScenario {
    static let configuration = CommandConfiguration(
        commandName: "e2e", abstract: "Jobs per second from enqueueing to the feedback in the application.",
        discussion: """
            This process is the application with a distributor; the node is another process and runs an empty job. The raw \
            RESP echo sends the same bytes over the same hops: to another process, to another thread there, and back.
            """)

    @OptionGroup var load: StorageRounds
    @OptionGroup var options: BenchOptions

    func measure(_ kind: StorageKind) async throws -> [BenchFigure] {
        options.note("e2e, \(kind.rawValue): \(load.rounds) rounds of \(load.batch) jobs")
        let storage = try await BenchStorage.make(kind)
        defer { storage.remove() }
        let distributor = try await options.startDistributor()
        let node = try await BenchNode.start(for: distributor, options: ["--storage", storage.text])
        defer { node.stop() }
        let limit = try await StorageLimit.start(storage, jobsAreKept: false, inFlight: load.inFlight)
        defer { limit.stop() }
        let measured = try await BenchRounds.measure(
            load.rounds, { try await JobFlow.rate(distributor, jobs: load.batch, inFlight: load.inFlight) },
            { try await limit.rate(jobs: load.batch) })
        await distributor.stop(grace: 0)
        let goal: Double =
            switch kind {
            case .memory: 100_000
            case .sqlite: 40_000
            case .redis: 30_000
            }
        var figures = [
            measured.figure(
                "e2e_\(kind.rawValue)", "jobs/s", limit: limit.name, goal: .atLeast(goal),
                remark: "\(load.inFlight) in flight")
        ]
        if kind == .memory, let limit = figures[0].limit {
            figures.append(
                BenchFigure(
                    name: "e2e_memory_of_echo", value: limit.ratio, unit: "times", goal: .atLeast(1.0 / 3),
                    remark: "the rate of jobs over that of the raw echo"))
        }
        return figures
    }
}
