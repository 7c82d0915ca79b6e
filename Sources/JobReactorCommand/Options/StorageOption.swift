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

    /// Nil where jobs are in memory, of which only their node knows.
    func monitor(_ settings: Settings, _ security: WireSecurity) throws(CommandFailure) -> JobMonitor? {
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
        guard let monitor = try monitor(settings, security) else {
            throw .usage("--storage sqlite:FILE or redis://… says where to look: jobs in memory are only their node's")
        }
        return monitor
    }
}
