internal import ArgumentParser
private import JobReactor

/// How long a job takes from enqueueing to its feedback.
struct LatencyBench: BenchScenario {
    static let configuration = CommandConfiguration(
        commandName: "latency",
        abstract: "Time from enqueueing to the feedback: one job at a time, and at half the peak.",
        discussion: """
            At half the peak, jobs are enqueued at a steady rate. The time of a job counts from its scheduled enqueueing, \
            even if the previous job was late. The peak is measured first.
            """)

    @Option(help: "Jobs, one at a time.") var jobs = 20_000
    @Option(help: "Seconds at half the peak.") var seconds = 5
    @Option(help: "Jobs in flight at once while the peak is measured.") var inFlight = 1000
    @OptionGroup var options: BenchOptions

    func validate() throws {
        try requirePositive(["--jobs": jobs, "--seconds": seconds, "--in-flight": inFlight])
    }

    func measure() async throws -> [BenchFigure] {
        let distributor = try await options.startDistributor()
        let node = try await BenchNode.start(for: distributor)
        defer { node.stop() }
        let (echo, address) = try await EchoCommand.start()
        defer { echo.stop() }
        let client = try await RawClient.connect(to: address)
        let figures = try await oneAtATime(distributor, client) + halfPeak(distributor, client)
        await client.close()
        await distributor.stop(grace: 0)
        return figures
    }

    private func oneAtATime(_ distributor: Distributor, _ client: RawClient) async throws -> [BenchFigure] {
        options.note("\(jobs) jobs, one at a time, and as many round trips of the raw echo")
        let message = RawMessages.job(JobFlow.usualArgs)
        let direct = RawMessages.job(JobFlow.usualArgs, isDirect: true)
        let (ours, least, awaited, bare) = (Latencies(), Latencies(), Latencies(), Latencies())
        let rounds = 10
        for round in -1..<rounds {
            // The first warms up, and the others take turns.
            let (mine, raw) = round < 0 ? (Latencies(), Latencies()) : (ours, least)
            let count = max(1, jobs / rounds)
            _ = try await JobFlow.rate(distributor, jobs: count, inFlight: 1, mine)
            _ = try await client.rate(message, count: count, inFlight: 1, raw)
            if round >= 0 { _ = try await client.rate(direct, count: count, inFlight: 1, bare) }
            for _ in 0..<max(1, count / 4) {
                let start = Pacer.now
                _ = try await distributor.perform("bench", JobFlow.usualArgs)
                if round >= 0 { awaited.add(nanoseconds: Pacer.now - start) }
            }
        }
        let limit = (least, "raw RESP round trip, same hops")
        return ours.figures(
            "latency", limit: limit, goals: ["p50": .ratioAtMost(3), "p99": .ratioAtMost(6)],
            remark: "one at a time, from enqueue to onSuccess")
            + awaited.figures("latency_perform", limit: limit, remark: "one at a time, try await perform")
            + bare.figures("raw_round_trip", limit: nil, remark: "of two processes, answered on the thread that reads")
    }

    private func halfPeak(_ distributor: Distributor, _ client: RawClient) async throws -> [BenchFigure] {
        var peaks: [Double] = []
        for _ in 0..<4 { peaks.append(try await JobFlow.rate(distributor, jobs: 50_000, inFlight: inFlight)) }
        let half = (BenchSamples(peaks.dropFirst().map { $0 }).median / 2).rounded()
        options.note("\(Int(half)) jobs/s for \(seconds) s, and as many messages of the raw echo")
        let (ours, least) = (Latencies(), Latencies())
        let count = Int(half) * seconds
        try await JobFlow.pace(distributor, jobs: count, perSecond: half, ours)
        try await client.pace(RawMessages.job(JobFlow.usualArgs), count: count, perSecond: half, least)
        return ours.figures(
            "latency_half_peak", limit: (least, "raw RESP echo at the same rate, same hops"),
            remark: "\(Int(half)) jobs/s")
    }
}
