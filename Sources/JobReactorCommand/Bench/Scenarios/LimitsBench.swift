internal import ArgumentParser
private import JobReactor
private import JobReactorCore

/// What limits, keys and schedules cost: those who use them, and the others.
struct LimitsBench: BenchScenario {
    static let configuration = CommandConfiguration(
        commandName: "limits",
        abstract: "Jobs per second beside a full limit, with many keys, and with unique jobs; the cost of schedules.",
        discussion: """
            A distributor and its node with the measured feature take turns with a distributor and a node without it, round \
            by round. A script defines the schedules: none is due while the processor time is counted, then many are due in \
            the same second.
            """)

    @Option(help: "Jobs that wait on one full limit.") var jobs = 1_000_000
    @Option(help: "Values of a limit's key, each with 10 jobs and one run at a time.") var keys = 100_000
    @Option(help: "Schedules of which none is due.") var schedules = 100_000
    @Option(help: "Schedules that are due in the same second.") var due = 10_000
    @Option(help: "Jobs of a round beside the full limit, and unique jobs.") var batch = 50_000
    @Option(help: "Rounds; the limit is measured between them.") var rounds = 5
    @OptionGroup var options: BenchOptions

    func validate() throws {
        try requirePositive([
            "--jobs": jobs, "--keys": keys, "--schedules": schedules, "--due": due, "--batch": batch,
            "--rounds": rounds,
        ])
    }

    private static let scripts = """
        job('bench', function(args) end)
        job('held', { limit = { concurrency = 1 } }, function(args) sleep(1e6) end)
        job('keyed', { limit = { key = 'key', concurrency = 1 } }, function(args) end)
        """

    func measure() async throws -> [BenchFigure] {
        let distributor = try await options.startDistributor()
        let node = try await BenchNode.start(for: distributor, scripts: Self.scripts)
        defer { node.stop() }
        let other = try await options.startDistributor()
        let otherNode = try await BenchNode.start(for: other)
        defer { otherNode.stop() }
        let figures =
            try await [keyed(distributor, other), unique(distributor, other), besideFull(distributor, other)]
        await distributor.stop(grace: 0)
        await other.stop(grace: 0)
        return figures + (try await scheduled())
    }

    // MARK: Limits

    private func besideFull(_ distributor: Distributor, _ other: Distributor) async throws -> BenchFigure {
        options.note("\(jobs) jobs wait on one full limit; \(rounds) rounds of \(batch) jobs")
        var rest = jobs
        while rest > 0 {
            let count = min(rest, 10_000)
            _ = try distributor.enqueue(contentsOf: (0..<count).map { _ in JobSubmission("held", JobFlow.usualArgs) })
            rest -= count
        }
        _ = try await distributor.nodes()
        let measured = try await BenchRounds.measure(
            rounds, { try await JobFlow.rate(distributor, jobs: batch, inFlight: 500) },
            { try await JobFlow.rate(other, jobs: batch, inFlight: 500) })
        return measured.figure(
            "rate_beside_full_limit", "jobs/s", limit: "no limits", goal: .ratioAtLeast(0.97),
            remark: "\(jobs) jobs wait on one limit")
    }

    private func keyed(_ distributor: Distributor, _ other: Distributor) async throws -> BenchFigure {
        let (count, keys) = (keys * 10, keys)
        options.note("\(rounds) rounds of \(count) jobs with \(keys) keys, one run at a time for each")
        let measured = try await BenchRounds.measure(
            rounds,
            {
                try await JobFlow.rate(distributor, jobs: count, inFlight: 1000) { number in
                    ("keyed", ["key": .integer(Int64(number % keys))])
                }
            },
            {
                try await JobFlow.rate(other, jobs: count, inFlight: 1000) { number in
                    ("bench", ["key": .integer(Int64(number % keys))])
                }
            })
        return measured.figure(
            "rate_with_keys", "jobs/s", limit: "no limits", goal: .ratioAtLeast(0.5),
            remark: "\(keys) keys, 10 jobs each, concurrency 1")
    }

    // MARK: Unique jobs

    private func unique(_ distributor: Distributor, _ other: Distributor) async throws -> BenchFigure {
        options.note("\(rounds) rounds of \(batch) unique jobs")
        let round = Locked(0)
        let measured = try await BenchRounds.measure(
            rounds,
            {
                let prefix = round.withLock { round in
                    round += 1
                    return "\(round):"
                }
                return try await enqueueRate(distributor) { JobOptions(unique: JobUnique(prefix + "\($0)")) }
            }, { try await enqueueRate(other) { _ in JobOptions() } })
        return measured.figure(
            "enqueue_unique", "jobs/s", limit: "no keys", goal: .ratioAtLeast(0.5),
            remark: "of a name that nobody defines")
    }

    private func enqueueRate(_ distributor: Distributor, _ options: (Int) -> JobOptions) async throws -> Double {
        let start = ContinuousClock.now
        var sent = 0
        while sent < batch {
            let count = min(batch - sent, 1000)
            let jobs = (sent..<sent + count).map { JobSubmission("nobody_defines_it", JobFlow.usualArgs, options($0)) }
            _ = try distributor.enqueue(contentsOf: jobs)
            sent += count
        }
        // The loop has taken them all when it answers.
        _ = try await distributor.nodes()
        return Double(batch) / ((ContinuousClock.now - start) / .seconds(1))
    }

    // MARK: Schedules

    private func scheduled() async throws -> [BenchFigure] {
        let distributor = try await options.startDistributor()
        let node = try await BenchNode.start(
            for: distributor,
            scripts: """
                job('ticked', function(args) args.late = now() - job.tick end)
                for i = 1, \(schedules) do schedule('never' .. i, '0 0 1 1 *', 'ticked') end
                """)
        defer { node.stop() }
        options.note("\(schedules) schedules of which none is due")
        // What the start has begun is over.
        try await Task.sleep(for: .seconds(2))
        let before = try ProcessReading.processorSeconds(ProcessReading.own)
        let seconds = 10
        try await Task.sleep(for: .seconds(seconds))
        let used = try ProcessReading.processorSeconds(ProcessReading.own) - before
        var figures = [
            BenchFigure(
                name: "idle_schedules_processor", value: used / Double(seconds) * 100, unit: "% of a core",
                goal: .atMost(1), remark: "\(schedules) schedules, the process of the distributor")
        ]
        options.note("\(due) schedules are due in the same second")
        let (ticks, arrived) = AsyncStream.makeStream(of: Double.self)
        let handler = distributor.onSuccess("ticked") { result in
            if let late = result["late"]?.double { arrived.yield(late * 1000) }
        }
        try await node.reload(
            """
            job('ticked', function(args) args.late = now() - job.tick end)
            for i = 1, \(due) do schedule('due' .. i, '*/10 * * * * *', 'ticked') end
            """)
        var late: [Double] = []
        for await tick in ticks {
            late.append(tick)
            if late.count == due { break }
        }
        handler.remove()
        await distributor.stop(grace: 0)
        let samples = BenchSamples(late)
        figures += [
            BenchFigure(
                name: "tick_p50", value: samples.median, unit: "ms", remark: "from the tick to the begin of its run"),
            BenchFigure(name: "tick_p99", value: samples.quantile(0.99), unit: "ms", goal: .atMost(50)),
        ]
        return figures
    }
}
