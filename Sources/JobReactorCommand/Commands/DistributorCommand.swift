internal import ArgumentParser
private import JobReactor
private import JobReactorWire

struct DistributorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "distributor",
        abstract: "Take jobs and hand them to nodes, until SIGINT or SIGTERM.",
        discussion: """
            Jobs come from applications and from anything that speaks the Redis protocol: \
            redis-cli -p 5000 ENQUEUE my_job '{"key": 1}'. Jobs that no node can take yet wait in memory. A stop takes no \
            more jobs and waits for the outcomes of those that nodes have; a second signal stops at once.
            """)

    @Option(\.listen) var listen: String?
    @Option(\.distributorName) var distributorName: String?
    @Flag(\.alwaysUseSpecifiedNode) var alwaysUseSpecifiedNode: Bool?
    @OptionGroup var serving: ServingOptions
    @OptionGroup var security: SecurityOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let settings = try common.settings()
        try await Distributor(try distributorConfiguration(settings)).runAsProgram()
    }

    private func distributorConfiguration(_ settings: Settings) throws(CommandFailure) -> DistributorConfiguration {
        let address = try settings.value(\.listen, flag: listen)
        let insecure = try settings.value(\.insecure, flag: serving.insecure)
        return DistributorConfiguration(
            name: try settings.value(\.distributorName, flag: distributorName), host: address.host, port: address.port,
            security: try settings.security(security, insecure: insecure, listens: true),
            alwaysUseSpecifiedNode: try settings.value(\.alwaysUseSpecifiedNode, flag: alwaysUseSpecifiedNode),
            limits: RESPLimits(frameBytes: try settings.value(\.frameLimit, flag: serving.frameLimit)),
            maximumConnections: try settings.value(\.maxConnections, flag: serving.maxConnections),
            grace: try settings.value(\.grace, flag: serving.grace),
            logger: try common.logger(settings))
    }
}
