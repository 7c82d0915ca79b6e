package import NIOCore
private import NIOPosix

#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif

/// All addresses of a host name: `localhost` has two on most machines.
package enum HostAddresses {
    /// Asks the system on a separate thread, because this may take long.
    package static func resolve(_ address: Address, on loop: any EventLoop) -> EventLoopFuture<[SocketAddress]> {
        NIOThreadPool.singleton.runIfActive(eventLoop: loop) { try lookUp(address) }
    }

    /// At least one.
    static func lookUp(_ address: Address) throws -> [SocketAddress] {
        var hints = addrinfo()
        #if canImport(Glibc)
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
            hints.ai_socktype = SOCK_STREAM
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(address.host, "\(address.port)", &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        var found: [SocketAddress] = []
        if status == 0 {
            for entry in sequence(first: list, next: { $0?.pointee.ai_next }) {
                guard let entry, let next = socketAddress(entry.pointee, host: address.host), !found.contains(next)
                else {
                    continue
                }
                found.append(next)
            }
        }
        guard !found.isEmpty else {
            let reason = status == 0 || status == EAI_NONAME ? nil : gai_strerror(status).map { String(cString: $0) }
            throw WireError(.listen, reason?.lowercased() ?? "no such host")
        }
        return found
    }

    private static func socketAddress(_ entry: addrinfo, host: String) -> SocketAddress? {
        guard let address = entry.ai_addr else { return nil }
        switch entry.ai_family {
        case AF_INET:
            return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                SocketAddress($0.pointee, host: host)
            }
        case AF_INET6:
            return address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                SocketAddress($0.pointee, host: host)
            }
        default: return nil
        }
    }
}
