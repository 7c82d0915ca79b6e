internal import ArgumentParser
internal import JobReactorWire

/// The distributor that a client command talks to.
struct DistributorOption: ParsableArguments {
    @Option(\.distributor) var distributor: [String] = []

    /// The first of those that are set: the setting names several for nodes.
    func address(_ settings: Settings) throws(CommandFailure) -> Address {
        if distributor.count > 1 { throw .usage("--distributor is given more than once: this command talks to one") }
        guard let first = try settings.value(\.distributor, flags: distributor).first else {
            throw .usage("--distributor takes host:port, such as localhost:5000")
        }
        return first
    }
}
