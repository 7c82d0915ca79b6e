/// `host:port`, as every flag, message and configuration key writes it.
///
/// IPv6 addresses stand in brackets: `[::1]:5000`. Port 0 asks the system for a free one when listening.
public struct Address: Hashable, Sendable, LosslessStringConvertible {
    public var host: String
    /// 0 to 65535.
    public var port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `host:port` or `[v6]:port`; nil for anything else.
    public init?(_ description: String) {
        guard let colon = description.lastIndex(of: ":"), let port = Int(description[description.index(after: colon)...]),
            (0...65535).contains(port)
        else { return nil }
        var host = description[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self.init(host: String(host), port: port)
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Whether only this machine can reach it.
    public var isLoopback: Bool {
        host == "localhost" || host == "::1" || (host.hasPrefix("127.") && host.split(separator: ".").count == 4)
    }
}
