package import NIOCore

/// An address to which a distributor may connect when a node asks for it, in addition to the node's own: an IP address,
/// a network such as `10.0.0.0/8` or `fd00::/8`, or a host name, in which `*` matches any characters.
public struct DialRule: Hashable, Sendable, LosslessStringConvertible {
    private enum Target: Hashable {
        case network(IPAddress, bits: Int)
        case name(NamePattern)
    }

    public let description: String
    private let target: Target

    /// Nil for an invalid rule.
    public init?(_ description: String) {
        self.description = description
        let parts = description.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        if let address = parts.first.flatMap({ IPAddress($0) }) {
            let most = 8 * address.bytes.count
            guard let bits = parts.count == 2 ? Int(parts[1]) : most, (0...most).contains(bits) else { return nil }
            target = .network(address, bits: bits)
        } else {
            guard parts.count == 1, !description.isEmpty, description.utf8.allSatisfy(Self.isOfName) else { return nil }
            target = .name(NamePattern(description.lowercased()))
        }
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "*"):
            true
        default: false
        }
    }

    private func allows(_ host: String, _ address: IPAddress) -> Bool {
        switch target {
        case .network(let network, let bits): address.shares(bits: bits, with: network)
        case .name(let pattern): pattern.matches(host.lowercased())
        }
    }

    /// The addresses of a host to which the distributor may connect, for a node at `peer` that asks for this host.
    package static func allowed(
        of addresses: [SocketAddress], host: String, for peer: SocketAddress?, _ rules: [DialRule]
    ) -> [SocketAddress] {
        let own = IPAddress(peer)
        return addresses.filter { address in
            guard let number = IPAddress(address) else { return false }
            if let own, number == own || number.isLoopback && own.isLoopback { return true }
            return rules.contains { $0.allows(host, number) }
        }
    }
}
