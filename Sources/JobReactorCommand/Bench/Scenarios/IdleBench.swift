internal import ArgumentParser
private import JobReactor

/// What processes cost that have nothing to do.
struct IdleBench: BenchScenario {
    static let configuration = CommandConfiguration(
        commandName: "idle", abstract: "Memory of a node and a distributor after their start, and how often they wake.",
        discussion: "They are linked, and say that they are still there every 10 seconds; nothing else wakes them.")

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
            let wakeups = Double(after[index] - before[index]) / Double(seconds)
            // Each end of a link looks at it every 10 s and hears of the other as often, on two connections.
            figures.append(
                BenchFigure(
                    name: "idle_\(name)_wakeups", value: wakeups, unit: "1/s", goal: .atMost(0.5),
                    remark: "all threads; keepalive alone"))
            figures.append(
                BenchFigure(
                    name: "idle_\(name)_memory",
                    value: Double(try ProcessReading.residentMemory(process)) / 1_000_000, unit: "MB",
                    goal: name == "node" ? .atMost(40) : nil, remark: "resident, with programs and libraries"))
        }
        await distributor.stop(grace: 0)
        return figures
    }
}
