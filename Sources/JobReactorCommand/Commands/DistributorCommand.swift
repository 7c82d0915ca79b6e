internal import ArgumentParser
private import JobReactor
private import JobReactorCore
private import JobReactorLibraries
private import JobReactorWire
private import NIOCore
private import NIOPosix
private import UnixSignals

struct DistributorCommand: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "distributor",
        abstract: "Accept jobs and hand them to nodes, until SIGINT or SIGTERM.",
        discussion: """
            Jobs come from applications and from any Redis client: redis-cli -p 5000 ENQUEUE my_job '{"key": 1}'. Jobs that \
            no node can take yet wait in memory, or in the storage, where they survive a crash. A stop accepts no more jobs \
            and waits for the outcomes of jobs at nodes; a second signal stops at once.
            """)

    @Option(\.listen) var listen: String?
    @Option(\.distributorName) var distributorName: String?
    @Option(\.storage) var storage: String?
    @Option(\.redisURL) var redisURL: String?
    @Option(\.reportTTL) var reportTTL: String?
    @Option(\.takeoverTime) var takeoverTime: String?
    @Option(\.maxMemory) var maxMemory: String?
    @Option(\.dialAllow) var dialAllow: [String] = []
    @Flag(\.alwaysUseSpecifiedNode) var alwaysUseSpecifiedNode: Bool?
    @OptionGroup var serving: ServingOptions
    @OptionGroup var security: SecurityOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let manager = ServiceManager.fromEnvironment()
        OpenFiles.raiseLimit()
        let settings = try common.settings(serving)
        // One loop for the distributor and its storage: calls need no change of threads.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        var configuration = try distributorConfiguration(settings, on: group)
        configuration.heartbeat = ScriptLibraries.heartbeat
        // As most servers do: it ends nothing, and files are read anew.
        let tls = configuration.security.tls
        let hangUps = Task {
            for await _ in await UnixSignalsSequence(trapping: .sighup) { tls?.reload() }
        }
        defer { hangUps.cancel() }
        let spans = try serving.spans(settings, configuration.logger, role: "distributor")
        let monitor = try serving.monitor(settings, configuration.security, role: "distributor", spans: spans)
        let distributor = Distributor(configuration, on: group)
        let http = try await monitor?.open(
            for: WatchedServer(
                health: { await distributor.health() }, setGauges: { await distributor.setGauges() }),
            dashboard: DistributorSource(distributor: distributor), configuration.security, configuration.logger)
        let grace = configuration.grace
        try await distributor.runAsProgram { phase in
            switch phase {
            case .started: manager?.started(on: group.any())
            case .stopping: manager?.stopping(within: grace)
            }
        }
        await spans?.finish()
        await http?.stop()
        await ScriptLibraries.shutdown()
    }

    private func distributorConfiguration(
        _ settings: Settings, on group: any EventLoopGroup
    ) throws(CommandFailure) -> DistributorConfiguration {
        let address = try settings.value(\.listen, flag: listen)
        let security = try settings.security(security, serving)
        try Settings.checkListening(on: address, security)
        let logger = try common.serverLogger(settings, serving)
        let location = try settings.value(\.storage, flag: storage)
        let redisURL = try settings.value(\.redisURL, flag: redisURL)
        return DistributorConfiguration(
            name: try settings.value(\.distributorName, flag: distributorName), host: address.host, port: address.port,
            security: security,
            alwaysUseSpecifiedNode: try settings.value(\.alwaysUseSpecifiedNode, flag: alwaysUseSpecifiedNode),
            limits: RESPLimits(frameBytes: try settings.value(\.frameLimit, flag: serving.frameLimit)),
            maximumConnections: try settings.value(\.maxConnections, flag: serving.maxConnections),
            grace: try settings.value(\.grace, flag: serving.grace),
            // In memory they are anyhow.
            storage: location == .memory
                ? nil : location.makeStorage(redisURL: redisURL, tls: security.tls, on: group, logger: logger),
            takeoverTime: try settings.value(\.takeoverTime, flag: takeoverTime),
            reportTTL: try settings.value(\.reportTTL, flag: reportTTL),
            maxMemory: try settings.value(\.maxMemory, flag: maxMemory),
            dialAllow: try settings.value(\.dialAllow, flags: dialAllow), logger: logger)
    }
}
