internal import ArgumentParser
private import JobReactor
private import JobReactorWire

/// What large args cost.
struct PayloadBench: BenchScenario {
    static let configuration = CommandConfiguration(
        commandName: "payload", abstract: "Jobs and megabytes per second with args of different sizes, out and back.")

    @Option(help: "Bytes of args.") var bytes = [100, 1_000, 10_000, 100_000, 1_000_000]
    @Option(help: "Megabytes of args of a round, one way.") var megabytes = 50
    @Option(help: "Rounds; the limit is measured between them.") var rounds = 3
    @OptionGroup var options: BenchOptions

    func validate() throws {
        try requirePositive(["--megabytes": megabytes, "--rounds": rounds, "--bytes": bytes.min() ?? 0])
        guard (bytes.max() ?? 0) <= 10_000_000 else { throw ValidationError("--bytes takes numbers up to 10000000") }
    }

    func measure() async throws -> [BenchFigure] {
        let distributor = try await options.startDistributor()
        let node = try await BenchNode.start(for: distributor)
        defer { node.stop() }
        let (echo, address) = try await EchoCommand.start()
        defer { echo.stop() }
        let client = try await RawClient.connect(to: address)
        var figures: [BenchFigure] = []
        for size in bytes {
            options.note("args of \(size) bytes: \(rounds) rounds of \(megabytes) MB")
            let text = String(repeating: "x", count: max(0, size - #"{"text":""}"#.utf8.count))
            let args: JobArguments = ["text": .string(text)]
            let jobs = max(20, min(100_000, megabytes * 1_000_000 / size))
            // No more on their way than a few megabytes.
            let inFlight = max(4, min(1000, 4_000_000 / size))
            let measured = try await BenchRounds.measure(
                rounds, { try await JobFlow.rate(distributor, jobs: jobs, inFlight: inFlight, args: args) },
                { try await client.rate(RawMessages.job(args), count: jobs, inFlight: inFlight) })
            figures.append(
                measured.figure(
                    "payload_\(size)", "jobs/s", limit: "raw RESP echo, same hops",
                    remark: "\(inFlight) in flight"))
        }
        await client.close()
        await distributor.stop(grace: 0)
        return figures
    }
}
