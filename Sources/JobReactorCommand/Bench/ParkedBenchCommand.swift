internal import ArgumentParser
private import JobReactor
private import JobReactorCore
private import JobReactorWire

/// What jobs that no node takes cost the others.
struct ParkedBenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "parked", abstract: "Jobs per second beside jobs that wait for an absent node, and without.",
        discussion: """
            Two distributors with a node each take turns, round by round; for one of them jobs are parked: half of a name \
            that no script defines, half for a node that is not there.
            """)

    @Option(help: "Jobs that are parked.") var jobs = 1_000_000
    @Option(help: "Jobs of a round.") var batch = 20_000
    @Option(help: "Rounds for each of the two.") var rounds = 15
    @Option(help: "Jobs on their way at once.") var inFlight = 500
    @OptionGroup var options: BenchOptions

    func validate() throws {
        guard jobs > 0, batch > 0, rounds > 0, inFlight > 0 else {
            throw ValidationError("--jobs, --batch, --rounds and --in-flight take whole numbers above 0")
        }
    }

    func run() async throws {
        let beside = try await start()
        defer { beside.node.stop() }
        let without = try await start()
        defer { without.node.stop() }
        let own = try BenchNode.ownMemory()
        options.note("\(jobs) jobs are parked")
        var rest = jobs
        while rest > 0 {
            let count = min(rest, 10_000)
            let batch = (0..<count).map { index in
                index % 2 == 0
                    ? JobSubmission("nobody_defines_it", ["arg1": 1])
                    : JobSubmission("bench", ["arg1": 1], JobOptions(node: "absent"))
            }
            _ = try beside.distributor.enqueue(contentsOf: batch)
            rest -= count
        }
        // The loop has taken them all when it answers.
        _ = try await beside.distributor.nodes()
        let parked = try BenchNode.ownMemory() - own
        options.note("\(rounds) rounds of \(batch) jobs each")
        var ratesBeside: [Double] = []
        var ratesWithout: [Double] = []
        for round in -2..<rounds {
            // Who goes first changes, and the first two rounds warm up.
            let pair =
                round % 2 == 0
                ? (try await rate(beside.distributor), try await rate(without.distributor))
                : { (second: Double, first: Double) in (first, second) }(
                    try await rate(without.distributor), try await rate(beside.distributor))
            guard round >= 0 else { continue }
            ratesBeside.append(pair.0)
            ratesWithout.append(pair.1)
        }
        await beside.distributor.stop(grace: 0)
        await without.distributor.stop(grace: 0)
        let ratios = BenchSamples(zip(ratesBeside, ratesWithout).map { $1 / $0 })
        try options.show([
            BenchFigure(
                name: "rate_beside_parked", value: BenchSamples(ratesBeside).median, unit: "jobs/s",
                remark: "median, \(jobs) jobs parked"),
            BenchFigure(
                name: "rate_without", value: BenchSamples(ratesWithout).median, unit: "jobs/s", remark: "median"),
            BenchFigure(
                name: "slowdown", value: ratios.median, unit: "times", limit: 1.1,
                remark: "median of \(rounds) pairs of rounds"),
            BenchFigure(
                name: "application_memory_per_parked_job", value: Double(parked) / Double(jobs), unit: "bytes"),
        ])
    }

    private func start() async throws -> (distributor: Distributor, node: BenchNode) {
        let distributor = try await options.startDistributor()
        let node = try await BenchNode.start(
            "bench", for: distributor, scripts: "job('bench', function(args) end)")
        return (distributor, node)
    }

    /// Jobs per second, from enqueueing to the feedback.
    private func rate(_ distributor: Distributor) async throws -> Double {
        let start = ContinuousClock.now
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            let flow = Flow(distributor, jobs: batch, done: done)
            flow.enqueue(min(inFlight, batch))
        }
        return Double(batch) / ((ContinuousClock.now - start) / .seconds(1))
    }

    /// Keeps as many jobs on their way as it began with.
    private final class Flow: Sendable {
        private let distributor: Distributor
        private let counts: Locked<(unsent: Int, unfinished: Int)>
        private let done: CheckedContinuation<Void, any Error>

        init(_ distributor: Distributor, jobs: Int, done: CheckedContinuation<Void, any Error>) {
            self.distributor = distributor
            self.done = done
            counts = Locked((jobs, jobs))
        }

        func enqueue(_ count: Int) {
            for _ in 0..<count {
                counts.withLock { $0.unsent -= 1 }
                send()
            }
        }

        private func send() {
            do {
                try distributor.enqueue(
                    "bench", ["arg1": 1, "arg2": "hello"], JobOptions(), onSuccess: { _ in self.finished() })
            } catch { done.resume(throwing: error) }
        }

        private func finished() {
            let next = counts.withLock { counts in
                counts.unfinished -= 1
                let sends = counts.unsent > 0
                if sends { counts.unsent -= 1 }
                return (sends: sends, isLast: counts.unfinished == 0)
            }
            if next.sends { send() }
            if next.isLast { done.resume() }
        }
    }
}
