internal import JobReactorWire

/// A server that scripts may connect to: `HOST`, `HOST:PORT`, or `*.DOMAIN` for all names below a domain, with a port or
/// without. Names are compared as the script writes them, whatever address they stand for; an IPv6 address with a port stands in
/// brackets.
public struct HostRule: Hashable, Sendable, LosslessStringConvertible {
    private enum Target: Hashable {
        case address(IPAddress)
        case name(String)
        case below(String)
    }

    public let description: String
    private let target: Target
    private let port: Int?

    /// Nil for what is none of these.
    public init?(_ description: String) {
        self.description = description
        if description.contains(":"), let address = IPAddress(description) {
            (target, port) = (.address(address), nil)
            return
        }
        let isBelow = description.hasPrefix("*.")
        guard let server = try? ServerName(description.utf8.dropFirst(isBelow ? 2 : 0)) else { return nil }
        port = server.port
        let name = Self.withoutRoot(server.host)
        guard !name.isEmpty else { return nil }
        if let address = IPAddress(name) {
            guard !isBelow else { return nil }
            target = .address(address)
        } else {
            target = isBelow ? .below(name) : .name(name)
        }
    }

    /// `host` is in lower case, without brackets.
    func allows(_ host: String, _ port: Int) -> Bool {
        guard self.port == nil || self.port == port else { return false }
        let name = Self.withoutRoot(host)
        return switch target {
        case .address(let address): IPAddress(name) == address
        case .name(let known): name == known
        case .below(let domain): name.hasSuffix("." + domain)
        }
    }

    /// `example.org.` is `example.org`.
    private static func withoutRoot(_ name: String) -> String { name.hasSuffix(".") ? String(name.dropLast()) : name }
}
