internal import ArgumentParser
internal import JobReactor
internal import JobReactorCore
internal import JobReactorRedis
internal import JobReactorSQLite
internal import JobReactorWire

/// The storage that a command looks into.
struct StorageOption: ParsableArguments {
    @Option(\.storage) var storage: String?
    @Option(\.redisURL) var redisURL: String?
    @Option(
        name: .customLong("server"),
        help: ArgumentHelp(
            "Ask the node or the distributor at this address, with any storage.", valueName: "host:port"))
    var server: String?

    /// Nil where no storage and no node is named: jobs in memory are known to their node alone.
    func monitor(_ settings: Settings, _ security: WireSecurity) throws(CommandFailure) -> JobMonitor? {
        if let server, storage == nil, let address = try settings.value(\.server, flag: server) {
            return JobMonitor(node: address, security: security)
        }
        switch try settings.value(\.storage, flag: storage) {
        case .memory: return nil
        case .sqlite(let file): return JobMonitor(SQLitePlace(file: file), security: security)
        case .redis(let location):
            let standard = try settings.value(\.redisURL, flag: redisURL)
            return JobMonitor(RedisPlace(location ?? standard, tls: security.tls), security: security)
        }
    }

    /// For commands that only a storage can answer.
    func requiredMonitor(_ settings: Settings, _ security: WireSecurity) throws(CommandFailure) -> JobMonitor {
        if let monitor = try monitor(settings, security) { return monitor }
        guard let address = try settings.value(\.server, flag: server) else {
            throw .usage(
                "give a place: --storage sqlite:FILE or redis://…, or the --server of a node with memory storage")
        }
        return JobMonitor(node: address, security: security)
    }
}

/// Where jobs are looked for: in a storage, at a node, or, where neither is named, at the distributor.
struct JobPlaceOptions: ParsableArguments {
    @OptionGroup var storage: StorageOption
    @OptionGroup var distributor: DistributorOption
    @OptionGroup var security: SecurityOptions
    @OptionGroup var common: CommonOptions

    struct Place {
        let monitor: JobMonitor
        /// The distributor that is asked, as nothing else is named: other jobs are at nodes.
        let distributor: Address?
        let security: WireSecurity
    }

    func place() throws(CommandFailure) -> Place {
        let settings = try common.settings()
        let security = try settings.security(security, listens: false)
        if let monitor = try storage.monitor(settings, security) {
            return Place(monitor: monitor, distributor: nil, security: security)
        }
        let address = try distributor.address(settings)
        return Place(monitor: JobMonitor(node: address, security: security), distributor: address, security: security)
    }
}
