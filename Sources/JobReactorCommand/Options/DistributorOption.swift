internal import ArgumentParser
internal import JobReactorWire

/// The distributor that a client command talks to.
struct DistributorOption: ParsableArguments {
    @Option(\.distributor) var distributor: [String] = []

    /// The first of those that are set: the setting names several for nodes.
    func address(_ settings: Settings) throws(CommandFailure) -> Address {
        if distributor.count > 1 {
            throw .usage("--distributor is given more than once: this command uses one distributor")
        }
        guard let first = try settings.value(\.distributor, flags: distributor).first else {
            throw .usage("--distributor takes host:port, such as localhost:5000")
        }
        return first
    }
}

/// Whom a command asks that a node answers as well.
struct AskedOptions: ParsableArguments {
    @OptionGroup var distributor: DistributorOption
    @Option(help: ArgumentHelp("Address of a node to ask instead of a distributor.", valueName: "host:port"))
    var server: String?

    func address(_ settings: Settings) throws(CommandFailure) -> (Address, isNode: Bool) {
        guard let node = try JobOptionFlags.read(.address, server, "--server") else {
            return (try distributor.address(settings), false)
        }
        guard distributor.distributor.isEmpty else {
            throw .usage("--distributor and --server exclude each other: keep one of them")
        }
        return (node, true)
    }
}
