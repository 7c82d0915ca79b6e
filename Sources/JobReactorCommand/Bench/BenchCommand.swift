internal import ArgumentParser

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure JobReactor on this machine, with processes as in life.",
        discussion: """
            The application with its distributor, the node and the storage are processes of their own, over loopback. Beside \
            each figure stands its limit: the same work done in the same run by as little as can do it, in turns with what \
            is measured. Figures of one machine mean little: compare the ratios.
            """,
        subcommands: [
            AllBench.self, EnqueueBench.self, EndToEndBench.self, LatencyBench.self, LuaBench.self, DelayedBench.self,
            ParkedBench.self, LimitsBench.self, ReloadBench.self, NodesBench.self, PayloadBench.self, IdleBench.self,
            EchoCommand.self,
            StandInNodesCommand.self,
        ])
}
