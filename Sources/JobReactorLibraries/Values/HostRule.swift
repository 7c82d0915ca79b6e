internal import JobReactorWire

/// A host to which scripts may connect: `HOST`, `HOST:PORT`, or `*.DOMAIN` for all names below a domain, with or
/// without a port. The rule is compared with the name that the script uses, not with its address. Write an IPv6 address
/// with a port in brackets.
public struct HostRule: Hashable, Sendable, LosslessStringConvertible {
    private enum Target: Hashable {
        case address(IPAddress)
        case name(String)
        case below(String)
    }

    public let description: String
    private let target: Target
    private let port: Int?

    /// Nil for an invalid rule.
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
