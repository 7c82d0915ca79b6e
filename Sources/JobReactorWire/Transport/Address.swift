/// An address `host:port`, as in flags, messages and configuration keys.
///
/// IPv6 addresses are in brackets: `[::1]:5000`. When listening, port 0 takes a free port. An address with an invalid
/// port is refused when it is used, by ``validate()``.
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
        guard let colon = description.lastIndex(of: ":") else { return nil }
        let digits = description[description.index(after: colon)...]
        guard digits.utf8.allSatisfy(Self.isDigit), let port = Int(digits), (0...65535).contains(port) else {
            return nil
        }
        var host = description[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self.init(host: String(host), port: port)
    }

    /// Throws ``WireError`` with the code `configuration` for a port below 0 or above 65535. Called before listening or
    /// connecting.
    public func validate() throws(WireError) {
        guard (0...65535).contains(port) else {
            throw WireError(.configuration, "\(self): \(port) is not a port: ports are 0 to 65535")
        }
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Whether the address is reachable only from this machine.
    public var isLoopback: Bool {
        if host == "localhost" || host == "::1" { return true }
        // A name may start with 127 as well.
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127"
            && parts.allSatisfy { $0.utf8.allSatisfy(Self.isDigit) && UInt8($0) != nil }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
}
