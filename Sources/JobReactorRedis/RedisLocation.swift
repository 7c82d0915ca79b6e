public import JobReactorWire
private import FoundationEssentials

/// The address, the login and the key prefix of a Redis server, from a URL:
/// `redis://user:password@host:6379/0?prefix=jobreactor:`, with `rediss://` for TLS.
///
/// Everything but the host is optional: the default port is 6379, the database 0, the prefix `jobreactor:`. A password
/// without a user follows a colon: `redis://:password@host`. Reserved characters are percent-encoded.
public struct RedisLocation: Hashable, Sendable, LosslessStringConvertible {
    public var address: Address
    public var usesTLS: Bool
    public var user: String?
    public var password: String?
    /// The number of the database.
    public var database: Int
    /// The prefix of all keys.
    public var prefix: String

    public init(
        address: Address = Address(host: "127.0.0.1", port: 6379), usesTLS: Bool = false, user: String? = nil,
        password: String? = nil, database: Int = 0, prefix: String = "jobreactor:"
    ) {
        self.address = address
        self.usesTLS = usesTLS
        self.user = user
        self.password = password
        self.database = database
        self.prefix = prefix
    }

    /// Parses a URL; nil if it is not a Redis URL.
    public init?(_ description: String) {
        guard let url = URLComponents(string: description), url.scheme == "redis" || url.scheme == "rediss",
            let host = url.host, !host.isEmpty, url.fragment == nil, (1...65535).contains(url.port ?? 6379)
        else { return nil }
        let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        self.init(address: Address(host: bare, port: url.port ?? 6379), usesTLS: url.scheme == "rediss")
        if let name = url.user, !name.isEmpty { user = name }
        password = url.password
        switch url.path {
        case "", "/": break
        case let path:
            guard let number = Int(path.dropFirst()), number >= 0, "/\(number)" == path else { return nil }
            database = number
        }
        for item in url.queryItems ?? [] {
            guard item.name == "prefix", let value = item.value, !value.isEmpty else { return nil }
            prefix = value
        }
        guard user == nil || password != nil else { return nil }
    }

    /// As a URL, without the password.
    public var description: String {
        let login = password == nil ? "" : "\(user ?? ""):***@"
        let scheme = usesTLS ? "rediss" : "redis"
        let query = prefix == "jobreactor:" ? "" : "?prefix=\(prefix)"
        return "\(scheme)://\(login)\(address)/\(database)\(query)"
    }
}
