internal import JobReactorCore
internal import JobReactorRedis
internal import JobReactorSQLite
internal import JobReactorWire
internal import Logging
internal import NIOCore

/// Where jobs are kept, as `--storage` says it.
enum StorageLocation: Hashable, Sendable, CustomStringConvertible {
    case memory
    /// In a file.
    case sqlite(String)
    /// On the server that `redis_url` names, when none is named here.
    case redis(RedisLocation?)

    init?(_ text: String) {
        switch text {
        case "memory": self = .memory
        case "redis": self = .redis(nil)
        case let text where text.hasPrefix("sqlite:") && text.count > 7: self = .sqlite(String(text.dropFirst(7)))
        default:
            guard let location = RedisLocation(text) else { return nil }
            self = .redis(location)
        }
    }

    var description: String {
        switch self {
        case .memory: "memory"
        case .sqlite(let file): "sqlite:\(file)"
        case .redis(nil): "redis"
        case .redis(let location?): location.description
        }
    }
}

extension StorageLocation {
    /// The storage, on the loop of who uses it.
    func makeStorage(
        redisURL: RedisLocation, tls: TransportSecurity?, on group: any EventLoopGroup, logger: Logger
    ) -> any JobStorage {
        switch self {
        case .memory: MemoryStorage()
        case .sqlite(let file): SQLiteStorage(file: file, logger: logger)
        case .redis(let location):
            RedisStorage(location ?? redisURL, options: RedisStorage.Options(logger: logger), tls: tls, on: group)
        }
    }
}
