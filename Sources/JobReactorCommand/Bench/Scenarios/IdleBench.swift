internal import ArgumentParser
private import JobReactor

/// What processes cost that have nothing to do.
struct IdleBench: BenchScenario {
    static let configuration = CommandConfiguration(
        commandName: "idle", abstract: "Memory and wakeups of an idle node and distributor.",
        discussion: "They are linked, and send a heartbeat every 10 seconds; nothing else wakes them.")

    @Option(help: "Seconds for which wakeups are counted.") var seconds = 20
    @OptionGroup var options: BenchOptions

    func validate() throws { try requirePositive(["--seconds": seconds]) }

    func measure() async throws -> [BenchFigure] {
        let distributor = try await options.startDistributor()
        let node = try await BenchNode.start(for: distributor)
        defer { node.stop() }
        let alone = try await BenchDistributor.start(storage: "memory")
        defer { alone.stop() }
        // What the start has begun is over.
        try await Task.sleep(for: .seconds(2))
        options.note("counting wakeups for \(seconds) s")
        let processes = [("node", node.processID), ("distributor", alone.processID)]
        let before = try processes.map { try ProcessReading.sleeps($0.1) }
        try await Task.sleep(for: .seconds(seconds))
        let after = try processes.map { try ProcessReading.sleeps($0.1) }
        var figures: [BenchFigure] = []
        for (index, (name, process)) in processes.enumerated() {
            let (ours, others) = Self.wakeups(before[index], after[index])
            // Each end of a link looks at it every 10 s and hears of the other as often, on two connections.
            figures.append(
                BenchFigure(
                    name: "idle_\(name)_wakeups", value: ours / Double(seconds), unit: "1/s", goal: .atMost(0.5),
                    remark: "event loops and lanes; keepalive alone"))
            figures.append(
                BenchFigure(
                    name: "idle_\(name)_wakeups_runtime", value: others / Double(seconds), unit: "1/s",
                    remark: "libdispatch looks after its threads once a second"))
            figures.append(
                BenchFigure(
                    name: "idle_\(name)_memory",
                    value: Double(try ProcessReading.residentMemory(process)) / 1_000_000, unit: "MB",
                    goal: name == "node" ? .atMost(40) : nil, remark: "resident, with programs and libraries"))
        }
        await distributor.stop(grace: 0)
        return figures
    }

    private typealias Sleeps = [String: (thread: String, count: Int)]

    /// Of NIO's event loops and what they have started, and of the other threads.
    private static func wakeups(_ before: Sleeps, _ after: Sleeps) -> (ours: Double, others: Double) {
        var (ours, others) = (0, 0)
        for (task, now) in after {
            let count = now.count - (before[task]?.count ?? 0)
            if now.thread.hasPrefix("NIO-") { ours += count } else { others += count }
        }
        return (Double(ours), Double(others))
    }
}
