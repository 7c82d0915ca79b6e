package import NIOCore

#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif

/// The number of an IP address; an IPv4 address in IPv6's clothes is that of IPv4.
package struct IPAddress: Hashable, Sendable {
    /// 4 or 16, in the order in which they are written.
    package let bytes: [UInt8]

    /// Nil for what is none; an interface's name behind a `%` is left out.
    package init?(_ text: some StringProtocol) {
        let text = String(text.prefix { $0 != "%" })
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 {
            self.bytes = Array(bytes[..<4])
        } else if inet_pton(AF_INET6, text, &bytes) == 1 {
            let isIPv4 = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
            self.bytes = isIPv4 ? Array(bytes[12...]) : bytes
        } else {
            return nil
        }
    }

    /// Nil for a socket that has none, such as one of this machine alone.
    package init?(_ address: SocketAddress?) {
        guard let text = address?.ipAddress else { return nil }
        self.init(text)
    }

    /// Whether it is this machine's own.
    package var isLoopback: Bool {
        bytes.count == 4 ? bytes[0] == 127 : bytes.last == 1 && bytes.dropLast().allSatisfy { $0 == 0 }
    }

    /// Whether it begins with the same bits as `other`, an address of the same kind.
    package func shares(bits count: Int, with other: IPAddress) -> Bool {
        guard bytes.count == other.bytes.count, count <= 8 * bytes.count else { return false }
        return (0..<count).allSatisfy { bit in
            let mask = UInt8(0x80) >> UInt8(bit % 8)
            return bytes[bit / 8] & mask == other.bytes[bit / 8] & mask
        }
    }
}
