internal import ArgumentParser

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure JobReactor on this machine, with processes as in production.",
        discussion: """
            The application with its distributor, the node and the storage run in separate processes, over loopback. Each \
            figure has a limit beside it: the same work done by minimal code, measured in the same run, in turns. Absolute \
            figures depend on the machine: compare the ratios.
            """,
        subcommands: [
            AllBench.self, EnqueueBench.self, EndToEndBench.self, LatencyBench.self, LuaBench.self, DelayedBench.self,
            ParkedBench.self, LimitsBench.self, ReloadBench.self, NodesBench.self, PayloadBench.self, IdleBench.self,
            EchoCommand.self,
            StandInNodesCommand.self,
        ])
}
