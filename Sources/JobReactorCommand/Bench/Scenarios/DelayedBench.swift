internal import ArgumentParser
private import JobReactor
private import JobReactorCore
private import JobReactorWire

/// Memory of jobs that wait for their time, what they cost the others, and how late they begin.
struct DelayedBench: BenchScenario {
    static let configuration = CommandConfiguration(
        commandName: "delayed",
        abstract: "Memory per waiting job, throughput beside waiting jobs, and lateness of jobs that are due together.")

    @Option(help: "Jobs that wait on one node.") var jobs = 1_000_000
    @Option(help: "Jobs that become due within one second, beside those.") var due = 10_000
    @Option(help: "Jobs of a round beside those that wait.") var batch = 50_000
    @Option(help: "Rounds, in turns with a node without waiting jobs.") var rounds = 9
    @OptionGroup var options: BenchOptions

    func validate() throws {
        try requirePositive(["--jobs": jobs, "--due": due, "--batch": batch, "--rounds": rounds])
    }

    /// 80 bytes.
    private static let args = #"{"arg1":1,"arg2":"hello","path":"/var/lib/jobs/incoming/00000042.json","n":1234}"#

    func measure() async throws -> [BenchFigure] {
        let distributor = try await options.startDistributor()
        let node = try await BenchNode.start(for: distributor, options: Self.nodeOptions)
        defer { node.stop() }
        let figures = try await memory(distributor, node) + besideWaiting(distributor) + lateness(distributor)
        await distributor.stop(grace: 0)
        return figures
    }

    private func memory(_ distributor: Distributor, _ node: BenchNode) async throws -> [BenchFigure] {
        // A first run of everything, so that what is there once is not counted.
        for _ in 1...1000 { _ = try await distributor.perform("bench", ["arg1": 1]) }
        let idle = (
            node: try ProcessReading.memory(node.processID), own: try ProcessReading.memory(ProcessReading.own)
        )
        options.note("\(jobs) jobs go to the node, to wait an hour and more")
        let args = try JobArguments(json: Self.args)
        var rest = jobs
        while rest > 0 {
            let count = min(rest, 10_000)
            let batch = (0..<count).map { index in
                JobSubmission("bench", args, JobOptions(after: 3600 + Double((rest - index) % 100_000)))
            }
            _ = try distributor.enqueue(contentsOf: batch)
            rest -= count
            let sent = jobs - rest
            try await node.wait { ($0["waiting"] ?? 0) >= sent - 100_000 }
        }
        try await node.wait { ($0["waiting"] ?? 0) >= jobs }
        let full = (
            node: try ProcessReading.memory(node.processID), own: try ProcessReading.memory(ProcessReading.own)
        )
        // Of few jobs less may be seen than the process gives back meanwhile.
        func each(_ bytes: Int) -> Double { Double(max(0, bytes)) / Double(jobs) }
        return [
            BenchFigure(
                name: "node_memory_per_waiting_job", value: each(full.node - idle.node), unit: "bytes",
                goal: .atMost(400),
                remark: "\(jobs) jobs, args of 80 bytes, over the idle node"),
            BenchFigure(
                name: "application_memory_per_waiting_job", value: each(full.own - idle.own), unit: "bytes",
                remark: "the copy kept for a node with memory storage"),
            BenchFigure(name: "idle_node_memory", value: Double(idle.node) / 1_048_576, unit: "MiB"),
        ]
    }

    /// Feedbacks tell when the run began.
    private static let nodeOptions = ["--merge-job-itself-to-args"]

    private func besideWaiting(_ distributor: Distributor) async throws -> [BenchFigure] {
        options.note("\(rounds) rounds of \(batch) jobs beside those, and on a node where none waits")
        let other = try await options.startDistributor()
        let node = try await BenchNode.start(for: other, options: Self.nodeOptions)
        defer { node.stop() }
        let measured = try await BenchRounds.measure(
            rounds, { try await JobFlow.rate(distributor, jobs: batch, inFlight: 500) },
            { try await JobFlow.rate(other, jobs: batch, inFlight: 500) })
        await other.stop(grace: 0)
        return [
            measured.figure(
                "rate_beside_waiting", "jobs/s", limit: "no jobs waiting", goal: .ratioAtLeast(0.9),
                remark: "\(jobs) jobs waiting")
        ]
    }

    private func lateness(_ distributor: Distributor) async throws -> [BenchFigure] {
        options.note("\(due) jobs come due within one second")
        let (results, arrived) = AsyncStream.makeStream(of: (begun: Double, reported: Double).self)
        let start = Timestamp.now.advanced(bySeconds: 3)
        for index in 0..<due {
            let dueAt = start.advanced(bySeconds: Double(index) / Double(due))
            try distributor.enqueue(
                "bench", ["arg1": 1, "arg2": "hello"], JobOptions(runAt: dueAt),
                onSuccess: { result in
                    guard case .object(let job) = result["job_itself"], let runAt = job["run_at"]?.double else {
                        return
                    }
                    arrived.yield((runAt - dueAt.seconds, Timestamp.now.seconds - dueAt.seconds))
                })
        }
        var begun: [Double] = []
        var reported: [Double] = []
        for await result in results {
            begun.append(result.begun * 1000)
            reported.append(result.reported * 1000)
            if begun.count == due { break }
        }
        func figures(_ name: String, _ samples: BenchSamples, _ remark: String, goal: BenchFigure.Goal?)
            -> [BenchFigure]
        {
            [
                BenchFigure(name: "\(name)_p50", value: samples.median, unit: "ms", remark: remark),
                BenchFigure(name: "\(name)_p99", value: samples.quantile(0.99), unit: "ms", goal: goal),
                BenchFigure(name: "\(name)_max", value: samples.largest, unit: "ms"),
            ]
        }
        return figures("lateness", BenchSamples(begun), "from the due time to the begin of the run", goal: .atMost(20))
            + figures("report", BenchSamples(reported), "from the due time to the feedback", goal: nil)
    }
}
